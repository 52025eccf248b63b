//! Families of packets.

use std::fmt;

/// A family of packets, such as a table of rules is for: `NFPROTO_*`. Those of IP have the same
/// number in rtnetlink.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// IPv4 and IPv6.
    Inet,
    /// IPv4.
    Ip,
    /// ARP.
    Arp,
    /// A device's packets, before everything else.
    Netdev,
    /// Bridged frames.
    Bridge,
    /// IPv6.
    Ip6,
    /// An unknown one.
    Other(u8),
}

impl Family {
    /// The kernel's number.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Inet => 1,
            Self::Ip => 2,
            Self::Arp => 3,
            Self::Netdev => 5,
            Self::Bridge => 7,
            Self::Ip6 => 10,
            Self::Other(number) => number,
        }
    }

    /// The family with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Self {
        match number {
            1 => Self::Inet,
            2 => Self::Ip,
            3 => Self::Arp,
            5 => Self::Netdev,
            7 => Self::Bridge,
            10 => Self::Ip6,
            other => Self::Other(other),
        }
    }
}

impl From<palisade_core::network::Family> for Family {
    fn from(family: palisade_core::network::Family) -> Self {
        match family {
            palisade_core::network::Family::Ipv4 => Self::Ip,
            palisade_core::network::Family::Ipv6 => Self::Ip6,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inet => f.pad("inet"),
            Self::Ip => f.pad("ip"),
            Self::Arp => f.pad("arp"),
            Self::Netdev => f.pad("netdev"),
            Self::Bridge => f.pad("bridge"),
            Self::Ip6 => f.pad("ip6"),
            Self::Other(number) => write!(f, "family-{number}"),
        }
    }
}
