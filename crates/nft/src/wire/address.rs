//! The host's own addresses, as rtnetlink tells of them: `linux/if_addr.h`.

use std::net::IpAddr;

use super::attribute::Attributes;
use super::rtnetlink::{address, number, question};
use super::{Header, Malformed, Message};
use crate::host::Address;

/// `RTM_NEWADDR`: an address.
pub const ADDRESS: u16 = 20;
/// `RTM_GETADDR`.
pub const GET: u16 = 22;

/// `IFA_ADDRESS`: the address, or that of the other end where there is one.
const ADDRESS_OR_PEER: u16 = 1;
/// `IFA_LOCAL`: the address of this end.
const LOCAL: u16 = 2;
/// The device's number, which stands between the family and the attributes.
const DEVICE: usize = 4;
/// `IFA_F_PERMANENT`, in the third byte of all.
const PERMANENT: u8 = 0x80;

/// Appends the question for addresses, of both families.
pub fn message(buffer: &mut Vec<u8>, flags: u16) {
    question(buffer, GET, flags);
}

/// Reads the body of an [`ADDRESS`]; none if it is of another kind than IPv4 and IPv6.
///
/// # Errors
///
/// If its bytes are broken.
pub fn decode(body: &[u8]) -> Result<Option<IpAddr>, Malformed> {
    let attributes = body.get(DEVICE..).unwrap_or_default();
    let (mut local, mut other) = (None, None);
    for attribute in Attributes::of("address", attributes) {
        let attribute = attribute?;
        match attribute.number() {
            LOCAL => local = address(attribute.bytes),
            ADDRESS_OR_PEER => other = address(attribute.bytes),
            _ => {}
        }
    }
    Ok(local.or(other))
}

/// Reads an [`ADDRESS`] with its interface; none if it is of another kind than IPv4 and IPv6.
///
/// # Errors
///
/// If its bytes are broken.
pub fn decode_whole(message: &Message<'_>) -> Result<Option<Address>, Malformed> {
    let Some(device) = number(message.body.get(..DEVICE)) else {
        return Ok(None);
    };
    // Behind the family stand the prefix and the flags.
    let head = |at| message.bytes.get(Header::LEN + at).copied().unwrap_or(0);
    let (prefix, flags) = (head(1), head(2));
    Ok(decode(message.body)?.map(|address| Address {
        address,
        prefix,
        device,
        is_permanent: flags & PERMANENT != 0,
    }))
}

#[cfg(test)]
mod tests {
    use super::super::{attribute, messages};
    use super::*;

    /// As `ip addr add` made them: one on a bridge, one of a tunnel's end, one of IPv6.
    #[test]
    fn this_end_and_not_the_other() {
        let body = |attributes: &[(u16, &[u8])]| {
            let mut body = vec![3, 0, 0, 0];
            for (number, bytes) in attributes {
                attribute::bytes(&mut body, *number, bytes);
            }
            body
        };
        let bridge = body(&[(1, &[10, 0, 0, 1]), (2, &[10, 0, 0, 1]), (3, b"virbr0\0")]);
        assert_eq!(decode(&bridge), Ok("10.0.0.1".parse().ok()));
        let tunnel = body(&[(1, &[10, 0, 0, 2]), (2, &[10, 0, 0, 1])]);
        assert_eq!(decode(&tunnel), Ok("10.0.0.1".parse().ok()));
        let mut v6 = [0; 16];
        (v6[0], v6[15]) = (0xfd, 1);
        assert_eq!(decode(&body(&[(1, &v6)])), Ok("fd00::1".parse().ok()));
        assert_eq!(decode(&body(&[(1, &[1; 6])])), Ok(None));
        assert_eq!(decode(&body(&[])), Ok(None));
        assert_eq!(decode(&[]), Ok(None));
        assert!(decode(&tunnel[..14]).is_err());
    }

    #[test]
    fn the_question_asks_for_all() {
        let mut buffer = Vec::new();
        message(&mut buffer, 0x301);
        let read = messages(&buffer).next().unwrap().unwrap();
        assert_eq!((read.header.kind, read.header.flags), (22, 0x301));
        assert_eq!((read.header.len, buffer[16]), (20, 0));
    }
}
