//! What one rule asks of a packet, and what it does with those that fit.

use std::net::{IpAddr, Ipv6Addr};
use std::ops::RangeInclusive;

use ipnet::IpNet;
use palisade_core::evaluate::{Flow, Packet, Way};
use palisade_core::network::{AddressRange, InterfaceName, PortRange};

/// Something that a rule asks of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ask {
    /// Its words.
    pub(super) text: String,
    /// Whether the contrary must hold.
    pub(super) is_negated: bool,
    pub(super) what: What,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// `-i`: it came in through this interface.
    In(Interface),
    /// `-o`: it leaves through this interface.
    Out(Interface),
    /// `-s`.
    Source(IpNet),
    /// `-d`.
    Destination(IpNet),
    /// `-p`.
    Protocol(u8),
    /// `--sport`, `--sports`.
    SourcePort(Vec<RangeInclusive<u16>>),
    /// `--dport`, `--dports`.
    DestinationPort(Vec<RangeInclusive<u16>>),
    /// `--ports`: one of both.
    EitherPort(Vec<RangeInclusive<u16>>),
    /// `--ctstate`, `--state`.
    Flow(Vec<Flow>),
    /// `--dst-type`: it goes to one of these kinds of addresses.
    DestinationKind(Vec<AddressKind>),
    /// Something that no packet here has.
    Never,
    /// Something that the packet alone does not tell.
    Unknown,
}

/// A kind of address, as the host's routes tell (`-m addrtype`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AddressKind {
    /// The host's own.
    Local,
    /// Somebody else's.
    Unicast,
    Broadcast,
    Multicast,
}

/// An interface, or all whose names begin so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Interface {
    /// This one.
    Named(String),
    /// `eth+`.
    Beginning(String),
}

/// What a rule does with a packet that fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    Accept,
    Drop,
    Reject,
    Return,
    /// `-j CHAIN`.
    Jump(String),
    /// `-g CHAIN`.
    Goto(String),
    Masquerade {
        ports: Option<PortRange>,
    },
    Snat {
        addresses: AddressRange,
        ports: Option<PortRange>,
    },
    /// The addresses become what no outcome can say: another destination, or a source of IPv6.
    Readdress,
    /// `NOTRACK`: conntrack shall not look at the packet, which goes on to the next rule.
    Untrack,
    /// The packet goes on to the next rule: there is no target, or one that only notes something.
    Continue,
    /// A target that this build does not know, or that does what no outcome can say.
    Unknown,
}

/// A packet as the rules of one of the kernel's chains see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) packet: &'a Packet,
    /// The interface that it leaves through, once that is known.
    pub(super) out_interface: Option<&'a InterfaceName>,
    /// What conntrack makes of it.
    pub(super) flow: Flow,
    /// Whether it has another destination by now, of which nothing is known.
    pub(super) is_readdressed: bool,
}

impl Ask {
    /// Whether it holds for a packet; none if the packet alone does not tell.
    pub(super) fn holds(&self, seen: Seen<'_>) -> Option<bool> {
        Some(self.what.holds(seen)? != self.is_negated)
    }
}

impl What {
    fn holds(&self, seen: Seen<'_>) -> Option<bool> {
        let packet = seen.packet;
        let is_port = |ranges: &[RangeInclusive<u16>], port: Option<u16>| {
            port.is_some_and(|port| ranges.iter().any(|range| range.contains(&port)))
        };
        let is_about_destination = matches!(
            self,
            Self::Destination(_)
                | Self::DestinationPort(_)
                | Self::EitherPort(_)
                | Self::DestinationKind(_)
        );
        if seen.is_readdressed && is_about_destination {
            return None;
        }
        Some(match self {
            Self::In(interface) => interface.is(packet.in_interface.as_ref()),
            Self::Out(interface) => interface.is(seen.out_interface),
            Self::Source(net) => net.contains(&packet.source()),
            Self::Destination(net) => net.contains(&packet.destination()),
            Self::Protocol(number) => packet.protocol == *number,
            Self::SourcePort(ranges) => is_port(ranges, packet.source_port),
            Self::DestinationPort(ranges) => is_port(ranges, packet.destination_port),
            Self::EitherPort(ranges) => {
                is_port(ranges, packet.source_port) || is_port(ranges, packet.destination_port)
            }
            Self::Flow(flows) => flows.contains(&seen.flow),
            Self::DestinationKind(kinds) => match packet.destination() {
                IpAddr::V4(_) => kinds.contains(&kind_of_destination(packet)?),
                IpAddr::V6(address) => is_of_all(kinds, address, packet.way())?,
            },
            Self::Never => false,
            Self::Unknown => return None,
        })
    }
}

/// Of IPv6 addresses the kernel asks whether they are of all these kinds, and its own are unicast too.
fn is_of_all(kinds: &[AddressKind], address: Ipv6Addr, way: Way) -> Option<bool> {
    let is_multicast = address.is_multicast();
    for kind in kinds {
        let is_it = match (kind, way) {
            (AddressKind::Multicast, _) => is_multicast,
            (AddressKind::Unicast, _) => !is_multicast && !address.is_unspecified(),
            (AddressKind::Broadcast, _) => false,
            (AddressKind::Local, _) if is_multicast => return None,
            (AddressKind::Local, Way::In) => true,
            (AddressKind::Local, Way::Through) => false,
            (AddressKind::Local, Way::Out) => return None,
        };
        if !is_it {
            return Some(false);
        }
    }
    Some(true)
}

/// What the way of a packet says of its destination: where it was taken by the host, that is the
/// host's own address, unless it is for several. None where the packet alone does not tell.
fn kind_of_destination(packet: &Packet) -> Option<AddressKind> {
    /// The end of an address that may be that of everybody in some subnet.
    const EVERYBODY: u8 = 0b11;
    let destination = packet.destination();
    if destination.is_multicast() {
        return Some(AddressKind::Multicast);
    }
    if let IpAddr::V4(v4) = destination
        && v4.is_broadcast()
    {
        return Some(AddressKind::Broadcast);
    }
    match (packet.way(), destination) {
        (Way::In, IpAddr::V4(v4)) if v4.octets()[3] & EVERYBODY == EVERYBODY => None,
        (Way::In, _) => Some(AddressKind::Local),
        (Way::Through, _) => Some(AddressKind::Unicast),
        (Way::Out, _) => None,
    }
}

impl Interface {
    /// The kernel compares with an empty name where a packet has no interface.
    fn is(&self, name: Option<&InterfaceName>) -> bool {
        let name = name.map_or("", InterfaceName::as_str);
        match self {
            Self::Named(wanted) => wanted == name,
            Self::Beginning(beginning) => name.starts_with(beginning),
        }
    }
}
