//! The host's routes, as rtnetlink tells of them: `linux/rtnetlink.h`.

use std::net::IpAddr;

use ipnet::IpNet;

use super::attribute::Attributes;
use super::rtnetlink::{address, number, question};
use super::{Header, Malformed, Message};
use crate::host::{Route, RouteKind};
use crate::object::Family;

/// `RTM_NEWROUTE`: a route.
pub const ROUTE: u16 = 24;
/// `RTM_GETROUTE`.
const GET: u16 = 26;

/// `RTA_DST`.
const DESTINATION: u16 = 1;
/// `RTA_OIF`: the number of the interface that it leads through.
const DEVICE: u16 = 4;
/// `RTA_GATEWAY`.
const GATEWAY: u16 = 5;
/// `RTA_MULTIPATH`: several ways, of which each has a head of 8 bytes.
const WAYS: u16 = 9;
const WAY: usize = 8;
/// `RTA_TABLE`: numbers above 255 do not fit into the head.
const TABLE: u16 = 15;
/// What stands behind the family and the lengths: table, origin, scope, kind, and flags.
const HEAD: usize = 8;
/// `RTM_F_CLONED`: an entry of a cache.
const CLONED: u32 = 0x200;
/// `RTPROT_RA`: learned from a router's advertisement.
const ADVERTISED: u8 = 9;

/// Appends the question for all routes, of both families.
pub fn message(buffer: &mut Vec<u8>, flags: u16) {
    question(buffer, GET, flags);
}

/// Reads a [`ROUTE`]; none if it is of another kind than IPv4 and IPv6, or of a cache.
///
/// # Errors
/// If its bytes are broken.
pub fn decode(message: &Message<'_>) -> Result<Option<Route>, Malformed> {
    let any: IpAddr = match message.family {
        Family::Ip => [0u8; 4].into(),
        Family::Ip6 => [0u8; 16].into(),
        _ => return Ok(None),
    };
    let body = message.body;
    let (Some(&prefix), Some(&[table, origin, _, kind]), Some(flags)) = (
        message.bytes.get(Header::LEN + 1),
        body.first_chunk(),
        number(body.get(4..8)),
    ) else {
        return Ok(None);
    };
    if flags & CLONED != 0 {
        return Ok(None);
    }
    let (mut destination, mut gateway, mut devices) = (any, None, Vec::new());
    let mut table = u32::from(table);
    for attribute in Attributes::of("route", body.get(HEAD..).unwrap_or_default()) {
        let attribute = attribute?;
        match attribute.number() {
            DESTINATION => destination = address(attribute.bytes).unwrap_or(any),
            DEVICE => devices.extend(number(Some(attribute.bytes))),
            GATEWAY => gateway = address(attribute.bytes),
            TABLE => table = number(Some(attribute.bytes)).unwrap_or(table),
            WAYS => devices.extend(ways(attribute.bytes)),
            _ => {}
        }
    }
    let Ok(destination) = IpNet::new(destination, prefix) else {
        return Ok(None);
    };
    Ok(Some(Route {
        destination,
        devices,
        gateway,
        table,
        kind: RouteKind(kind),
        is_advertised: origin == ADVERTISED,
    }))
}

/// The devices of several ways: each begins with its length, and its device stands at 4.
fn ways(bytes: &[u8]) -> Vec<u32> {
    let mut devices = Vec::new();
    let mut rest = bytes;
    while let Some(head) = rest.get(..WAY) {
        devices.extend(number(head.get(4..8)));
        let len = usize::from(u16::from_ne_bytes([head[0], head[1]]));
        rest = rest
            .get(len.max(WAY).next_multiple_of(4)..)
            .unwrap_or_default();
    }
    devices
}

#[cfg(test)]
mod tests {
    use super::super::{attribute, messages};
    use super::*;

    /// As the kernel tells of `ip route add 10.20.0.0/16 via 192.0.2.9 dev eth0 table 1000`.
    fn bytes() -> Vec<u8> {
        let mut bytes = vec![0, 0, 0, 0, 24, 0, 2, 0];
        bytes.extend([0; 8]);
        bytes.extend([2, 16, 0, 0, 252, 3, 0, 1, 0, 0, 0, 0]);
        attribute::bytes(&mut bytes, TABLE, &1000u32.to_ne_bytes());
        attribute::bytes(&mut bytes, DESTINATION, &[10, 20, 0, 0]);
        attribute::bytes(&mut bytes, GATEWAY, &[192, 0, 2, 9]);
        attribute::bytes(&mut bytes, DEVICE, &2u32.to_ne_bytes());
        let len = u32::try_from(bytes.len()).unwrap();
        bytes[..4].copy_from_slice(&len.to_ne_bytes());
        bytes
    }

    #[test]
    fn a_route_with_its_table() {
        let bytes = bytes();
        let message = messages(&bytes).next().unwrap().unwrap();
        let route = decode(&message).unwrap().unwrap();
        assert_eq!(route.destination.to_string(), "10.20.0.0/16");
        assert_eq!(route.gateway, "192.0.2.9".parse().ok());
        assert_eq!((route.devices.as_slice(), route.table), (&[2][..], 1000));
        assert_eq!(route.kind, RouteKind::UNICAST);
        assert!(!route.is_advertised);
    }

    #[test]
    fn several_ways_and_broken_ones() {
        let mut two = Vec::new();
        for device in [5u32, 6] {
            two.extend([8, 0, 0, 0]);
            two.extend(device.to_ne_bytes());
        }
        assert_eq!(ways(&two), [5, 6]);
        for end in 0..two.len() {
            let _ = ways(&two[..end]);
        }
        assert_eq!(ways(&[0; 8]), [0]);
        let bytes = bytes();
        for end in 20..bytes.len() {
            let mut cut = bytes[..end].to_vec();
            cut[..4].copy_from_slice(&u32::try_from(end).unwrap().to_ne_bytes());
            if let Some(Ok(message)) = messages(&cut).next() {
                let _ = decode(&message);
            }
        }
    }
}
