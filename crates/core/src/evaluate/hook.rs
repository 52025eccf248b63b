//! Netfilter's hooks: the places in a packet's way at which base chains see it, and their order.

use super::Way;

/// A place in a packet's way at which base chains see it, in the order in which packets pass them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hook {
    /// As it comes in from a device, before everything else.
    Ingress,
    /// Before it is known whether the host takes it or passes it on.
    Prerouting,
    /// To the host itself.
    Input,
    /// From one interface to another.
    Forward,
    /// From the host itself.
    Output,
    /// On the way out, whoever sent it.
    Postrouting,
    /// As a device sends it, after everything else.
    Egress,
}

/// Whose hook it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HookLayer {
    /// IPv4's or IPv6's.
    Ip,
    /// A bridge's.
    Bridge,
    /// A device's.
    Device,
}

impl Hook {
    /// All hooks.
    pub const ALL: [Self; 7] = [
        Self::Ingress,
        Self::Prerouting,
        Self::Input,
        Self::Forward,
        Self::Output,
        Self::Postrouting,
        Self::Egress,
    ];

    /// The hooks of IPv4 and IPv6 that packets pass on this way.
    pub(super) fn passed(way: Way) -> &'static [Self] {
        match way {
            Way::Through => &[Self::Prerouting, Self::Forward, Self::Postrouting],
            Way::In => &[Self::Prerouting, Self::Input],
            Way::Out => &[Self::Output, Self::Postrouting],
        }
    }

    /// Whether it is known here through which interface the packet leaves.
    pub(super) fn knows_output(self) -> bool {
        matches!(
            self,
            Self::Forward | Self::Output | Self::Postrouting | Self::Egress
        )
    }

    /// Whether conntrack looks at packets of IP at this hook: rules of a priority up to
    /// [`CONNTRACK`] see them before it.
    pub(super) fn has_conntrack(self) -> bool {
        matches!(self, Self::Prerouting | Self::Output)
    }

    /// Whether NAT changes destinations here, and not sources.
    pub(super) fn translates_destinations(self) -> bool {
        matches!(self, Self::Prerouting | Self::Output)
    }

    /// The priority at which the kernel calls all chains of type nat.
    #[must_use]
    pub fn nat_priority(self) -> i32 {
        if self.translates_destinations() {
            DESTINATION_NAT
        } else {
            SOURCE_NAT
        }
    }
}

/// `NF_IP_PRI_RAW`.
pub const RAW: i32 = -300;
/// `NF_IP_PRI_CONNTRACK`: before it, no packet has a flow.
pub(super) const CONNTRACK: i32 = -200;
/// `NF_IP_PRI_MANGLE`.
pub const MANGLE: i32 = -150;
/// `NF_IP_PRI_NAT_DST`.
pub(super) const DESTINATION_NAT: i32 = -100;
/// `NF_IP_PRI_FILTER`.
pub const FILTER: i32 = 0;
/// `NF_IP_PRI_SECURITY`.
pub const SECURITY: i32 = 50;
/// `NF_IP_PRI_NAT_SRC`.
pub(super) const SOURCE_NAT: i32 = 100;
