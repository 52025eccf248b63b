//! The sums that counters of rules are added to.

use std::fmt;

use serde::Serialize;

/// What becomes of a network's packets, as it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "&'static str")]
pub enum Traffic {
    /// They leave from a subnet.
    Out,
    /// They come in to a subnet.
    In,
    /// They go from guest to guest across the bridge.
    Cross,
    /// They come from the bridge and are refused.
    RefusedOut,
    /// They go to the bridge and are refused.
    RefusedIn,
    /// They come from the bridge with a source that is not behind it.
    Spoofed,
    /// They come from the bridge and would leave without the translation that they need.
    Invalid,
}

impl Traffic {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Out,
        Self::In,
        Self::Cross,
        Self::RefusedOut,
        Self::RefusedIn,
        Self::Spoofed,
        Self::Invalid,
    ];
}

impl From<Traffic> for &'static str {
    fn from(traffic: Traffic) -> Self {
        match traffic {
            Traffic::Out => "out",
            Traffic::In => "in",
            Traffic::Cross => "cross",
            Traffic::RefusedOut => "refused_out",
            Traffic::RefusedIn => "refused_in",
            Traffic::Spoofed => "spoofed",
            Traffic::Invalid => "invalid",
        }
    }
}

impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad((*self).into())
    }
}

/// The sum that a rule's counter is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sum {
    /// Packets and bytes of a class of traffic.
    Traffic(Traffic),
    /// Translated connections: rules for NAT see the first packet of each.
    NatConnections,
    /// Connections to a forward: its rules see the first packet of each.
    ForwardConnections,
}
