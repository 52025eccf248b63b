//! Fields of packets, and what is known beside them: their names in nft, and how values are written.

use std::fmt;

use super::super::value::{write_hex, write_value};
use super::super::{End, Field, Origin};
use super::context::{Context, LINK};
use super::format::{
    DIRECTIONS, ETHER_TYPES, FAMILIES, Format, HARDWARE, ICMP_TYPES, ICMPV6_TYPES, PACKETS,
    PROTOCOLS, STATES, STATUS, TCP_FLAGS,
};
use super::protocol::{ICMP, ICMPV6, TCP, UDP, WITH_PORTS};
use crate::object::{DataType, Family, PayloadBase};

/// The name of a field, and how its values are written; none if nft has no name for it that we know.
pub(super) fn known(origin: Origin, context: Context) -> Option<(String, Format)> {
    let (name, format) = match origin {
        Origin::Meta(key) => of_meta(key.0)?,
        Origin::Conntrack(key) => of_conntrack(key.0)?,
        Origin::Fib(..) => return None,
        Origin::Payload { base, offset, len } => return of_header(base, (offset, len), context),
    };
    Some((name.to_owned(), format))
}

/// `enum nft_meta_keys`.
fn of_meta(key: u32) -> Option<(&'static str, Format)> {
    Some(match key {
        0 => ("meta length", Format::Host),
        1 => ("meta protocol", ETHER_TYPES),
        2 => ("meta priority", Format::Priority),
        3 => ("meta mark", Format::Mark),
        4 => ("iif", Format::Host),
        5 => ("oif", Format::Host),
        6 => ("iifname", Format::Name),
        7 => ("oifname", Format::Name),
        8 => ("meta iiftype", HARDWARE),
        9 => ("meta oiftype", HARDWARE),
        10 => ("meta skuid", Format::Host),
        11 => ("meta skgid", Format::Host),
        13 => ("meta rtclassid", Format::Host),
        15 => ("meta nfproto", FAMILIES),
        16 => ("meta l4proto", PROTOCOLS),
        17 => ("meta ibrname", Format::Name),
        18 => ("meta obrname", Format::Name),
        19 => ("meta pkttype", PACKETS),
        20 => ("meta cpu", Format::Host),
        21 => ("iifgroup", Format::Host),
        22 => ("oifgroup", Format::Host),
        23 => ("meta cgroup", Format::Host),
        26 => ("meta iifkind", Format::Name),
        27 => ("meta oifkind", Format::Name),
        _ => return None,
    })
}

/// `enum nft_ct_keys`.
fn of_conntrack(key: u32) -> Option<(&'static str, Format)> {
    Some(match key {
        0 => ("ct state", STATES),
        1 => ("ct direction", DIRECTIONS),
        2 => ("ct status", STATUS),
        3 => ("ct mark", Format::Mark),
        5 => ("ct expiration", Format::Time),
        6 => ("ct helper", Format::Name),
        7 => ("ct l3proto", FAMILIES),
        10 => ("ct protocol", PROTOCOLS),
        17 => ("ct zone", Format::Host),
        23 => ("ct id", Format::Network),
        _ => return None,
    })
}

fn of_header(base: PayloadBase, place: (u32, u32), context: Context) -> Option<(String, Format)> {
    let (header, (name, format)) = match (base, context.header()) {
        (LINK, _) => ("ether", of_link(place)?),
        (PayloadBase::NETWORK, Family::Ip) => ("ip", of_ipv4(place)?),
        (PayloadBase::NETWORK, Family::Ip6) => ("ip6", of_ipv6(place)?),
        (PayloadBase::TRANSPORT, _) => of_transport(context.transport, place)?,
        _ => return None,
    };
    Some((format!("{header} {name}"), format))
}

fn of_link(place: (u32, u32)) -> Option<(&'static str, Format)> {
    Some(match place {
        (0, 6) => ("daddr", Format::Link),
        (6, 6) => ("saddr", Format::Link),
        (12, 2) => ("type", ETHER_TYPES),
        _ => return None,
    })
}

