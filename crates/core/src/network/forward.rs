//! How a network's guests reach beyond their bridge.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::interface::InterfaceName;
use super::range::{AddressRange, PortRange};

/// The forward mode, with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "lowercase")]
pub enum Forward {
    /// Not at all: guests talk among themselves and to the host.
    Isolated,
    /// With the host's address, or one of a range.
    Nat(Nat),
    /// With their own addresses, reachable from outside.
    Route {
        /// Only through this device.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device: Option<InterfaceName>,
    },
    /// Freely: no rules of ours.
    Open,
    /// Through a device that is not ours to rule.
    #[serde(untagged)]
    Unmanaged(UnmanagedMode),
}

/// What NAT shall do.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nat {
    /// Only through this device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<InterfaceName>,
    /// IPv4 packets leave with one of these addresses, instead of the outgoing device's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addresses: Option<AddressRange>,
    /// The source ports of tcp and udp.
    #[serde(default)]
    pub ports: PortRange,
    /// IPv6 subnets are translated too; otherwise they are routed.
    #[serde(default)]
    pub ipv6: bool,
    /// Connections to guests of other running networks are translated too, as libvirt does it;
    /// otherwise they keep their source.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub between_networks: bool,
}

fn yes() -> bool {
    true
}

impl Default for Nat {
    fn default() -> Self {
        Self {
            device: None,
            addresses: None,
            ports: PortRange::default(),
            ipv6: false,
            between_networks: true,
        }
    }
}

/// The modes in which guests are attached to a device or a bridge of somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "lowercase")]
pub enum UnmanagedMode {
    /// A bridge of the host, or macvtap in bridge mode.
    Bridge,
    /// macvtap in private mode.
    Private,
    /// macvtap in VEPA mode.
    Vepa,
    /// macvtap in passthrough mode.
    Passthrough,
    /// A network device handed to the guest.
    Hostdev,
}

impl Forward {
    /// The mode as definitions spell it; `isolated` where libvirt's leave `<forward>` out.
    #[must_use]
    pub fn mode(&self) -> &'static str {
        match self {
            Self::Isolated => "isolated",
            Self::Nat(_) => "nat",
            Self::Route { .. } => "route",
            Self::Open => "open",
            Self::Unmanaged(UnmanagedMode::Bridge) => "bridge",
            Self::Unmanaged(UnmanagedMode::Private) => "private",
            Self::Unmanaged(UnmanagedMode::Vepa) => "vepa",
            Self::Unmanaged(UnmanagedMode::Passthrough) => "passthrough",
            Self::Unmanaged(UnmanagedMode::Hostdev) => "hostdev",
        }
    }

    /// The device that all forwarding goes through, if one is named.
    #[must_use]
    pub fn device(&self) -> Option<&InterfaceName> {
        match self {
            Self::Nat(nat) => nat.device.as_ref(),
            Self::Route { device } => device.as_ref(),
            Self::Isolated | Self::Open | Self::Unmanaged(_) => None,
        }
    }
}

impl fmt::Display for Forward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.mode())
    }
}
