//! Packets that show whether a rule's traffic passes.

use super::layer::Layer;
use super::matches::Protocol;

/// A packet that must pass on a host where a rule of its kind is in force, without the addresses
/// and interfaces, which depend on the network and the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProbePacket {
    /// What it is, for people.
    pub words: &'static str,
    /// The layers in which it is sent.
    pub layers: &'static [Layer],
    /// Who sends it.
    pub from: Endpoint,
    /// Who receives it.
    pub to: Endpoint,
    /// What it carries.
    pub carries: Carries,
    /// What conntrack knows of its connection.
    pub flow: ProbeFlow,
}

/// What a probe carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Carries {
    /// A protocol with ports.
    Ports {
        /// The protocol.
        protocol: Protocol,
        /// The port that it comes from.
        source: u16,
        /// The port that it goes to.
        destination: u16,
    },
    /// A message of ICMP or ICMPv6: the type and the code in each.
    Icmp {
        /// In ICMP.
        ipv4: (u8, u8),
        /// In ICMPv6.
        ipv6: (u8, u8),
    },
}

/// What conntrack knows of a probe's connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProbeFlow {
    /// It begins one.
    New,
    /// Packets went both ways.
    Established,
    /// It is an error about another one.
    Related,
    /// Conntrack does not look at messages of this kind.
    Untracked,
}

/// An end of a probe's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// A guest of the network.
    Guest,
    /// Another guest on the same bridge.
    OtherGuest,
    /// A guest that has no address yet.
    NewGuest,
    /// The host's own address on the bridge.
    Host,
    /// The address at which guests look for a DHCP server, which is the host.
    DhcpServer,
    /// The address at which guests look for routers, one of which is the host.
    AllRouters,
    /// The address at which guests look for neighbours that have the host's address.
    Neighbour,
    /// A host that is reached by routing.
    Outside,
}

impl Endpoint {
    /// Whether it is a guest of the network.
    #[must_use]
    pub fn is_guest(self) -> bool {
        matches!(self, Self::Guest | Self::OtherGuest | Self::NewGuest)
    }

    /// Whether it is the host itself.
    #[must_use]
    pub(crate) fn is_host(self) -> bool {
        use Endpoint::{AllRouters, DhcpServer, Host, Neighbour};
        matches!(self, Host | DhcpServer | AllRouters | Neighbour)
    }
}

impl ProbePacket {
    /// Whether the host itself receives the packet.
    #[must_use]
    pub fn is_for_host(&self) -> bool {
        self.to.is_host()
    }

    /// Whether the packet reaches a guest by routing.
    #[must_use]
    pub fn comes_in(&self) -> bool {
        self.from == Endpoint::Outside
    }

    /// Whether the host itself sends the packet.
    #[must_use]
    pub fn is_from_host(&self) -> bool {
        self.from == Endpoint::Host
    }

    /// Whether a guest sends the packet to the outside.
    #[must_use]
    pub fn goes_out(&self) -> bool {
        self.to == Endpoint::Outside
    }

    /// Whether the packet stays on the bridge.
    #[must_use]
    pub fn stays_on_bridge(&self) -> bool {
        self.to == Endpoint::OtherGuest
    }

    /// Whether it belongs to a connection that began before it.
    #[must_use]
    pub fn is_of_known_flow(&self) -> bool {
        matches!(self.flow, ProbeFlow::Established | ProbeFlow::Related)
    }

    /// Whether a forward leads it to a guest.
    #[must_use]
    pub fn is_forwarded_port(&self) -> bool {
        *self == FORWARDED
    }

    /// Whether it is an error that tells a sender that its packets are too big.
    #[must_use]
    pub fn is_too_big(&self) -> bool {
        self.carries == TOO_BIG
    }

    /// The service of the host that it is sent to: protocol and port.
    #[must_use]
    pub fn service(&self) -> Option<(Protocol, u16)> {
        match self.carries {
            Carries::Ports {
                protocol,
                destination,
                ..
            } if self.is_for_host() => Some((protocol, destination)),
            _ => None,
        }
    }
}

/// An echo request, and the reply.
pub(super) const ECHO: Carries = Carries::Icmp {
    ipv4: (8, 0),
    ipv6: (128, 0),
};
pub(super) const ECHO_REPLY: Carries = Carries::Icmp {
    ipv4: (0, 0),
    ipv6: (129, 0),
};
/// "Fragmentation needed", and "packet too big".
pub(super) const TOO_BIG: Carries = Carries::Icmp {
    ipv4: (3, 4),
    ipv6: (2, 0),
};

/// A message of ICMPv6 alone.
const fn icmpv6(kind: u8) -> Carries {
    Carries::Icmp {
        ipv4: (kind, 0),
        ipv6: (kind, 0),
    }
}

const OF_HOST: ProbePacket = ProbePacket {
    words: "",
    layers: &Layer::IP,
    from: Endpoint::Guest,
    to: Endpoint::Host,
    carries: ECHO,
    flow: ProbeFlow::New,
};

const OF_NEIGHBOURS: ProbePacket = ProbePacket {
    layers: &[Layer::Ipv6],
    flow: ProbeFlow::Untracked,
    ..OF_HOST
};

/// What reaches a guest by a forward. Its protocol and ports are those of the forward.
pub static FORWARDED: ProbePacket = ProbePacket {
    words: "what forwards lead to guests",
    from: Endpoint::Outside,
    to: Endpoint::Guest,
    ..OF_HOST
};

/// The packets between guests and the host that no rule of a network is about, and that every network
/// with a subnet needs: without neighbours there is nothing else.
pub static BETWEEN_GUEST_AND_HOST: [ProbePacket; 8] = [
    ProbePacket {
        words: "ping of the host",
        ..OF_HOST
    },
    ProbePacket {
        words: "the host's answers to ping",
        from: Endpoint::Host,
        to: Endpoint::Guest,
        carries: ECHO_REPLY,
        flow: ProbeFlow::Established,
        ..OF_HOST
    },
    ProbePacket {
        words: "the host's errors about packets that are too big",
        from: Endpoint::Host,
        to: Endpoint::Guest,
        carries: TOO_BIG,
        flow: ProbeFlow::Related,
        ..OF_HOST
    },
    ProbePacket {
        words: "neighbour solicitations of guests",
        to: Endpoint::Neighbour,
        carries: icmpv6(135),
        ..OF_NEIGHBOURS
    },
    ProbePacket {
        words: "neighbour advertisements of guests",
        carries: icmpv6(136),
        ..OF_NEIGHBOURS
    },
    ProbePacket {
        words: "router solicitations of guests",
        from: Endpoint::NewGuest,
        to: Endpoint::AllRouters,
        carries: icmpv6(133),
        ..OF_NEIGHBOURS
    },
    ProbePacket {
        words: "the host's neighbour advertisements",
        from: Endpoint::Host,
        to: Endpoint::Guest,
        carries: icmpv6(136),
        ..OF_NEIGHBOURS
    },
    ProbePacket {
        words: "the host's router advertisements",
        from: Endpoint::Host,
        to: Endpoint::NewGuest,
        carries: icmpv6(134),
        ..OF_NEIGHBOURS
    },
];
