//! A packet, as rules see it.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use serde::Serialize;
use thiserror::Error;

use super::{Nat, protocol_name};
use crate::error_kind::ErrorKind;
use crate::hint::Hint;
use crate::network::{Family, InterfaceName};
use crate::rules::Unaddressed;

/// The numbers of protocols that have ports where TCP has them: TCP, UDP, DCCP, SCTP, UDP-Lite.
pub const PROTOCOLS_WITH_PORTS: [u8; 5] = [6, 17, 33, 132, 136];

/// The interface of packets that the host sends to itself.
pub(super) const LOOPBACK: &str = "lo";

/// A packet, as rules see it. Valid by construction: both addresses are of one family.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Packet {
    /// The interface that it came in through; none if the host itself sends it.
    pub in_interface: Option<InterfaceName>,
    /// The interface that it leaves through; none if the host itself takes it.
    pub out_interface: Option<InterfaceName>,
    /// The ports of bridges by which it comes in and leaves, as far as they are known.
    #[serde(skip)]
    pub bridge_ports: [Option<InterfaceName>; 2],
    source: IpAddr,
    destination: IpAddr,
    /// The protocol's number: 6 tcp, 17 udp, 1 icmp, 58 icmpv6.
    pub protocol: u8,
    /// The port that it comes from; none where the protocol has none.
    pub source_port: Option<u16>,
    /// The port that it goes to; none where the protocol has none.
    pub destination_port: Option<u16>,
    /// The type and the code of an ICMP message; none if that is not known, or it is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icmp: Option<Icmp>,
    /// Over how many hops it may still go; none if that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hop_limit: Option<u8>,
    /// What conntrack knows of its flow.
    pub flow: Flow,
    /// Whether the host reaches its source through the interface that it came in through; none if
    /// that is not known, or if the host itself sends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reverse_path: Option<bool>,
    /// Whether NAT gave its flow another destination: this packet is as it is behind that.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub redirected: bool,
    /// Whether it stays on a bridge, where rules of IP do not see it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_frame: bool,
    /// Where it was going before NAT translated its destination, if that is known and another. Rules
    /// that packets meet before that see this destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original: Option<OriginalDestination>,
}

/// What an ICMP or ICMPv6 message is, by the numbers of its own version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Icmp {
    /// The type.
    pub kind: u8,
    /// The code.
    pub code: u8,
}

/// The destination of a packet before NAT translated it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct OriginalDestination {
    /// The address.
    pub address: IpAddr,
    /// The port; none where the protocol has none.
    pub port: Option<u16>,
    /// Whether the address is one of the host's.
    pub is_host: bool,
}

/// What conntrack knows of a packet's flow (`ct state`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Flow {
    /// Its first packet, or still without an answer.
    #[default]
    New,
    /// Packets went both ways.
    Established,
    /// A flow that belongs to another, such as an ICMP error.
    Related,
    /// No flow that conntrack could make sense of.
    Invalid,
    /// No flow: a rule kept conntrack from it (`notrack`).
    Untracked,
}

/// Why there is no such packet.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PacketError {
    /// Source and destination of two families.
    #[error("a packet from {source_address} to {destination} is of two families")]
    TwoFamilies {
        /// Where it would come from.
        source_address: IpAddr,
        /// Where it would go.
        destination: IpAddr,
    },
}

impl Hint for PacketError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Usage
    }

    fn hint(&self) -> Cow<'_, str> {
        "write two IPv4 addresses, or two IPv6 addresses".into()
    }
}

impl Packet {
    /// A packet of a new flow from `source` to `destination` with a protocol's number, without
    /// interfaces and ports.
    ///
    /// # Errors
    /// If the addresses are of two families.
    pub fn new(source: IpAddr, destination: IpAddr, protocol: u8) -> Result<Self, PacketError> {
        if source.is_ipv4() != destination.is_ipv4() {
            return Err(PacketError::TwoFamilies {
                source_address: source,
                destination,
            });
        }
        Ok(Self {
            in_interface: None,
            out_interface: None,
            bridge_ports: [None, None],
            source,
            destination,
            protocol,
            source_port: None,
            destination_port: None,
            icmp: None,
            hop_limit: None,
            flow: Flow::default(),
            reverse_path: None,
            redirected: false,
            is_frame: false,
            original: None,
        })
    }

    /// The same packet behind a rule that gave it this address and port, or this address alone, as it
    /// leaves through this interface, or as the host takes it; none if the address is of another family.
    #[must_use]
    pub fn with_dnat(
        &self,
        (to, port): (IpAddr, Option<u16>),
        out_interface: Option<InterfaceName>,
    ) -> Option<Self> {
        let original = OriginalDestination {
            address: self.destination,
            port: self.destination_port,
            is_host: self.goes_to_host() == Some(true),
        };
        (to.is_ipv4() == self.destination.is_ipv4()).then(|| Self {
            out_interface,
            destination: to,
            destination_port: self.destination_port.map(|own| port.unwrap_or(own)),
            redirected: true,
            original: Some(original),
            ..self.clone()
        })
    }

    /// The packet as it came, where its destination was another.
    pub(super) fn as_it_came(&self) -> Option<Self> {
        let original = self.original?;
        let is_out = !original.is_host;
        Some(Self {
            out_interface: self.out_interface.clone().filter(|_| is_out),
            destination: original.address,
            destination_port: original.port,
            redirected: false,
            original: None,
            ..self.clone()
        })
    }

