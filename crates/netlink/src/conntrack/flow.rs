//! Flows: what connection tracking remembers of packets that belong together.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use palisade_core::network::Family;

/// A flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Flow {
    /// Its packets as the first of them came in.
    pub(super) original: Tuple,
    /// The packets that answer it, as they will come in: what NAT makes of addresses shows here.
    pub(super) reply: Tuple,
    /// `IPS_*`.
    pub(super) status: u32,
    /// The kernel's number for it. A later flow between the same ends has another, unless it lies
    /// where this one lay in memory.
    pub(super) id: u32,
    /// Its mark, which rules set and ask for.
    pub(super) mark: u32,
    /// The zone of both directions, where it is not the usual one.
    pub(super) zone: Option<u16>,
}

/// One direction of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Tuple {
    /// Where its packets come from and where they go.
    pub(super) addresses: Addresses,
    /// The protocol's number, such as 17 for udp.
    pub(super) protocol: u8,
    /// What tells flows of one protocol between two addresses apart.
    pub(super) ends: Ends,
    /// The zone of this direction alone, where it is not the usual one.
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

/// What tells flows of one protocol between two addresses apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Ends {
    /// The ports of tcp, udp and their like, or what stands for them: the keys of gre.
    Ports {
        /// The sender's.
        source: u16,
        /// The receiver's.
        destination: u16,
    },
    /// A question of icmp or icmpv6.
    Question {
        /// The asker's number for it.
        id: u16,
        /// Its type.
        kind: u8,
        /// Its code.
        code: u8,
    },
    /// Nothing: there is one flow of that protocol between them.
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

    /// Whether its packets leave with another source than they came with.
    #[must_use]
    pub(super) fn is_source_translated(&self) -> bool {
        self.status & Self::SOURCE_NAT != 0
            || self.reply.addresses.destination() != self.original.addresses.source()
    }

    /// Where its packets really go: if others translated the destination, the answers tell.
    #[must_use]
    pub(super) fn target(&self) -> IpAddr {
        self.reply.addresses.source()
    }
}
