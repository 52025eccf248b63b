//! Replies: what became of a request.

use super::attribute::{Attributes, aligned};
use super::{Header, Malformed, Message};

/// `NLM_F_CAPPED`: of the request, only the header is repeated.
const CAPPED: u16 = 0x100;
/// `NLM_F_ACK_TLVS`: attributes follow.
const ATTRIBUTES: u16 = 0x200;
/// `NLMSGERR_ATTR_MSG`.
const MESSAGE: u16 = 1;
/// `NLMSGERR_ATTR_OFFS`.
const OFFSET: u16 = 2;

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    /// The error's number, such as 17 for `EEXIST`; 0 if all is well.
    pub error: i32,
    /// The header of the request.
    pub original: Header,
    /// What the kernel says about it in words, if anything.
    pub message: Option<String>,
    /// Where in the request the attribute stands that it is about, from the first byte of the
    /// header.
    pub offset: Option<u32>,
}

/// What a reply (`NLMSG_ERROR`) says.
///
/// # Errors
///
/// If it is no reply, or its bytes are broken.
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
    let (error, rest) = message.body.split_first_chunk().ok_or_else(broken)?;
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

/// What stands behind a request that is repeated whole.
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
                // In the host's order, as all of netlink itself.
                OFFSET => self.offset = Some(attribute.u32()?.swap_bytes()),
                _ => {}
            }
        }
        Ok(())
    }
}
