//! Tables, and the rules in their chains.

use super::{Attribute, Expression, Family, Userdata};

/// A table: a name space of chains and sets for one family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Which packets it is about.
    pub family: Family,
    /// Its name.
    pub name: String,
    /// `NFT_TABLE_F_*`: 1 dormant, 2 owned by a socket, 4 outlives that socket.
    pub flags: u32,
    /// What a program wrote beside it; `nft` keeps its comment here.
    pub userdata: Userdata,
    /// The kernel's number for it, where it comes from the kernel.
    pub handle: Option<u64>,
    /// What else was said.
    pub extra: Vec<Attribute>,
}

/// A rule: expressions that are run one after another for a packet until one of them breaks off
/// or gives a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The family of its table.
    pub family: Family,
    /// Its table.
    pub table: String,
    /// Its chain.
    pub chain: String,
    /// What it does.
    pub expressions: Vec<Expression>,
    /// What a program wrote beside it; `nft` keeps its comment here.
    pub userdata: Userdata,
    /// The kernel's number for it. Unique in its table, and given anew when the table is made anew.
    pub handle: Option<u64>,
    /// In a dump: the handle of the rule above it. In a batch: the rule to stand beside.
    pub position: Option<u64>,
    /// What else was said.
    pub extra: Vec<Attribute>,
}
