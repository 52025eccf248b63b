//! Routes: `linux/rtnetlink.h`.

use std::net::IpAddr;

use ipnet::IpNet;

use super::request::{address, dump, number};
use crate::attribute::Attributes;
use crate::{Family, Malformed, Message};

/// `RTM_NEWROUTE`: a route.
pub(super) const ROUTE: u16 = 24;
/// `RTM_GETROUTE`.
pub(super) const GET: u16 = 26;

/// `RTA_DST`.
pub(super) const DESTINATION: u16 = 1;
/// `RTA_OIF`: the number of the outgoing interface.
pub(super) const DEVICE: u16 = 4;
/// `RTA_GATEWAY`.
pub(super) const GATEWAY: u16 = 5;
/// `RTA_MULTIPATH`: several next hops, each with a head of 8 bytes.
const WAYS: u16 = 9;
const WAY: usize = 8;
/// `RTA_TABLE`: numbers above 255 do not fit into the head.
pub(super) const TABLE: u16 = 15;
/// `struct rtmsg` before the attributes: family, prefixes of destination and source, tos, table,
/// origin, scope, kind, flags.
pub(super) const HEAD: usize = 12;
/// `RTM_F_CLONED`: an entry of a cache.
const CLONED: u32 = 0x200;
/// `RTPROT_RA`: learned from a router's advertisement.
const ADVERTISED: u8 = 9;

/// A route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The destination.
    pub destination: IpNet,
    /// The numbers of its outgoing interfaces.
    pub devices: Vec<u32>,
    /// The gateway, if there is one.
    pub gateway: Option<IpAddr>,
    /// The number of its table: 254 main, 255 local.
    pub table: u32,
    /// What it does.
    pub kind: RouteKind,
    /// Whether it was learned from a router's advertisement.
    pub is_advertised: bool,
}

/// `RT_TABLE_DEFAULT`, `RT_TABLE_MAIN`, `RT_TABLE_LOCAL`.
const USUAL: [u32; 3] = [253, 254, 255];

impl Route {
    /// Whether its table is one that the kernel looks up for every packet, unless rules of policy routing
    /// come before.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        USUAL.contains(&self.table)
    }
}

/// What a route does: `RTN_*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteKind(pub u8);

impl RouteKind {
    /// To a gateway or a link.
    pub const UNICAST: Self = Self(1);
    /// To the host itself.
    pub const LOCAL: Self = Self(2);
    /// To everybody on a link.
    pub const BROADCAST: Self = Self(3);
    /// Nowhere, without a word.
    pub const BLACKHOLE: Self = Self(6);
    /// Nowhere: "host unreachable".
    pub const UNREACHABLE: Self = Self(7);
    /// Nowhere: "administratively prohibited".
    pub const PROHIBIT: Self = Self(8);
    /// To the next rule of policy routing.
    pub const THROW: Self = Self(9);
}

/// Appends the request for all routes, of both families.
pub(super) fn request(buffer: &mut Vec<u8>) {
    dump(buffer, GET);
}

/// Reads a route; none if the message is about none, about one of another kind than IPv4 and IPv6,
/// or about an entry of a cache.
///
/// # Errors
/// If its bytes are malformed.
pub(super) fn decode(message: &Message<'_>) -> Result<Option<Route>, Malformed> {
    let body = message.payload;
    let (ROUTE, Some(&[family, prefix, _, _, table, origin, _, kind]), Some(flags)) = (
        message.header.kind,
        body.first_chunk(),
        number(body.get(8..HEAD)),
    ) else {
        return Ok(None);
    };
    let any: IpAddr = match Family::from_number(family) {
        Family::Ip => [0u8; 4].into(),
        Family::Ip6 => [0u8; 16].into(),
        _ => return Ok(None),
    };
    if flags & CLONED != 0 {
        return Ok(None);
    }
    let (mut destination, mut gateway, mut devices) = (any, None, Vec::new());
    let mut table = u32::from(table);
    for attribute in Attributes::of("route", &body[HEAD..]) {
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

/// The devices of several next hops: each begins with its length, and has its device at byte 4.
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
    use super::*;
    use crate::{attribute, messages};

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
