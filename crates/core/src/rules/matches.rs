//! The packets that a rule applies to.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use crate::network::{Family, ForwardProtocol, InterfaceName, Subnet};

/// The packets that a rule applies to. `None` means any.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Matches {
    /// The interface that the packet came in through.
    pub in_interface: Option<InterfaceName>,
    /// The interface that it leaves through.
    pub out_interface: Option<InterfaceName>,
    /// Its source lies in this subnet.
    pub source: Option<Subnet>,
    /// The destination address.
    pub destination: Option<Destination>,
    /// Its protocol, and for udp and tcp the port that it goes to.
    pub protocol: Option<Protocol>,
    /// The port that it comes from.
    pub source_port: Option<u16>,
    /// The port that it goes to.
    pub destination_port: Option<u16>,
    /// It goes to an address of the host.
    pub to_host: bool,
    /// NAT gave its connection another destination (ct status dnat).
    pub redirected: bool,
    /// It belongs to an established connection, or is related to one (ct state
    /// established,related).
    pub known_flow: bool,
    /// Conntrack has no connection for it (ct state invalid,untracked), so that NAT does not see it.
    pub no_flow: bool,
    /// Its source is [forged](crate::evaluate::Packet::is_forged): the host does not reach it through
    /// the interface that the packet came in through.
    pub forged: bool,
}

/// A packet's destination, as rules match it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Destination {
    /// In the subnet.
    In(Subnet),
    /// Anywhere but in the subnet.
    NotIn(Subnet),
    /// 255.255.255.255.
    Broadcast,
    /// 224.0.0.0/24 or ff02::/16, by the rule's layer.
    LinkLocalMulticast,
}

/// The protocols that rules tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// Protocol number 6.
    Tcp,
    /// Protocol number 17.
    Udp,
    /// Protocol number 132.
    Sctp,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Tcp, Self::Udp, Self::Sctp];

    /// The number in the IP header.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
            Self::Sctp => 132,
        }
    }
}

impl From<ForwardProtocol> for Protocol {
    fn from(protocol: ForwardProtocol) -> Self {
        match protocol {
            ForwardProtocol::Tcp => Self::Tcp,
            ForwardProtocol::Udp => Self::Udp,
            ForwardProtocol::Sctp => Self::Sctp,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        })
    }
}

impl Destination {
    /// The addresses that it names, of a rule for `family`. Those of [`NotIn`](Self::NotIn) are the
    /// ones that it excludes.
    #[must_use]
    pub fn net(self, family: Family) -> IpNet {
        match self {
            Self::In(subnet) | Self::NotIn(subnet) => subnet.net(),
            Self::Broadcast => IpAddr::V4(Ipv4Addr::BROADCAST).into(),
            Self::LinkLocalMulticast => family.link_local_multicast(),
        }
    }

    /// Whether a packet of `family` to `address` goes there.
    #[must_use]
    pub fn holds(self, family: Family, address: IpAddr) -> bool {
        self.net(family).contains(&address) != matches!(self, Self::NotIn(_))
    }
}
