//! Messages: a header, the family, attributes.

use super::attribute::{self, aligned};
use super::{Kind, Malformed};
use crate::object::Family;

/// `NFNL_SUBSYS_NFTABLES`: the upper byte of a message's type.
const NFTABLES: u8 = 10;
/// A number that no kind of message has: the kernel refuses it with "invalid argument", and the
/// batch around it.
const REFUSED: u8 = 0xff;
/// `NLM_F_REQUEST`.
pub(super) const REQUEST: u16 = 1;
/// `NFNL_BATCH_GENID`.
const BATCH_GENERATION: u16 = 1;
/// The bytes of `struct nfgenmsg`: family, version, and the number of a resource.
const FAMILY: usize = 4;

/// The header of every message of netlink: `struct nlmsghdr`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Header {
    /// The length of the whole message in bytes, without the zeros behind it.
    pub len: u32,
    /// The type: for nf_tables, the subsystem in the upper byte and the [`Kind`] in the lower.
    pub kind: u16,
    /// `NLM_F_*`.
    pub flags: u16,
    /// The number that a reply shares with its request.
    pub sequence: u32,
    /// The socket at the other end; 0 for the kernel.
    pub port: u32,
}

impl Header {
    /// The bytes of a header.
    pub(super) const LEN: usize = 16;
    /// `NLMSG_ERROR`: a reply to a request, error or not.
    pub const ERROR: u16 = 2;
    /// `NLMSG_DONE`: the end of a dump.
    pub const DONE: u16 = 3;
    /// `NFNL_MSG_BATCH_BEGIN`.
    pub const BATCH_BEGIN: u16 = 16;
    /// `NFNL_MSG_BATCH_END`.
    pub const BATCH_END: u16 = 17;

    /// The header at the head of these bytes, and what stands behind it.
    pub(super) fn split(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (head, rest) = bytes.split_at_checked(Self::LEN)?;
        let half = |at: usize| Some(u16::from_ne_bytes([*head.get(at)?, *head.get(at + 1)?]));
        let word = |at: usize| Some(u32::from_ne_bytes(head.get(at..at + 4)?.try_into().ok()?));
        let header = Self {
            len: word(0)?,
            kind: half(4)?,
            flags: half(6)?,
            sequence: word(8)?,
            port: word(12)?,
        };
        Some((header, rest))
    }
}

#[cfg(any(test, feature = "test-doubles"))]
impl Header {
    /// Appends it as it is.
    pub(super) fn put(self, buffer: &mut Vec<u8>) {
        buffer.extend(self.len.to_ne_bytes());
        buffer.extend(self.kind.to_ne_bytes());
        buffer.extend(self.flags.to_ne_bytes());
        buffer.extend(self.sequence.to_ne_bytes());
        buffer.extend(self.port.to_ne_bytes());
    }
}

/// The generation for which a batch was made, if its head says one.
///
/// # Errors
/// If its bytes are broken.
#[cfg(any(test, feature = "test-doubles"))]
pub fn batch_generation(begin: &Message<'_>) -> Result<Option<u32>, Malformed> {
    for attribute in attribute::Attributes::of("batch", begin.body) {
        let attribute = attribute?;
        if attribute.number() == BATCH_GENERATION {
            return attribute.u32().map(Some);
        }
    }
    Ok(None)
}

/// Appends a message of nf_tables: header, family, and what `body` writes.
///
/// A body with an attribute that is too long for its 16 bits of length is not sent in part: in its
/// place goes a message that the kernel refuses with "invalid argument", and the batch with it.
pub fn message(
    buffer: &mut Vec<u8>,
    kind: Kind,
    flags: u16,
    sequence: u32,
    family: Family,
    body: impl FnOnce(&mut Vec<u8>),
) {
    let header = Header {
        len: 0,
        kind: u16::from_be_bytes([NFTABLES, kind.0]),
        flags,
        sequence,
        port: 0,
    };
    put(buffer, header, (family, 0), body);
}

