//! Acknowledgements and refusals of requests.

use crate::attribute::{Attributes, aligned};
use crate::{Header, Malformed, Message};

/// `NLM_F_CAPPED`: of the request, only the header is repeated.
const CAPPED: u16 = 0x100;
/// `NLM_F_ACK_TLVS`: attributes follow.
const ATTRIBUTES: u16 = 0x200;
/// `NLMSGERR_ATTR_MSG`.
const MESSAGE: u16 = 1;
/// `NLMSGERR_ATTR_OFFS`.
const OFFSET: u16 = 2;

/// The outcome of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    /// The error's number, such as 17 for `EEXIST`; 0 if all is well.
    pub error: i32,
    /// The header of the request.
    pub original: Header,
    /// The kernel's text about it, if there is one.
    pub message: Option<String>,
    /// Where the attribute at fault is in the request, counted from the first byte of the header.
    pub offset: Option<u32>,
}

/// Reads an acknowledgement or a refusal (`NLMSG_ERROR`).
///
/// # Errors
///
/// If it is none, or its bytes are malformed.
pub fn ack(message: &Message<'_>) -> Result<Ack, Malformed> {
    let Header {
        len, kind, flags, ..
    } = message.header;
    let broken = || Malformed::Message {
        told: len,
        there: message.bytes.len(),
    };
    if kind != Header::ERROR {
        return Err(Malformed::Type(kind));
    }
    let (error, rest) = message.payload.split_first_chunk().ok_or_else(broken)?;
    let error = i32::from_ne_bytes(*error);
    if error > 0 {
        return Err(Malformed::Error(error));
    }
    let (original, rest) = Header::split(rest).ok_or_else(broken)?;
    let mut ack = Ack {
        error: error.checked_neg().ok_or(Malformed::Error(error))?,
        original,
        message: None,
        offset: None,
    };
    if flags & ATTRIBUTES != 0 {
        let attributes = if flags & CAPPED != 0 {
            Some(rest)
        } else {
            behind(original, rest)
        };
        ack.read(attributes.ok_or_else(broken)?)?;
    }
    Ok(ack)
}

/// Appends an acknowledgement or a refusal, as the kernel writes it: the header of the request is
/// repeated, the rest is not.
#[cfg(any(test, feature = "test-doubles"))]
pub fn encode_ack(original: Header, error: i32, buffer: &mut Vec<u8>) {
    let header = Header {
        len: (Header::LEN + 4 + Header::LEN) as u32,
        kind: Header::ERROR,
        flags: CAPPED,
        ..original
    };
    header.put(buffer);
    buffer.extend(error.wrapping_neg().to_ne_bytes());
    original.put(buffer);
}

/// Appends the end of a dump, as the kernel does.
#[cfg(any(test, feature = "test-doubles"))]
pub fn encode_done(original: Header, buffer: &mut Vec<u8>) {
    let header = Header {
        len: (Header::LEN + 4) as u32,
        kind: Header::DONE,
        ..original
    };
    header.put(buffer);
    buffer.extend([0; 4]);
}

/// The bytes behind a request that is repeated whole.
fn behind(original: Header, rest: &[u8]) -> Option<&[u8]> {
    let len = usize::try_from(original.len).ok()?;
    rest.get(aligned(len.checked_sub(Header::LEN)?)..)
}

impl Ack {
    fn read(&mut self, attributes: &[u8]) -> Result<(), Malformed> {
        for attribute in Attributes::of("reply", attributes) {
            let attribute = attribute?;
            match attribute.number() {
                MESSAGE => self.message = Some(attribute.text()),
                // In the host's order, as all numbers of netlink itself.
                OFFSET => self.offset = Some(attribute.u32()?.swap_bytes()),
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{attribute, message, messages};

    /// A reply to a message with one attribute of `len` bytes and no zeros behind it, as the kernel
    /// puts it together.
    fn reply(error: i32, flags: u16, len: usize) -> Vec<u8> {
        let mut request = Vec::new();
        let header = Header::request(0x0a00, 5, 7);
        message::put(&mut request, header, &[2, 0, 0, 0], |buffer| {
            attribute::bytes(buffer, 1, &vec![b'x'; len]);
        });
        let told = 16 + 4 + 4 + u32::try_from(len).unwrap();
        request[..4].copy_from_slice(&told.to_ne_bytes());
        let mut bytes = vec![0; 4];
        bytes.extend(Header::ERROR.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend([0; 8]);
        bytes.extend(error.to_ne_bytes());
        let repeated = if flags & CAPPED == 0 {
            &request
        } else {
            &request[..16]
        };
        bytes.extend(repeated);
        if flags & ATTRIBUTES != 0 {
            attribute::bytes(&mut bytes, 5, &[]); // Something else.
            attribute::text(&mut bytes, MESSAGE, "no such thing");
            attribute::bytes(&mut bytes, OFFSET, &20_u32.to_ne_bytes());
        }
        let len = u32::try_from(bytes.len()).unwrap();
        bytes[..4].copy_from_slice(&len.to_ne_bytes());
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Ack, Malformed> {
        ack(&messages(bytes).next().unwrap().unwrap())
    }

    #[test]
    fn the_request_is_repeated_whole_or_not() {
        for (flags, told) in [
            (0, false),
            (CAPPED, false),
            (ATTRIBUTES, true),
            (0x300, true),
        ] {
            for len in 0..5 {
                let ack = read(&reply(-17, flags, len)).unwrap();
                assert_eq!(ack.error, 17);
                assert_eq!((ack.original.sequence, ack.original.flags), (7, 5));
                assert_eq!(
                    ack.message.as_deref(),
                    told.then_some("no such thing"),
                    "{flags} {len}"
                );
                assert_eq!(ack.offset, told.then_some(20));
            }
        }
        assert_eq!(read(&reply(0, CAPPED, 4)).unwrap().error, 0);
    }

    #[test]
    fn no_reply_is_no_ack() {
        let mut bytes = reply(0, CAPPED, 4);
        assert_eq!(read(&reply(5, 0, 4)), Err(Malformed::Error(5)));
        assert_eq!(
            read(&reply(i32::MIN, 0, 4)),
            Err(Malformed::Error(i32::MIN))
        );
        bytes[4..6].copy_from_slice(&Header::DONE.to_ne_bytes());
        assert_eq!(read(&bytes), Err(Malformed::Type(Header::DONE)));
    }

    #[test]
    fn one_that_is_cut_off_is_broken() {
        let bytes = reply(-1, ATTRIBUTES, 4);
        // The last attribute has eight bytes; before it, the others are whole.
        let whole = [bytes.len() - 8, bytes.len() - 8 - 20, bytes.len() - 8 - 24];
        for end in 17..bytes.len() {
            let mut cut = bytes[..end].to_vec();
            cut[..4].copy_from_slice(&u32::try_from(end).unwrap().to_ne_bytes());
            // Zeros behind a text may be missing.
            let sound =
                whole.contains(&end) || (bytes.len() - 8 - 2..bytes.len() - 8).contains(&end);
            assert_eq!(read(&cut).is_ok(), sound, "{end} of {}", bytes.len());
        }
    }
}
