//! All base chains of a packet's way that stop it, not the first alone.

use super::chains::RuleWords;
use super::{Doubt, Hook, HookLayer, Nat};

/// What is on a packet's way, as if it passed each base chain that stops it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacles {
    /// The base chains that stop it, or may, in the order in which it comes to them.
    pub all: Vec<Obstacle>,
    /// What happens to its addresses.
    pub nat: Nat,
    /// The rule that translates them; none if no rule does.
    pub translated_by: Option<DecidingRule>,
    /// The rule that keeps conntrack from it, if one is sure to.
    pub untracked_by: Option<DecidingRule>,
}

/// A rule that decided something about a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecidingRule {
    /// The number of the member whose rule it is.
    pub member: usize,
    /// The base chain by which the packet came to it.
    pub base: String,
    /// Where that sees packets.
    pub at: (HookLayer, Hook),
    /// The rule.
    pub rule: RuleWords,
}

/// A base chain that stops a packet, or may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// The number of the member whose chain it is.
    pub member: usize,
    /// The base chain.
    pub base: String,
    /// Where it sees packets.
    pub at: (HookLayer, Hook),
    /// Whether it sees packets before conntrack does.
    pub is_before_conntrack: bool,
    /// The rule that stops the packet, or may. Where the policy does, its table and chain.
    pub rule: RuleWords,
    /// Whether the policy of the base chain stops it.
    pub by_policy: bool,
    /// What is not known of that. Without it, the packet is sure to be stopped.
    pub doubt: Option<Doubt>,
}
