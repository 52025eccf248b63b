//! Parts that requests to rtnetlink, and its replies, share.

use std::net::IpAddr;

use crate::{Header, flags, message};

/// Appends the request for all objects of a kind, of both families.
pub(super) fn dump(buffer: &mut Vec<u8>, kind: u16) {
    let header = Header::request(kind, flags::REQUEST | flags::DUMP, 0);
    // `struct rtgenmsg`, padded: any family.
    message::put(buffer, header, &[0; 4], |_| {});
}

/// A number of rtnetlink, which is in the host's order.
pub(super) fn number(bytes: Option<&[u8]>) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes?.try_into().ok()?))
}

/// An address, by its length; none if it is of another kind than IPv4 and IPv6.
pub(super) fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    let v6 = || <[u8; 16]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| v6()).ok()
}
