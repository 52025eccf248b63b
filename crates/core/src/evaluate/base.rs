//! Base chains: where packets enter rules.

use super::{Hook, HookLayer};
use crate::network::Family;

/// A base chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The chain.
    pub chain: usize,
    /// The table that it is in, as `nft` or `iptables` name it.
    pub table: String,
    /// Its name.
    pub name: String,
    /// Where it sees packets.
    pub sees: Seen,
    /// The families whose packets it sees.
    pub families: Families,
    /// Its priority.
    pub priority: i32,
    /// Whether it sees the first packet of each flow alone, to translate it.
    pub is_nat: bool,
    /// Whether its policy is to drop.
    pub drops: bool,
    /// Whether the policy is the host's own, for packets that it takes or sends itself.
    pub is_of_host: bool,
    /// At devices' hooks: those whose packets it sees. A name that ends with `*` stands for all that
    /// begin so.
    pub devices: Vec<String>,
}

/// Where a base chain sees packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seen {
    /// At this hook of this layer.
    At(HookLayer, Hook),
    /// At a hook that this build does not know.
    Unknown,
}

/// The families of packets that a base chain sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Families {
    /// IPv4 alone.
    Ipv4,
    /// IPv6 alone.
    Ipv6,
    /// Both.
    Both,
}

impl Families {
    /// Whether packets of this family are among them.
    #[must_use]
    pub fn has(self, family: Family) -> bool {
        match self {
            Self::Both => true,
            Self::Ipv4 => family == Family::Ipv4,
            Self::Ipv6 => family == Family::Ipv6,
        }
    }
}

impl From<Family> for Families {
    fn from(family: Family) -> Self {
        match family {
            Family::Ipv4 => Self::Ipv4,
            Family::Ipv6 => Self::Ipv6,
        }
    }
}

impl Base {
    /// Where packets meet it: the layer and the hook, where the kernel calls it (chains that translate
    /// are called in one place, in the order of their own priorities there), and its own priority.
    pub(super) fn order(&self) -> (Seen, i32, i32) {
        let called = match self.sees {
            Seen::At(_, hook) if self.is_nat => hook.nat_priority(),
            _ => self.priority,
        };
        (self.sees, called, self.priority)
    }
}