/// Appends the head of a batch; with a generation, the kernel refuses the batch with "restart" if
/// the ruleset is of another one by then.
pub fn batch_begin(buffer: &mut Vec<u8>, sequence: u32, generation: Option<u32>) {
    batch(buffer, Header::BATCH_BEGIN, 0, sequence, |buffer| {
        if let Some(generation) = generation {
            attribute::u32(buffer, BATCH_GENERATION, generation);
        }
    });
}

/// Appends the end of a batch, with flags beside `NLM_F_REQUEST`.
pub fn batch_end(buffer: &mut Vec<u8>, flags: u16, sequence: u32) {
    batch(buffer, Header::BATCH_END, flags, sequence, |_| {});
}

fn batch(
    buffer: &mut Vec<u8>,
    kind: u16,
    flags: u16,
    sequence: u32,
    body: impl FnOnce(&mut Vec<u8>),
) {
    let header = Header {
        len: 0,
        kind,
        flags: flags | REQUEST,
        sequence,
        port: 0,
    };
    put(
        buffer,
        header,
        (Family::Other(0), u16::from(NFTABLES)),
        body,
    );
}

pub(super) fn put(
    buffer: &mut Vec<u8>,
    header: Header,
    (family, resource): (Family, u16),
    body: impl FnOnce(&mut Vec<u8>),
) {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; 4]); // The length, below.
    buffer.extend_from_slice(&header.kind.to_ne_bytes());
    buffer.extend_from_slice(&header.flags.to_ne_bytes());
    buffer.extend_from_slice(&header.sequence.to_ne_bytes());
    buffer.extend_from_slice(&header.port.to_ne_bytes());
    buffer.extend_from_slice(&[family.number(), 0]);
    buffer.extend_from_slice(&resource.to_be_bytes());
    let attributes = buffer.len();
    body(buffer);
    let len = match u32::try_from(buffer.len() - start) {
        Ok(len) if attribute::whole(&buffer[attributes..]) => len,
        _ => {
            log::error!("a message of netlink is too long to be written: it will be refused");
            buffer.truncate(attributes);
            let refused = u16::from_be_bytes([NFTABLES, REFUSED]);
            buffer[start + 4..start + 6].copy_from_slice(&refused.to_ne_bytes());
            (Header::LEN + FAMILY) as u32
        }
    };
    buffer[start..start + 4].copy_from_slice(&len.to_ne_bytes());
}

/// A message, where it stands in a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// Its header.
    pub header: Header,
    /// What it is about; none if it is not of nf_tables: a reply, the end of a dump, the head of a
    /// batch, a flow.
    pub kind: Option<Kind>,
    /// The family it is about.
    pub family: Family,
    /// Its attributes; in messages of netlink itself, such as replies, all behind the header.
    pub body: &'a [u8],
    /// All of it.
    pub bytes: &'a [u8],
}

/// The messages in a datagram or a batch. A broken one ends them.
#[must_use]
pub fn messages(bytes: &[u8]) -> Messages<'_> {
    Messages { rest: bytes }
}

/// See [`messages`].
#[derive(Debug, Clone)]
pub struct Messages<'a> {
    rest: &'a [u8],
}

impl<'a> Messages<'a> {
    fn take(&mut self) -> Result<Message<'a>, Malformed> {
        let rest = std::mem::take(&mut self.rest);
        let broken = |told| Malformed::Message {
            told,
            there: rest.len(),
        };
        let (header, _) = Header::split(rest).ok_or_else(|| broken(0))?;
        let len = usize::try_from(header.len).map_err(|_| broken(header.len))?;
        let bytes = rest.get(..len).ok_or_else(|| broken(header.len))?;
        let payload = bytes.get(Header::LEN..).ok_or_else(|| broken(header.len))?;
        let message = if header.kind < Header::BATCH_BEGIN {
            Message {
                header,
                kind: None,
                family: Family::Other(0),
                body: payload,
                bytes,
            }
        } else {
            let [family, _, _, _, body @ ..] = payload else {
                return Err(broken(header.len));
            };
            let [subsystem, kind] = header.kind.to_be_bytes();
            Message {
                header,
                kind: (subsystem == NFTABLES).then_some(Kind(kind)),
                family: Family::from_number(*family),
                body,
                bytes,
            }
        };
        // The last one may stand without the zeros behind it.
        self.rest = rest.get(aligned(len)..).unwrap_or_default();
        Ok(message)
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        (!self.rest.is_empty()).then(|| self.take())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> Vec<u8> {
        let mut buffer = Vec::new();
        batch_begin(&mut buffer, 1, Some(0x0102_0304));
        message(
            &mut buffer,
            Kind::NEW_TABLE,
            0x401,
            2,
            Family::Ip6,
            |buffer| {
                attribute::text(buffer, 1, "t");
            },
        );
        batch_end(&mut buffer, 4, 3);
        buffer
    }

