//! The packets of guests that have no address yet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::matches::Protocol;
use crate::network::Family;

/// What a guest without an address sends: no answer to its source could reach it, and it forges none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unaddressed {
    /// The unspecified address.
    pub source: IpAddr,
    /// The protocol, where only one is meant, with the port that the packet goes to.
    pub service: Option<(Protocol, u16)>,
}

impl Unaddressed {
    /// Those of a family: requests for DHCP; in IPv6, the search for duplicates of an address too.
    #[must_use]
    pub fn of(family: Family) -> Self {
        match family {
            Family::Ipv4 => Self {
                source: Ipv4Addr::UNSPECIFIED.into(),
                service: Some((Protocol::Udp, 67)),
            },
            Family::Ipv6 => Self {
                source: Ipv6Addr::UNSPECIFIED.into(),
                service: None,
            },
        }
    }
}
