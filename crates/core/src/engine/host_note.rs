//! Notes on what makes a network useless at once, though its rules are installed.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::network::{Family, Forward, InterfaceName, Name, Network, Subnet};

/// Fewer ports than these are used up by a few busy guests.
const FEW_PORTS: u32 = 100;

/// What makes a network useless at once, though its rules are installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostNote {
    /// The network.
    pub network: Name,
    /// What it is.
    pub shortcoming: Shortcoming,
}

/// What makes a network useless.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shortcoming {
    /// There is no interface of the bridge's name.
    NoBridge {
        /// The bridge.
        bridge: InterfaceName,
    },
    /// The host forwards no packets of a family.
    NoForwarding {
        /// The family.
        family: Family,
    },
    /// The bridge has no address in a subnet.
    NoAddress {
        /// The bridge.
        bridge: InterfaceName,
        /// The subnet.
        subnet: Subnet,
    },
    /// A route of the host leads elsewhere with addresses of a subnet.
    Collision {
        /// The subnet.
        subnet: Subnet,
        /// The route's destination.
        route: IpNet,
        /// The interface that it leads to.
        device: String,
    },
    /// The bridge has an address in a subnet that the network had before.
    OldAddress {
        /// The bridge.
        bridge: InterfaceName,
        /// The address.
        address: IpAddr,
    },
    /// Guests are blocked, and no rules are installed that would cut them off.
    Unenforced {
        /// How many.
        guests: usize,
    },
    /// NAT has few ports for all connections of guests.
    FewPorts {
        /// How many.
        count: u32,
    },
}

impl HostNote {
    /// The notes that a definition alone gives reason to.
    #[must_use]
    pub fn of_definition(network: &Network) -> Option<Self> {
        let Forward::Nat(nat) = network.forward() else {
            return None;
        };
        let count = nat.ports.count();
        (count < FEW_PORTS).then(|| Self {
            network: network.name().clone(),
            shortcoming: Shortcoming::FewPorts { count },
        })
    }
}

impl fmt::Display for HostNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "network `{}`: ", self.network)?;
        match &self.shortcoming {
            Shortcoming::NoBridge { bridge } => {
                write!(f, "there is no bridge `{bridge}`, so no guest is on it")?;
            }
            Shortcoming::NoForwarding { family } => write!(
                f,
                "the host forwards no {family} packets, so guests reach nothing beyond it"
            )?,
            Shortcoming::NoAddress { bridge, subnet } => write!(
                f,
                "bridge `{bridge}` has no address in {}, so guests do not reach the host",
                subnet.net()
            )?,
            Shortcoming::Collision {
                subnet,
                route,
                device,
            } => write!(
                f,
                "subnet {} collides with the host's route to {route} by `{device}`",
                subnet.net()
            )?,
            Shortcoming::OldAddress { bridge, address } => write!(
                f,
                "bridge `{bridge}` still has the address {address}, of a subnet that the network does not have any more"
            )?,
            Shortcoming::Unenforced { guests: 1 } => {
                write!(
                    f,
                    "its blocked guest is not cut off: the network has no rules here"
                )?;
            }
            Shortcoming::Unenforced { guests } => write!(
                f,
                "its {guests} blocked guests are not cut off: the network has no rules here"
            )?,
            Shortcoming::FewPorts { count } => write!(
                f,
                "NAT has {count} ports for all guests together, and connections fail when they are in use"
            )?,
        }
        f.write_str("; `palisade doctor` says more")
    }
}
