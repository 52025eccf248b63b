//! What questions to rtnetlink, and its answers, have in common.

use std::net::IpAddr;

use super::Header;
use super::message::put;
use crate::object::Family;

/// Appends the question for all that there is of a kind, of both families.
pub(super) fn question(buffer: &mut Vec<u8>, kind: u16, flags: u16) {
    let header = Header {
        len: 0,
        kind,
        flags,
        sequence: 0,
        port: 0,
    };
    put(buffer, header, (Family::Other(0), 0), |_| {});
}

/// rtnetlink's numbers are in the host's order.
pub(super) fn number(bytes: Option<&[u8]>) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes?.try_into().ok()?))
}

/// An address, by its length; none if it is of another kind than IPv4 and IPv6.
pub(super) fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    let v6 = || <[u8; 16]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| v6()).ok()
}
