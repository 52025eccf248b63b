//! The queueing discipline `clsact`, from which filters of an interface hang.

use super::head::{CLSACT, Head, KIND};
use crate::attribute::{self, Attributes};
use crate::{Header, Malformed, Message, flags, message};

/// `RTM_NEWQDISC`, `RTM_DELQDISC` and `RTM_GETQDISC`.
const NEW: u16 = 36;
const DELETE: u16 = 37;
const GET: u16 = 38;
/// Its handle.
const HANDLE: u32 = 0xffff_0000;
const NAME: &str = "clsact";
/// `NLM_F_ECHO`: before Linux 6.6, only who listens is answered without it.
const ECHO: u16 = 0x8;

fn head(link: u32) -> Head {
    Head {
        link,
        handle: HANDLE,
        parent: CLSACT,
        info: 0,
    }
}

/// Appends the request for what is attached where `clsact` would be.
pub(super) fn get(buffer: &mut Vec<u8>, link: u32) {
    let header = Header::request(GET, flags::REQUEST | ECHO, 0);
    message::put(buffer, header, &head(link).bytes(), |_| {});
}

/// Appends the request to add it; the kernel refuses if something is there.
pub(super) fn add(buffer: &mut Vec<u8>, link: u32) {
    let how = flags::REQUEST | flags::ACK | flags::EXCLUSIVE | flags::CREATE;
    let header = Header::request(NEW, how, 0);
    message::put(buffer, header, &head(link).bytes(), |body| {
        attribute::text(body, KIND, NAME);
    });
}

/// Appends the request to delete it.
pub(super) fn delete(buffer: &mut Vec<u8>, link: u32) {
    let header = Header::request(DELETE, flags::REQUEST | flags::ACK, 0);
    message::put(buffer, header, &head(link).bytes(), |body| {
        attribute::text(body, KIND, NAME);
    });
}

/// Whether a reply is about a `clsact`; none if it is about something else.
///
/// # Errors
/// If its bytes are malformed.
pub(super) fn decode(message: &Message<'_>) -> Result<Option<bool>, Malformed> {
    let (NEW, Some((head, rest))) = (message.header.kind, Head::split(message.payload)) else {
        return Ok(None);
    };
    let mut is_clsact = false;
    for attribute in Attributes::of("queueing discipline", rest) {
        let attribute = attribute?;
        is_clsact |= attribute.number() == KIND && attribute.text() == NAME;
    }
    Ok((head.handle == HANDLE).then_some(is_clsact))
}

#[cfg(test)]
mod tests {
    use super::super::filter::tests::{Golden, attributes};
    use super::*;
    use crate::messages;

    /// `strace -xx -e trace=sendmsg tc qdisc add dev br0 clsact`, iproute2 6.1, `br0` number 2.
    #[test]
    fn it_is_added_as_tc_does() {
        let mut bytes = Vec::new();
        add(&mut bytes, 2);
        let message = messages(&bytes).next().unwrap().unwrap();
        let expected = Golden {
            kind: 36,
            flags: 0x605,
            head: [0, 2, 0xffff_0000, 0xffff_fff1, 0],
            attributes: vec![(vec![1], b"clsact\0".to_vec())],
        };
        assert_eq!(attributes(&message, &[]), expected);
        let reply = Message {
            header: Header {
                kind: NEW,
                ..message.header
            },
            ..message
        };
        assert_eq!(decode(&reply), Ok(Some(true)));
        for end in 0..reply.payload.len() {
            let payload = &reply.payload[..end];
            let _ = decode(&Message { payload, ..reply }); // Nothing panics.
        }
    }
}
