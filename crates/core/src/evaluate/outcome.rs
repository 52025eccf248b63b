//! What becomes of a packet, and why.

use std::fmt;

use serde::Serialize;

use crate::backend::Counted;
use crate::network::{AddressRange, Name, PortRange};
use crate::rules::Purpose;

/// What becomes of a packet, and the rules that it met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What becomes of it.
    pub fate: Fate,
    /// What it met on its way, in that order.
    pub path: Vec<Visit>,
}

/// What becomes of a packet: all that two evaluators must agree on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Fate {
    /// Whether it passes.
    pub verdict: Verdict,
    /// What happens to its source address.
    pub nat: Nat,
}

/// Whether a packet passes these rules. One that does is not delivered yet: others may drop it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It passes.
    Accept,
    /// It is refused, and the sender is told by an ICMP error.
    Reject,
    /// It is lost without a word.
    Drop,
}

/// What happens to a packet's source address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
pub enum Nat {
    /// Nothing: no rule translates it, or an exception keeps it, or it does not get that far.
    None,
    /// Nothing now: conntrack decided on the first packet of its flow.
    Decided,
    /// It leaves with an address of the outgoing device.
    Masquerade {
        /// The source ports to use.
        ports: Option<PortRange>,
    },
    /// It leaves with one of these addresses.
    Snat {
        /// The source addresses to use.
        addresses: AddressRange,
        /// The source ports to use.
        ports: Option<PortRange>,
    },
}

/// A rule that a packet was asked by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Visit {
    /// The chain that the rule stands in.
    pub chain: String,
    /// The rule, in the words of the backend's usual program.
    pub rule: String,
    /// The network that it stands for, if it stands for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Name>,
    /// What it is for, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Purpose>,
    /// Whether it applied to the packet.
    pub matched: bool,
    /// What follows from it, or why it did not apply, in words.
    pub why: String,
    /// What it counted, if it counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counter: Option<Counted>,
}

impl Verdict {
    /// Whether it passes.
    #[must_use]
    pub fn passes(self) -> bool {
        self == Self::Accept
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Drop => "drop",
        })
    }
}

impl fmt::Display for Nat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, ports) = match self {
            Self::None => return f.write_str("none"),
            Self::Decided => return f.write_str("as the flow's first packet"),
            Self::Masquerade { ports } => ("masquerade".to_owned(), ports),
            Self::Snat { addresses, ports } => (format!("snat to {addresses}"), ports),
        };
        match ports {
            Some(ports) => write!(f, "{what}, ports {ports}"),
            None => f.write_str(&what),
        }
    }
}
