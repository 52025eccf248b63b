//! Descriptions that contradict themselves.

use std::borrow::Cow;
use std::net::IpAddr;

use thiserror::Error;

use super::interface::InterfaceName;
use super::name::Name;
use super::port_forward::{MAX_FORWARDED_PORTS, PortForward};
use super::subnet::Subnet;
use crate::error_kind::ErrorKind;
use crate::hint::Hint;

/// A description that contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// No bridge, although the firewall rules need its name.
    #[error("network `{name}` names no bridge")]
    NoBridge {
        /// The network.
        name: Name,
    },
    /// NAT or routing without anything to translate or to route.
    #[error("network `{name}` forwards with mode `{mode}` but has no subnet")]
    NoSubnet {
        /// The network.
        name: Name,
        /// The forward mode, as the definition spells it.
        mode: &'static str,
    },
    /// A subnet where the host has no address of the network.
    #[error("network `{name}` has a subnet, which mode `{mode}` does not allow")]
    UnwantedSubnet {
        /// The network.
        name: Name,
        /// The forward mode.
        mode: &'static str,
    },
    /// A bridge where the mode attaches guests to a device directly.
    #[error("network `{name}` names a bridge, which mode `{mode}` does not allow")]
    UnwantedBridge {
        /// The network.
        name: Name,
        /// The forward mode.
        mode: &'static str,
    },
    /// Two subnets of the network share addresses.
    #[error("network `{name}` has two subnets that overlap: {first} and {second}")]
    Overlap {
        /// The network.
        name: Name,
        /// The subnet that was named first.
        first: Subnet,
        /// The other one.
        second: Subnet,
    },
    /// The forward device is the network's own bridge.
    #[error("network `{name}` forwards through its own bridge `{bridge}`")]
    OwnBridge {
        /// The network.
        name: Name,
        /// Its bridge.
        bridge: InterfaceName,
    },
    /// A field that takes effect by rules, in a mode without rules.
    #[error("network `{name}` has `{field}`, but palisade has no rules for mode `{mode}`")]
    NoRules {
        /// The network.
        name: Name,
        /// The field.
        field: &'static str,
        /// The forward mode.
        mode: &'static str,
    },
    /// A forward to an address that none of the network's guests can have.
    #[error("network `{name}` forwards to {}, which is {problem}", .forward.target().address())]
    Target {
        /// The network.
        name: Name,
        /// The forward.
        forward: Box<PortForward>,
        /// Why no guest has that address.
        problem: TargetProblem,
    },
    /// More than 4,096 forwarded ports.
    #[error("network `{name}` forwards {ports} ports, more than {MAX_FORWARDED_PORTS}")]
    ManyPorts {
        /// The network.
        name: Name,
        /// The number of ports of all its forwards.
        ports: u32,
    },
    /// Two forwards that a packet could match.
    #[error("network `{name}` has two forwards for the same packets: `{first}` and `{second}`")]
    SameForward {
        /// The network.
        name: Name,
        /// The forward that was named first.
        first: Box<PortForward>,
        /// The other one.
        second: Box<PortForward>,
    },
    /// A guest that is blocked lies in no subnet.
    #[error("network `{name}` blocks {guest}, which lies in none of its subnets")]
    Blocked {
        /// The network.
        name: Name,
        /// The address.
        guest: IpAddr,
    },
}

/// Why no guest has the address that a forward leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TargetProblem {
    /// It is in none of the network's subnets.
    #[error("in none of its subnets")]
    Outside,
    /// It is the first address of a subnet of IPv4.
    #[error("the address of a subnet itself")]
    Subnet,
    /// It is the last address of a subnet of IPv4.
    #[error("the broadcast address of a subnet")]
    Broadcast,
}

impl Hint for NetworkError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Definition
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::NoBridge { .. } => "name the bridge, for example virbr1",
            Self::NoSubnet { .. } => {
                "add the guests' subnet, or leave forwarding out for an isolated network"
            }
            Self::UnwantedSubnet { .. } => {
                "leave the subnet out: in this mode the host has no address on the network"
            }
            Self::UnwantedBridge { .. } => {
                "leave the bridge out: in this mode guests are attached to a device directly"
            }
            Self::Overlap { .. } => "give each subnet addresses of its own",
            Self::OwnBridge { .. } => "name the device that leads outside, such as eth0",
            Self::NoRules { .. } => "leave it out, or choose another mode: nat, route or isolated",
            Self::Target { .. } => "forward to the address of a guest of this network",
            Self::ManyPorts { .. } => {
                "forward fewer ports; a guest that needs more is better routed, with an address of \
                 its own"
            }
            Self::Blocked { .. } => "block guests of this network",
            Self::SameForward { .. } => {
                "give one of them another port, address or protocol, or sources that do not overlap"
            }
        }
        .into()
    }
}