    /// Lets it come from another address of its family; one of the other family is left alone.
    pub(super) fn set_source(&mut self, source: IpAddr) {
        if source.is_ipv4() == self.source.is_ipv4() {
            self.source = source;
        }
    }

    /// Lets it go to another address of its family; one of the other family is left alone.
    pub(super) fn set_destination(&mut self, destination: IpAddr) {
        if destination.is_ipv4() == self.destination.is_ipv4() {
            self.destination = destination;
        }
    }

    /// Where it comes from.
    #[must_use]
    pub fn source(&self) -> IpAddr {
        self.source
    }

    /// Where it goes.
    #[must_use]
    pub fn destination(&self) -> IpAddr {
        self.destination
    }

    /// The family of both addresses.
    #[must_use]
    pub fn family(&self) -> Family {
        if self.source.is_ipv4() {
            Family::Ipv4
        } else {
            Family::Ipv6
        }
    }

    /// Whether its source is forged: the host does not reach it through the interface that the packet
    /// came in through. None if that is not known.
    ///
    /// A guest that has no address yet forges none: it asks for one by DHCP, or whether an address is
    /// free.
    #[must_use]
    pub fn is_forged(&self) -> Option<bool> {
        if self.in_interface.is_none() || self.is_without_address() {
            return Some(false);
        }
        self.reverse_path.map(|is_reached| !is_reached)
    }

    fn is_without_address(&self) -> bool {
        let Unaddressed { source, service } = Unaddressed::of(self.family());
        let is_of_service = service.is_none_or(|(protocol, port)| {
            self.protocol == protocol.number() && self.destination_port == Some(port)
        });
        self.source == source && is_of_service
    }

    /// Whether the host passes it on from one interface to another.
    #[must_use]
    pub fn is_forwarded(&self) -> bool {
        self.way() == Way::Through
    }

    /// Whether it goes to an address of the host, as its way says; none if that leaves it open.
    #[must_use]
    pub fn goes_to_host(&self) -> Option<bool> {
        /// The end of an address that may be that of everybody in some subnet.
        const EVERYBODY: u8 = 0b11;
        let is_for_several = match self.destination {
            IpAddr::V4(address) if address.is_multicast() || address.is_broadcast() => Some(true),
            IpAddr::V4(address) if address.octets()[3] & EVERYBODY == EVERYBODY => None,
            IpAddr::V4(_) => Some(false),
            IpAddr::V6(address) => Some(address.is_multicast()),
        };
        match (self.way(), &self.out_interface) {
            (Way::Through, _) => Some(false),
            (Way::Out, Some(device)) if device.as_str() != LOOPBACK => Some(false),
            (Way::In | Way::Out, _) => is_for_several.map(|is_for_several| !is_for_several),
        }
    }

    /// Which way it takes past the host.
    #[must_use]
    pub fn way(&self) -> Way {
        match (&self.in_interface, &self.out_interface) {
            (Some(_), Some(_)) => Way::Through,
            (Some(_), None) => Way::In,
            (None, _) => Way::Out,
        }
    }
}

/// `in virbr0, out eth0, 10.0.0.5 > 198.51.100.1, tcp to port 443, new`.
impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.in_interface {
            Some(name) => write!(f, "in {name}, ")?,
            None => f.write_str("from the host, ")?,
        }
        match &self.out_interface {
            Some(name) => write!(f, "out {name}, ")?,
            None => f.write_str("to the host, ")?,
        }
        write!(f, "{} > {}, ", self.source, self.destination)?;
        f.write_str(&protocol_name(self.protocol))?;
        if let Some(port) = self.destination_port {
            write!(f, " to port {port}")?;
        }
        write!(f, ", {}", self.flow)
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::New => "new",
            Self::Established => "established",
            Self::Related => "related",
            Self::Invalid => "invalid",
            Self::Untracked => "untracked",
        })
    }
}

/// Which way a packet takes past the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// The host passes it on.
    Through,
    /// The host takes it.
    In,
    /// The host sends it.
    Out,
}

impl Flow {
    /// All that conntrack itself gives.
    pub const ALL: [Self; 4] = [Self::New, Self::Established, Self::Related, Self::Invalid];

    /// Whether it is established or related: what `ct state established,related` asks.
    #[must_use]
    pub fn is_known(self) -> bool {
        matches!(self, Self::Established | Self::Related)
    }

    /// Whether it is invalid or untracked: what `ct state invalid,untracked` asks. NAT does not see
    /// packets of such a flow.
    #[must_use]
    pub(crate) fn has_no_connection(self) -> bool {
        matches!(self, Self::Invalid | Self::Untracked)
    }

    /// What becomes of the source of a packet of such a flow, if NAT does not ask rules about it:
    /// it does for the first packet of each flow alone, and not where there is no flow.
    #[must_use]
    pub fn nat(self) -> Option<(Nat, &'static str)> {
        match self {
            Self::New => None,
            Self::Established => Some((Nat::Decided, "the first packet of its flow decided")),
            Self::Related => Some((Nat::Decided, "the flow that it belongs to decided")),
            Self::Invalid => Some((
                Nat::None,
                "no flow of conntrack's, so that no rule is asked",
            )),
            Self::Untracked => Some((
                Nat::None,
                "conntrack does not look at it, so that no rule is asked",
            )),
        }
    }
}