    #[test]
    fn a_batch_is_split_into_its_messages() {
        let buffer = batch();
        let read: Vec<Message<'_>> = messages(&buffer).map(Result::unwrap).collect();
        let [begin, table, end] = read[..] else {
            panic!("{read:?}");
        };
        assert_eq!(
            (begin.header.kind, begin.header.flags),
            (Header::BATCH_BEGIN, REQUEST)
        );
        assert_eq!(
            (begin.kind, begin.body),
            (None, &b"\x08\0\x01\0\x01\x02\x03\x04"[..])
        );
        // `res_id` names the subsystem, in network order.
        assert_eq!(begin.bytes[16..20], [0, 0, 0, NFTABLES]);
        assert_eq!(
            (table.kind, table.family),
            (Some(Kind::NEW_TABLE), Family::Ip6)
        );
        assert_eq!((table.header.kind, table.header.flags), (0x0a00, 0x401));
        // The text has two bytes, and two zeros behind it.
        assert_eq!((table.header.len, table.bytes.len()), (28, 28));
        assert_eq!((table.header.sequence, table.header.port), (2, 0));
        assert_eq!(end.header.kind, Header::BATCH_END);
        assert_eq!((end.header.flags, end.header.sequence), (REQUEST | 4, 3));
    }

    #[test]
    fn a_broken_one_ends_them() {
        let buffer = batch();
        for end in 29..buffer.len() {
            let read: Vec<_> = messages(&buffer[..end]).collect();
            let broken = read.iter().filter(|message| message.is_err()).count();
            let whole = matches!(end, 56);
            assert_eq!(broken, usize::from(!whole), "{end}");
            assert_eq!(read.last().unwrap().is_err(), !whole, "{end}");
        }
        for told in [0_u32, 15, 17, 1 << 31] {
            let mut buffer = batch();
            buffer[..4].copy_from_slice(&told.to_ne_bytes());
            let there = buffer.len();
            let broken = Err(Malformed::Message { told, there });
            assert_eq!(messages(&buffer).collect::<Vec<_>>(), [broken], "{told}");
        }
    }

    #[test]
    fn messages_of_netlink_itself_have_no_family() {
        let mut bytes = batch();
        bytes.truncate(28);
        bytes[4..6].copy_from_slice(&Header::DONE.to_ne_bytes());
        let done = messages(&bytes).next().unwrap().unwrap();
        assert_eq!((done.kind, done.body.len()), (None, 12));
    }

    #[test]
    fn what_is_too_long_is_refused_and_spoils_nothing_else() {
        let mut buffer = Vec::new();
        for len in [65_531, 65_532] {
            message(&mut buffer, Kind::DEL_TABLE, 1, 9, Family::Ip, |buffer| {
                attribute::bytes(buffer, 1, &vec![b'a'; len]);
            });
        }
        batch_end(&mut buffer, 0, 10);
        let read: Vec<Message<'_>> = messages(&buffer).map(Result::unwrap).collect();
        let kinds: Vec<Option<Kind>> = read.iter().map(|message| message.kind).collect();
        assert_eq!(kinds, [Some(Kind::DEL_TABLE), Some(Kind(REFUSED)), None]);
        assert_eq!((read[1].header.len, read[1].header.sequence), (20, 9));
        assert!(read[1].body.is_empty());
    }
}
