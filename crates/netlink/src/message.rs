//! Messages: a header, and a payload that depends on the protocol.

use crate::attribute::{self, aligned};
use crate::{Header, Malformed};

/// The lower byte of a type that no kind of message has, in rtnetlink and in each subsystem of
/// netfilter: the kernel refuses it.
const REFUSED: u16 = 0xff;

/// Appends a message: the header, the protocol's fixed head, and the attributes that `attributes`
/// writes. The header's length is computed.
///
/// A message with an attribute that is too long for its 16 bits of length is not sent in part: a
/// message that the kernel refuses takes its place.
pub(crate) fn put(
    buffer: &mut Vec<u8>,
    header: Header,
    head: &[u8],
    attributes: impl FnOnce(&mut Vec<u8>),
) {
    let start = buffer.len();
    header.put(buffer);
    buffer.extend_from_slice(head);
    let first = buffer.len();
    attributes(buffer);
    let mut len = u32::try_from(buffer.len() - start).ok();
    if !attribute::whole(&buffer[first..]) {
        len = None;
    }
    let len = len.unwrap_or_else(|| {
        log::error!("a netlink message is too long to be written: the kernel will refuse it");
        buffer.truncate(first);
        buffer[start + 4..start + 6].copy_from_slice(&(header.kind | REFUSED).to_ne_bytes());
        (Header::LEN + head.len()) as u32
    });
    buffer[start..start + 4].copy_from_slice(&len.to_ne_bytes());
}

/// A message, where it is in a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// Its header.
    pub header: Header,
    /// The bytes behind the header.
    pub payload: &'a [u8],
    /// All of its bytes.
    pub bytes: &'a [u8],
}

/// The messages in a datagram or a batch. A malformed one ends them.
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
        let malformed = |told| Malformed::Message {
            told,
            there: rest.len(),
        };
        let (header, _) = Header::split(rest).ok_or_else(|| malformed(0))?;
        let len = usize::try_from(header.len).map_err(|_| malformed(header.len))?;
        let bytes = rest.get(..len).ok_or_else(|| malformed(header.len))?;
        let payload = bytes
            .get(Header::LEN..)
            .ok_or_else(|| malformed(header.len))?;
        // The last one may come without padding.
        self.rest = rest.get(aligned(len)..).unwrap_or_default();
        Ok(Message {
            header,
            payload,
            bytes,
        })
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

    fn two() -> Vec<u8> {
        let mut buffer = Vec::new();
        put(
            &mut buffer,
            Header::request(0x0a00, 0x401, 2),
            &[10, 0, 0, 0],
            |buffer| {
                attribute::text(buffer, 1, "t");
            },
        );
        put(&mut buffer, Header::request(17, 1, 3), &[0; 4], |_| {});
        buffer
    }

    #[test]
    fn two_in_a_datagram() {
        let buffer = two();
        let read: Vec<Message<'_>> = messages(&buffer).map(Result::unwrap).collect();
        let [first, second] = read[..] else {
            panic!("{read:?}");
        };
        let header = Header {
            len: 28,
            ..Header::request(0x0a00, 0x401, 2)
        };
        assert_eq!((first.header, first.bytes.len()), (header, 28));
        // The text has two bytes, and two of padding.
        assert_eq!(first.payload, b"\x0a\0\0\0\x06\0\x01\0t\0\0\0");
        assert_eq!((second.header.kind, second.header.len), (17, 20));
    }

    #[test]
    fn a_malformed_one_ends_them() {
        let buffer = two();
        for end in 1..buffer.len() {
            let read: Vec<_> = messages(&buffer[..end]).collect();
            assert_eq!(read.last().unwrap().is_err(), end != 28, "{end}");
            assert_eq!(read.len(), if end <= 28 { 1 } else { 2 }, "{end}");
        }
        for told in [0_u32, 15, 49, 1 << 31] {
            let mut buffer = two();
            buffer[..4].copy_from_slice(&told.to_ne_bytes());
            let there = buffer.len();
            let malformed = Err(Malformed::Message { told, there });
            assert_eq!(messages(&buffer).collect::<Vec<_>>(), [malformed], "{told}");
        }
    }

    #[test]
    fn a_message_that_is_too_long_is_refused_and_spoils_no_other() {
        let mut buffer = Vec::new();
        for len in [65_531, 65_532] {
            put(
                &mut buffer,
                Header::request(0x0a02, 1, 9),
                &[2, 0, 0, 0],
                |buffer| {
                    attribute::bytes(buffer, 1, &vec![b'a'; len]);
                },
            );
        }
        put(&mut buffer, Header::request(17, 1, 10), &[0; 4], |_| {});
        let read: Vec<Message<'_>> = messages(&buffer).map(Result::unwrap).collect();
        let kinds = read.iter().map(|message| message.header.kind);
        assert_eq!(kinds.collect::<Vec<_>>(), [0x0a02, 0x0aff, 17]);
        assert_eq!((read[1].header.len, read[1].header.sequence), (20, 9));
        assert_eq!(read[1].payload, [2, 0, 0, 0]);
    }
}
