//! Chains, and where packets enter them.

use std::fmt;

use super::{Attribute, Family, Userdata};

/// A chain of rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// The family of its table.
    pub family: Family,
    /// Its table.
    pub table: String,
    /// Its name.
    pub name: String,
    /// Where packets enter it; none for chains that are only jumped to.
    pub base: Option<BaseChain>,
    /// `NFT_CHAIN_*` flags, where they are not zero.
    pub flags: u32,
    /// What a program wrote beside it; `nft` keeps its comment here.
    pub userdata: Userdata,
    /// The kernel's number for it, where it comes from the kernel.
    pub handle: Option<u64>,
    /// What else was said.
    pub extra: Vec<Attribute>,
}

/// What makes a chain a base chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseChain {
    /// `filter`, `nat` or `route`.
    pub kind: String,
    /// Where packets enter.
    pub hook: Hook,
    /// Lower ones come first.
    pub priority: i32,
    /// What happens to packets that no rule decided on.
    pub policy: Policy,
    /// What else was said of the hook: the devices of a netdev chain.
    pub hook_extra: Vec<Attribute>,
}

/// A place in a packet's way, by the numbers of IPv4, IPv6 and inet (`enum nf_inet_hooks`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hook(pub u32);

impl Hook {
    /// Before routing.
    pub const PREROUTING: Self = Self(0);
    /// To the host itself.
    pub const INPUT: Self = Self(1);
    /// Through the host.
    pub const FORWARD: Self = Self(2);
    /// From the host itself.
    pub const OUTPUT: Self = Self(3);
    /// After routing.
    pub const POSTROUTING: Self = Self(4);
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::PREROUTING => f.pad("prerouting"),
            Self::INPUT => f.pad("input"),
            Self::FORWARD => f.pad("forward"),
            Self::OUTPUT => f.pad("output"),
            Self::POSTROUTING => f.pad("postrouting"),
            Self(5) => f.pad("ingress"),
            Self(number) => write!(f, "hook-{number}"),
        }
    }
}

/// A base chain's word on packets that no rule decided on: the kernel's verdict number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Policy(pub u32);

impl Policy {
    /// They are lost.
    pub const DROP: Self = Self(0);
    /// They pass.
    pub const ACCEPT: Self = Self(1);
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::DROP => f.pad("drop"),
            Self::ACCEPT => f.pad("accept"),
            Self(number) => write!(f, "policy-{number}"),
        }
    }
}
