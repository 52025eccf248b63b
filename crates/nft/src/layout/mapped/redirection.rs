//! Where elements of forwards lead, and the parts of keys that say so: addresses and ports, each padded to
//! a register.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use palisade_core::network::Family;

/// The value of an element that leads to this address and port.
pub(super) fn value(address: IpAddr, port: u16) -> Vec<u8> {
    let mut value = Vec::with_capacity(20);
    put_address(&mut value, address);
    put_port(&mut value, port);
    value
}

/// The inverse of [`value`].
pub(super) fn read(family: Family, mut value: &[u8]) -> Option<(IpAddr, u16)> {
    let address = take_address(&mut value, family)?;
    let port = take_port(&mut value)?;
    value.is_empty().then_some((address, port))
}

pub(super) fn put_address(bytes: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(address) => bytes.extend(address.octets()),
        IpAddr::V6(address) => bytes.extend(address.octets()),
    }
}

pub(super) fn put_port(bytes: &mut Vec<u8>, port: u16) {
    bytes.extend(port.to_be_bytes());
    bytes.extend([0, 0]);
}

pub(super) fn take_address(bytes: &mut &[u8], family: Family) -> Option<IpAddr> {
    match family {
        Family::Ipv4 => {
            let (octets, rest) = bytes.split_first_chunk::<4>()?;
            *bytes = rest;
            Some(Ipv4Addr::from(*octets).into())
        }
        Family::Ipv6 => {
            let (octets, rest) = bytes.split_first_chunk::<16>()?;
            *bytes = rest;
            Some(Ipv6Addr::from(*octets).into())
        }
    }
}

pub(super) fn take_port(bytes: &mut &[u8]) -> Option<u16> {
    let (&[high, low, 0, 0], rest) = bytes.split_first_chunk::<4>()? else {
        return None;
    };
    *bytes = rest;
    Some(u16::from_be_bytes([high, low]))
}
