//! The protocol layers that rules see.

use std::fmt;

use crate::network::Family;

/// The layer whose packets a rule sees. A backend names the layers that it has, and evaluates the
/// rules of each of them separately.
///
/// There is room for more: a layer `Bridge` for frames that stay on a bridge would be a third
/// variant, without an address [family](Self::family).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// Packets of IPv4.
    Ipv4,
    /// Packets of IPv6.
    Ipv6,
}

impl Layer {
    /// The layers of IP packets, IPv4 first.
    pub const IP: [Self; 2] = [Self::Ipv4, Self::Ipv6];

    /// The family of the layer's addresses.
    #[must_use]
    pub fn family(self) -> Family {
        match self {
            Self::Ipv4 => Family::Ipv4,
            Self::Ipv6 => Family::Ipv6,
        }
    }
}

impl From<Family> for Layer {
    fn from(family: Family) -> Self {
        match family {
            Family::Ipv4 => Self::Ipv4,
            Family::Ipv6 => Self::Ipv6,
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.family().fmt(f)
    }
}
