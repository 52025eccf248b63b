//! Why a packet is sent nowhere.

use std::fmt;
use std::net::IpAddr;

use palisade_core::network::InterfaceName;
use serde::Serialize;

/// Why the host sends a packet nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
#[non_exhaustive]
pub enum NoWay {
    /// The interface that it would come in or leave through does not exist.
    InterfaceMissing {
        /// The interface.
        interface: InterfaceName,
    },
    /// The interface that it would come in or leave through is down.
    InterfaceDown {
        /// The interface.
        interface: InterfaceName,
    },
    /// No port of the bridge is up and forwards frames.
    PortsDown {
        /// The bridge.
        bridge: InterfaceName,
    },
    /// The interface that it would leave through has no carrier.
    NoCarrier {
        /// The interface.
        interface: InterfaceName,
    },
    /// Each port of the bridge on which it would stay is isolated from the others.
    PortsIsolated {
        /// The bridge.
        bridge: InterfaceName,
    },
    /// The kernel does not forward what comes in by this interface.
    NotForwarded {
        /// The setting, as `sysctl` names it.
        setting: String,
    },
    /// IPv6 is disabled on the interface.
    Ipv6Disabled {
        /// The interface.
        interface: InterfaceName,
    },
    /// No route holds the address.
    NoRoute {
        /// The address.
        to: IpAddr,
    },
    /// An `unreachable` route holds the address.
    Unreachable {
        /// The address.
        to: IpAddr,
    },
    /// A `prohibit` route holds the address.
    Prohibited {
        /// The address.
        to: IpAddr,
    },
    /// A `blackhole` route holds the address.
    Blackhole {
        /// The address.
        to: IpAddr,
    },
    /// No route leads to where it comes from: through which interface it would come is not known.
    NoRouteBack {
        /// The source.
        from: IpAddr,
    },
    /// The reverse path filter drops it: the route to its source leads through another interface.
    ReversePath {
        /// The source.
        from: IpAddr,
        /// The interface that it comes in through.
        interface: InterfaceName,
    },
    /// No packet from outside may have these addresses: those of the host itself as a source, loopback,
    /// or a link's own addresses beyond the link.
    Impossible {
        /// The source.
        from: IpAddr,
        /// The destination.
        to: IpAddr,
    },
    /// The host sends nothing from an address that is none of its own.
    ForeignSource {
        /// The source.
        from: IpAddr,
    },
}

impl NoWay {
    /// Whether the packet meets no rule: it does not even come in.
    pub(crate) fn is_before_rules(&self) -> bool {
        matches!(
            self,
            Self::InterfaceMissing { .. }
                | Self::InterfaceDown { .. }
                | Self::PortsDown { .. }
                | Self::Ipv6Disabled { .. }
                | Self::NoRouteBack { .. }
        )
    }
}

impl fmt::Display for NoWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InterfaceMissing { interface } => {
                write!(f, "there is no interface `{interface}`")
            }
            Self::InterfaceDown { interface } => write!(f, "interface `{interface}` is down"),
            Self::PortsDown { bridge } => {
                write!(f, "no port of bridge `{bridge}` is up and forwards frames")
            }
            Self::NoCarrier { interface } => {
                write!(f, "interface `{interface}` has no carrier")
            }
            Self::PortsIsolated { bridge } => write!(
                f,
                "each port of bridge `{bridge}` is isolated from the others"
            ),
            Self::NotForwarded { setting } => {
                write!(f, "the host does not forward it: {setting} is 0")
            }
            Self::Ipv6Disabled { interface } => {
                write!(f, "IPv6 is disabled on interface `{interface}`")
            }
            Self::NoRoute { to } => write!(f, "the host has no route to {to}"),
            Self::Unreachable { to } => {
                write!(f, "the host's route to {to} says that it is unreachable")
            }
            Self::Prohibited { to } => write!(f, "the host's route to {to} prohibits it"),
            Self::Blackhole { to } => write!(f, "the host's route to {to} is a blackhole"),
            Self::NoRouteBack { from } => write!(
                f,
                "the host has no route to {from}: through which interface a packet from there comes \
                 is not known, and no answer finds its way"
            ),
            Self::ReversePath { from, interface } => write!(
                f,
                "the reverse path filter drops it: the host's route to {from} does not lead through \
                 `{interface}`"
            ),
            Self::Impossible { from, to } => write!(
                f,
                "the kernel drops packets from {from} to {to} that come from outside: one of the \
                 addresses cannot be there"
            ),
            Self::ForeignSource { from } => {
                write!(
                    f,
                    "{from} is no address of the host, which sends nothing from it"
                )
            }
        }
    }
}
