//! Flows: entries of connection tracking.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use palisade_core::network::Family;

/// A flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Flow {
    /// Its packets as the first of them arrived.
    pub(super) original: Tuple,
    /// Its replies, as they will arrive. Translated addresses appear here.
    pub(super) reply: Tuple,
    /// `IPS_*`.
    pub(super) status: u32,
    /// The kernel's number for it. A later flow with the same tuple has another, unless it has the
    /// same address in memory.
    pub(super) id: u32,
    /// Its mark, which rules set and match.
    pub(super) mark: u32,
    /// The zone of both directions, where it is not the default.
    pub(super) zone: Option<u16>,
}

/// One direction of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Tuple {
    /// Source and destination of its packets.
    pub(super) addresses: Addresses,
    /// The protocol's number, such as 17 for udp.
    pub(super) protocol: u8,
    /// The part of the key that depends on the protocol.
    pub(super) key: ProtocolKey,
    /// The zone of this direction alone, where it is not the default.
    pub(super) zone: Option<u16>,
}

/// Source and destination, of one family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Addresses {
    /// IPv4.
    V4 {
        /// Where packets come from.
        source: Ipv4Addr,
        /// Where they go.
        destination: Ipv4Addr,
    },
    /// IPv6.
    V6 {
        /// Where packets come from.
        source: Ipv6Addr,
        /// Where they go.
        destination: Ipv6Addr,
    },
}

/// The part of the key that depends on the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum ProtocolKey {
    /// The ports of tcp, udp and their like, or their equivalent: the keys of gre.
    Ports {
        /// The sender's.
        source: u16,
        /// The receiver's.
        destination: u16,
    },
    /// A request of icmp or icmpv6.
    Request {
        /// The identifier.
        id: u16,
        /// Its type.
        kind: u8,
        /// Its code.
        code: u8,
    },
    /// Nothing: a pair of addresses has one flow of that protocol.
    Nothing,
}

impl Addresses {
    /// The family of both.
    #[must_use]
    pub(super) fn family(self) -> Family {
        match self {
            Self::V4 { .. } => Family::Ipv4,
            Self::V6 { .. } => Family::Ipv6,
        }
    }

    /// Where packets come from.
    #[must_use]
    pub(super) fn source(self) -> IpAddr {
        match self {
            Self::V4 { source, .. } => source.into(),
            Self::V6 { source, .. } => source.into(),
        }
    }

    /// Where packets go.
    #[must_use]
    pub(super) fn destination(self) -> IpAddr {
        match self {
            Self::V4 { destination, .. } => destination.into(),
            Self::V6 { destination, .. } => destination.into(),
        }
    }
}

impl Flow {
    /// `IPS_SRC_NAT`: its source is translated.
    pub(super) const SOURCE_NAT: u32 = 1 << 4;

    /// Whether the source of its packets is translated.
    #[must_use]
    pub(super) fn is_source_translated(&self) -> bool {
        self.status & Self::SOURCE_NAT != 0
            || self.reply.addresses.destination() != self.original.addresses.source()
    }

    /// The destination of its packets after translation: the source of replies.
    #[must_use]
    pub(super) fn target(&self) -> IpAddr {
        self.reply.addresses.source()
    }
}
