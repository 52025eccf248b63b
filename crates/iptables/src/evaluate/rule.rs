//! What one rule asks of a packet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use ipnet::IpNet;
use palisade_core::evaluate::{
    Answer, Device, Flow, Header, PROTOCOLS_WITH_PORTS, Read, Subject, Way, bits,
};
use palisade_core::network::Family;

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
    /// `--icmp-type`, `--icmpv6-type`: the type, and the code if that is asked.
    Icmp(u8, Option<u8>),
    /// `--ttl-eq`, `--hl-eq`.
    HopLimit(u8),
    /// `-m mark --mark`: the bits of the packet's mark that count have this value.
    Mark(Masked),
    /// `-m connmark --mark`: likewise those of its connection.
    ConnectionMark(Masked),
    /// `--ctstate DNAT`: its flow has another destination.
    Redirected,
    /// Something that no packet here has.
    Never,
    /// `-m rpfilter`: the host reaches its source through the interface that it came in through; or, if
    /// that is `loose`, through any.
    ReversePath {
        /// Whether any interface will do.
        is_loose: bool,
        /// `--invert`: whether the contrary is asked.
        is_inverted: bool,
    },
    /// Something that the host's routes tell.
    Route,
    /// Something that the packet alone does not tell.
    Unknown,
}

/// A number of which some bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Masked {
    /// Its value.
    pub(super) value: u32,
    /// The bits.
    pub(super) mask: u32,
}

impl Masked {
    fn is(self, mark: Option<u32>) -> Answer {
        mark.map(|mark| mark & self.mask == self.value).into()
    }
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

impl Ask {
    /// Whether it holds for a packet.
    pub(super) fn holds(&self, subject: &Subject<'_>) -> Answer {
        self.what.holds(subject).not_if(self.is_negated)
    }

    /// What it reads of the packet's headers and flow.
    pub(super) fn read(&self, family: Family) -> Option<Read> {
        let network = |ipv4, ipv6| {
            let bytes = match family {
                Family::Ipv4 => ipv4,
                Family::Ipv6 => ipv6,
            };
            Read::Bytes(Header::Network, bytes)
        };
        Some(match self.what {
            What::Source(_) => network(12..16, 8..24),
            What::Destination(_) | What::DestinationKind(_) => network(16..20, 24..40),
            What::SourcePort(_) => Read::Bytes(Header::Transport, 0..2),
            What::DestinationPort(_) => Read::Bytes(Header::Transport, 2..4),
            What::EitherPort(_) => Read::Bytes(Header::Transport, 0..4),
            What::Icmp(..) => Read::Bytes(Header::Transport, 0..2),
            What::HopLimit(_) => network(8..9, 7..8),
            What::Mark(_) => Read::Mark,
            What::ConnectionMark(_) => Read::ConnectionMark,
            What::Flow(_) | What::Redirected => Read::Flow,
            _ => return None,
        })
    }
}

impl What {
    fn holds(&self, subject: &Subject<'_>) -> Answer {
        let has_ports = PROTOCOLS_WITH_PORTS.contains(&subject.packet().protocol);
        let is_port = |ranges: &[RangeInclusive<u16>], port: Option<Option<u16>>| {
            let is_one = |port| ranges.iter().any(|range| range.contains(&port));
            match port {
                // The header ends too soon, and the kernel drops the packet by itself.
                Some(None) if has_ports => Answer::Unknown,
                port => port.map(|port| port.is_some_and(is_one)).into(),
            }
        };
        let is_in = |net: &IpNet, address: Option<IpAddr>| {
            Answer::from(address.map(|address| net.contains(&address)))
        };
        match self {
            Self::In(interface) => interface.is(subject.place().input),
            Self::Out(interface) => interface.is(subject.place().output),
            Self::Source(net) => is_in(net, subject.source()),
            Self::Destination(net) => is_in(net, subject.destination()),
            Self::Protocol(number) => bits::equal(&[subject.protocol()], &[*number]),
            Self::SourcePort(ranges) => is_port(ranges, subject.source_port()),
            Self::DestinationPort(ranges) => is_port(ranges, subject.destination_port()),
            Self::EitherPort(ranges) => {
                let neither = is_port(ranges, subject.source_port()).negated();
                neither
                    .and(is_port(ranges, subject.destination_port()).negated())
                    .negated()
            }
            Self::Flow(flows) => subject.flow().map(|flow| flows.contains(&flow)).into(),
            // What the way says, where that is all that is asked.
            Self::DestinationKind(kinds) if *kinds == [AddressKind::Local] => {
                subject.goes_to_host().into()
            }
            Self::DestinationKind(kinds) => {
                let way = subject.packet().way();
                let is_one = match subject.destination() {
                    None => None,
                    Some(IpAddr::V4(address)) => {
                        kind_of_destination(address, way).map(|kind| kinds.contains(&kind))
                    }
                    Some(IpAddr::V6(address)) => is_of_all(kinds, address, way),
                };
                Answer::from(is_one)
            }
            Self::Redirected => subject.flow().map(|_| subject.packet().redirected).into(),
            Self::Icmp(kind, code) => {
                let bytes = subject.payload(Header::Transport, 0, 2);
                let is = |byte: usize, wanted: u8| bits::equal(&bytes[byte..=byte], &[wanted]);
                code.map_or(Answer::Yes, |code| is(1, code))
                    .and(is(0, *kind))
            }
            Self::HopLimit(limit) => {
                let offset = match subject.packet().family() {
                    Family::Ipv4 => 8,
                    Family::Ipv6 => 7,
                };
                bits::equal(&subject.payload(Header::Network, offset, 1), &[*limit])
            }
            Self::Mark(mark) => mark.is(subject.mark()),
            Self::ConnectionMark(mark) => mark.is(subject.connection_mark()),
            Self::ReversePath {
                is_loose,
                is_inverted,
            } => match subject.reverse_path() {
                Some(false) if *is_loose => Answer::Unknown,
                reached => Answer::from(reached).not_if(*is_inverted),
            },
            Self::Never => Answer::No,
            Self::Route | Self::Unknown => Answer::Unknown,
        }
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
fn kind_of_destination(destination: Ipv4Addr, way: Way) -> Option<AddressKind> {
    /// The end of an address that may be that of everybody in some subnet.
    const EVERYBODY: u8 = 0b11;
    if destination.is_multicast() {
        return Some(AddressKind::Multicast);
    }
    if destination.is_broadcast() {
        return Some(AddressKind::Broadcast);
    }
    match way {
        Way::In if destination.octets()[3] & EVERYBODY == EVERYBODY => None,
        Way::In => Some(AddressKind::Local),
        Way::Through => Some(AddressKind::Unicast),
        Way::Out => None,
    }
}

impl Interface {
    /// The kernel compares with an empty name where a packet has no interface.
    fn is(&self, device: Device<'_>) -> Answer {
        let name = match device {
            Device::None => "",
            Device::Known(name) => name,
            Device::OneOf(_) => return Answer::Unknown,
        };
        Answer::from(match self {
            Self::Named(wanted) => wanted == name,
            Self::Beginning(beginning) => name.starts_with(beginning),
        })
    }
}
