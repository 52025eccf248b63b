//! What becomes of a packet, and why.

use std::fmt;

use serde::Serialize;

use super::Destination;
use crate::counted::Counted;
use crate::network::{AddressRange, Name, PortRange};
use crate::rules::RuleKind;

/// What becomes of a packet, and the rules that it met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What becomes of it.
    pub fate: Fate,
    /// What it met on its way, in that order.
    pub path: Vec<Visit>,
    /// Why its source is translated so, or is not, in words.
    pub nat_because: String,
    /// Rules whose say on this packet is not known here, and that may change its fate. The fate is
    /// what comes of it if none of them applies; without doubts it is certain.
    pub doubts: Vec<Doubt>,
    /// Where it was stopped, if it was.
    pub stop: Option<Stop>,
    /// Whether rules may have given it a mark (`meta mark`), which routes can depend on.
    pub is_marked: bool,
}

/// Where a packet was stopped. The rule that did it, or the policy, is the last of its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// The base chain, or the one by which the packet came to the rule.
    pub base: String,
    /// Whether no rule stopped it, but the policy of the base chain.
    pub by_policy: bool,
}

/// Which kind of thing is not known of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DoubtKind {
    /// Whether a match holds.
    Match,
    /// Whether a match holds that asks the host's routes (`fib`, `rpfilter`).
    Route,
    /// What a statement or a target does.
    Statement,
    /// What a translation makes of the addresses.
    Translation,
    /// Whether the packet is kept from conntrack.
    Untracked,
    /// What comes of an address that is written without translation.
    AddressRewritten,
    /// Whether the packet passes one of a base chain's devices.
    Device,
    /// Where a base chain sees packets.
    Hook,
    /// What comes behind jumps that do not end.
    Endless,
}

/// A rule that may change what becomes of a packet, where it cannot be known here whether it does:
/// it asks for something that is not known of the packet, or does something that this build does
/// not understand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Doubt {
    /// Which kind of thing is not known.
    #[serde(skip)]
    pub kind: DoubtKind,
    /// The base chain by which packets come to the rule.
    #[serde(skip)]
    pub base: String,
    /// The table that the rule stands in, as `nft` or `iptables` name it.
    pub table: String,
    /// The chain that it stands in.
    pub chain: String,
    /// The rule, in the words of the backend's usual program.
    pub rule: String,
    /// What is not known.
    pub why: String,
    /// The other verdicts that may come of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub may: Vec<Verdict>,
    /// Whether it may change the translation of the packet's addresses.
    pub may_translate: bool,
}

/// What becomes of a packet: all that two evaluators must agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
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

/// What happens to a packet's addresses: to its source as it leaves, or to its destination as it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
pub enum Nat {
    /// Nothing: no rule translates it, or an exception keeps it, or it does not get that far.
    None,
    /// Nothing now: conntrack decided on the first packet of its flow.
    Decided,
    /// It goes to this address and port instead. What becomes of it there is not part of this fate: the
    /// packet [with that destination](super::Packet::with_dnat) has one of its own.
    Dnat {
        /// The new destination.
        to: Destination,
    },
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
    /// The table that the rule stands in, as `nft` or `iptables` name it: `ip palisade`, `filter`.
    /// None for rules that stand in no table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// The chain that the rule stands in.
    pub chain: String,
    /// The kernel's number for the rule, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handle: Option<u64>,
    /// The rule, in the words of the backend's usual program.
    pub rule: String,
    /// The network that it stands for, if it stands for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Name>,
    /// What it is for, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<RuleKind>,
    /// Whether it applied to the packet; none if that is not known here.
    pub matched: Option<bool>,
    /// What follows from it, or why it did not apply, in words.
    pub why: String,
    /// What it counted, if it counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counter: Option<Counted>,
}

impl Outcome {
    /// Whether nothing that is not known here can change its fate.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        self.doubts.is_empty()
    }
}

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Accept, Self::Reject, Self::Drop];

    /// Whether it passes.
    #[must_use]
    pub fn passes(self) -> bool {
        self == Self::Accept
    }
}

impl Nat {
    /// Whether a rule gives it another source.
    #[must_use]
    pub fn translates(self) -> bool {
        matches!(self, Self::Masquerade { .. } | Self::Snat { .. })
    }
}

/// `accept, masquerade, ports 1024-65535`; of what does not pass, the verdict alone.
impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.nat {
            Nat::None => write!(f, "{}", self.verdict),
            Nat::Decided => write!(f, "{}, nat {}", self.verdict, self.nat),
            Nat::Dnat { .. } | Nat::Masquerade { .. } | Nat::Snat { .. } => {
                write!(f, "{}, {}", self.verdict, self.nat)
            }
        }
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
            Self::Dnat { to } => return write!(f, "dnat to {to}"),
            Self::Masquerade { ports } => ("masquerade".to_owned(), ports),
            Self::Snat { addresses, ports } => (format!("snat to {addresses}"), ports),
        };
        match ports {
            Some(ports) => write!(f, "{what}, ports {ports}"),
            None => f.write_str(&what),
        }
    }
}
