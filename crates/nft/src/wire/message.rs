//! Messages: a header, the family, attributes.

use palisade_netlink::flags::REQUEST;
use palisade_netlink::nfnetlink::{self, BATCH_BEGIN, BATCH_END, NFTABLES};
use palisade_netlink::{Family, Header, Malformed};

use super::{Kind, attribute};

/// `NFNL_BATCH_GENID`.
const BATCH_GENERATION: u16 = 1;
/// The generation for which a batch was made, if its head says one.
///
/// # Errors
/// If its bytes are broken.
#[cfg(test)]
pub(crate) fn batch_generation(begin: &Message<'_>) -> Result<Option<u32>, Malformed> {
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
/// If the body has an attribute that is too long for its 16 bits of length, a message that the
/// kernel refuses with "invalid argument" takes its place: the kernel refuses the batch with it.
pub(crate) fn message(
    buffer: &mut Vec<u8>,
    kind: Kind,
    flags: u16,
    sequence: u32,
    family: Family,
    body: impl FnOnce(&mut Vec<u8>),
) {
    let header = Header::request(nfnetlink::kind(NFTABLES, kind.0), flags, sequence);
    nfnetlink::put(buffer, header, (family, 0), body);
}

/// Appends the head of a batch; with a generation, the kernel refuses the batch with "restart" if
/// the ruleset is of another one by then.
pub fn batch_begin(buffer: &mut Vec<u8>, sequence: u32, generation: Option<u32>) {
    batch(buffer, BATCH_BEGIN, 0, sequence, |buffer| {
        if let Some(generation) = generation {
            attribute::u32(buffer, BATCH_GENERATION, generation);
        }
    });
}

/// Appends the end of a batch, with flags beside `NLM_F_REQUEST`.
pub(crate) fn batch_end(buffer: &mut Vec<u8>, flags: u16, sequence: u32) {
    batch(buffer, BATCH_END, flags, sequence, |_| {});
}

fn batch(
    buffer: &mut Vec<u8>,
    kind: u16,
    flags: u16,
    sequence: u32,
    body: impl FnOnce(&mut Vec<u8>),
) {
    let header = Header::request(kind, flags | REQUEST, sequence);
    let resource = u16::from(NFTABLES);
    nfnetlink::put(buffer, header, (Family::Other(0), resource), body);
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

/// The messages in a datagram or a batch. A malformed one ends them.
#[must_use]
pub fn messages(bytes: &[u8]) -> Messages<'_> {
    Messages(palisade_netlink::messages(bytes))
}

/// See [`messages`].
#[derive(Debug, Clone)]
pub struct Messages<'a>(palisade_netlink::Messages<'a>);

impl<'a> Message<'a> {
    /// What a message of netlink says, if it is long enough.
    pub(crate) fn read(message: palisade_netlink::Message<'a>) -> Result<Self, Malformed> {
        let palisade_netlink::Message {
            header,
            payload,
            bytes,
        } = message;
        if header.kind < Header::FIRST_OF_PROTOCOL {
            return Ok(Self {
                header,
                kind: None,
                family: Family::Other(0),
                body: payload,
                bytes,
            });
        }
        let (family, body) = nfnetlink::split(&message)?;
        let [subsystem, kind] = header.kind.to_be_bytes();
        Ok(Self {
            header,
            kind: (subsystem == NFTABLES).then_some(Kind(kind)),
            family,
            body,
            bytes,
        })
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let message = self.0.next()?;
        Some(message.and_then(Message::read))
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
            (BATCH_BEGIN, REQUEST)
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
        assert_eq!(end.header.kind, BATCH_END);
        assert_eq!((end.header.flags, end.header.sequence), (REQUEST | 4, 3));
    }

    #[test]
    fn messages_of_netlink_itself_have_no_family() {
        let mut bytes = batch();
        bytes.truncate(28);
        bytes[4..6].copy_from_slice(&Header::DONE.to_ne_bytes());
        let done = messages(&bytes).next().unwrap().unwrap();
        assert_eq!((done.kind, done.body.len()), (None, 12));
    }
}
