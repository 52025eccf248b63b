//! Addresses of the host: `linux/if_addr.h`.

use std::net::IpAddr;

use super::request::{address, dump, number};
use crate::attribute::Attributes;
use crate::{Malformed, Message};

/// `RTM_NEWADDR`: an address.
pub(crate) const ADDRESS: u16 = 20;
/// `RTM_GETADDR`.
pub(crate) const GET: u16 = 22;

/// `IFA_ADDRESS`: the address, or that of the other end where there is one.
const ADDRESS_OR_PEER: u16 = 1;
/// `IFA_LOCAL`: the address of this end.
const LOCAL: u16 = 2;
/// `struct ifaddrmsg` before the attributes: family, prefix, flags, scope, interface.
const HEAD: usize = 8;
/// `IFA_F_PERMANENT`.
const PERMANENT: u8 = 0x80;

/// An address of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub address: IpAddr,
    /// The length of its prefix.
    pub prefix: u8,
    /// The number of its interface.
    pub device: u32,
    /// Whether it was assigned permanently; otherwise it was learned and expires.
    pub is_permanent: bool,
}

/// Appends the request for all addresses, of both families.
pub(crate) fn request(buffer: &mut Vec<u8>) {
    dump(buffer, GET);
}

/// Reads an address; none if the message is about none, or about one of another kind than IPv4 and
/// IPv6.
///
/// # Errors
/// If its bytes are malformed.
pub(crate) fn decode(message: &Message<'_>) -> Result<Option<Address>, Malformed> {
    let body = message.payload;
    let (ADDRESS, Some(&[_, prefix, flags, _]), Some(device)) = (
        message.header.kind,
        body.first_chunk(),
        number(body.get(4..HEAD)),
    ) else {
        return Ok(None);
    };
    let (mut local, mut other) = (None, None);
    for attribute in Attributes::of("address", &body[HEAD..]) {
        let attribute = attribute?;
        match attribute.number() {
            LOCAL => local = address(attribute.bytes),
            ADDRESS_OR_PEER => other = address(attribute.bytes),
            _ => {}
        }
    }
    Ok(local.or(other).map(|address| Address {
        address,
        prefix,
        device,
        is_permanent: flags & PERMANENT != 0,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Header, attribute, message, messages};

    /// As `ip addr add` made them: one on a bridge, one of a tunnel's end, one of IPv6.
    #[test]
    fn this_end_and_not_the_other() {
        let read = |attributes: &[(u16, &[u8])]| {
            let (mut bytes, head) = (Vec::new(), [2, 24, 0x80, 0, 3, 0, 0, 0]);
            message::put(&mut bytes, Header::request(ADDRESS, 2, 0), &head, |body| {
                for (number, bytes) in attributes {
                    attribute::bytes(body, *number, bytes);
                }
            });
            let message = messages(&bytes).next().unwrap().unwrap();
            for end in 0..message.payload.len() {
                let payload = &message.payload[..end];
                let _ = decode(&Message { payload, ..message }); // Nothing panics.
            }
            decode(&message).unwrap()
        };
        let bridge = [
            (1, &[10, 0, 0, 1][..]),
            (2, &[10, 0, 0, 1]),
            (3, b"virbr0\0"),
        ];
        let expected = Address {
            address: [10, 0, 0, 1].into(),
            prefix: 24,
            device: u32::from_ne_bytes([3, 0, 0, 0]),
            is_permanent: true,
        };
        assert_eq!(read(&bridge), Some(expected));
        let address = |attributes: &[(u16, &[u8])]| {
            let read = read(attributes);
            read.map(|read| read.address.to_string())
        };
        let tunnel = [(1, &[10, 0, 0, 2][..]), (2, &[10, 0, 0, 1])];
        assert_eq!(address(&tunnel).as_deref(), Some("10.0.0.1"));
        let mut v6 = [0; 16];
        (v6[0], v6[15]) = (0xfd, 1);
        assert_eq!(address(&[(1, &v6)]).as_deref(), Some("fd00::1"));
        assert_eq!(address(&[(1, &[1; 6])]), None);
        assert_eq!(address(&[]), None);
    }

    #[test]
    fn the_request_is_for_all() {
        let mut buffer = Vec::new();
        request(&mut buffer);
        let read = messages(&buffer).next().unwrap().unwrap();
        assert_eq!((read.header.kind, read.header.flags), (22, 0x301));
        assert_eq!((read.header.len, buffer[16]), (20, 0));
    }
}