/// RFC 791.
fn of_ipv4(place: (u32, u32)) -> Option<(&'static str, Format)> {
    Some(match place {
        (2, 2) => ("length", Format::Network),
        (4, 2) => ("id", Format::Network),
        (8, 1) => ("ttl", Format::Network),
        (9, 1) => ("protocol", PROTOCOLS),
        (10, 2) => ("checksum", Format::Network),
        _ => return None,
    })
}

/// RFC 8200.
fn of_ipv6(place: (u32, u32)) -> Option<(&'static str, Format)> {
    Some(match place {
        (4, 2) => ("length", Format::Network),
        (6, 1) => ("nexthdr", PROTOCOLS),
        (7, 1) => ("hoplimit", Format::Network),
        _ => return None,
    })
}

fn of_transport(
    protocol: Option<u8>,
    place: (u32, u32),
) -> Option<(&'static str, (&'static str, Format))> {
    let named = WITH_PORTS
        .iter()
        .find(|(number, _)| Some(*number) == protocol);
    let header = named.map_or("th", |(_, name)| *name);
    Some(match (protocol, place) {
        (Some(ICMP), (0, 1)) => ("icmp", ("type", ICMP_TYPES)),
        (Some(ICMPV6), (0, 1)) => ("icmpv6", ("type", ICMPV6_TYPES)),
        (Some(ICMP), (1, 1)) => ("icmp", ("code", Format::Network)),
        (Some(ICMPV6), (1, 1)) => ("icmpv6", ("code", Format::Network)),
        (Some(ICMP | ICMPV6), _) => return None,
        (_, (0, 2)) => (header, ("sport", Format::Network)),
        (_, (2, 2)) => (header, ("dport", Format::Network)),
        (Some(TCP), (13, 1)) => ("tcp", ("flags", TCP_FLAGS)),
        (Some(UDP), (4, 2)) => ("udp", ("length", Format::Network)),
        _ => return None,
    })
}

/// A field's name in nft, with its mask.
pub(super) struct Named<'a> {
    pub(super) field: &'a Field,
    pub(super) context: Context,
}

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (origin, context) = (self.field.origin, self.context);
        let end = origin.address_of(context.header());
        let known = known(origin, context);
        match (end, &known, origin) {
            (Some(end), ..) => write!(f, "{}", EndName { context, end })?,
            (None, Some((name, _)), _) => f.write_str(name)?,
            (None, None, Origin::Meta(key)) => write!(f, "meta key-{}", key.0)?,
            (None, None, Origin::Conntrack(key)) => write!(f, "ct key-{}", key.0)?,
            (None, None, Origin::Fib(flags, _)) => write!(f, "fib flags-{}", flags.0)?,
            (None, None, Origin::Payload { base, offset, len }) => {
                let base = ["ll", "nh", "th"]
                    .get(base.0 as usize)
                    .unwrap_or(&"payload");
                write!(f, "@{base},{},{}", offset * 8, len * 8)?;
            }
        }
        let Some(mask) = &self.field.mask else {
            return Ok(());
        };
        f.write_str(" & ")?;
        match (mask.len(), known) {
            (4, _) if end.is_some() => write_value(f, DataType::IPV4_ADDR, mask),
            (16, _) if end.is_some() => write_value(f, DataType::IPV6_ADDR, mask),
            (_, Some((_, format @ (Format::Mark | Format::Host | Format::Network)))) => {
                format.write(f, mask)
            }
            _ => write_hex(f, mask),
        }
    }
}

/// `ip saddr`, `ip6 daddr`.
pub(super) struct EndName {
    pub(super) context: Context,
    pub(super) end: End,
}

impl fmt::Display for EndName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = match self.end {
            End::Source => "saddr",
            End::Destination => "daddr",
        };
        write!(f, "{} {end}", self.context.header())
    }
}
