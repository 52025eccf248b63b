//! A rule of a network in iptables.

use palisade_core::rules::{Rule, RuleKind};

use super::table::{Table, place};
use super::write;
use crate::text::Words;

/// A rule, where it goes and what it says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Placed {
    /// The table.
    pub table: Table,
    /// The chain.
    pub chain: &'static str,
    /// What it says, as `iptables-save` prints it.
    pub words: Words,
    /// The kind of the rule that it is.
    pub kind: RuleKind,
}

impl Placed {
    /// Where a rule goes, and its words; none for what libvirt's rules do not have, and only the layout
    /// `mapped` of nf_tables does.
    #[must_use]
    pub(crate) fn of(rule: &Rule) -> Option<Self> {
        let (table, chain) = place(rule.role())?;
        Some(Self {
            table,
            chain,
            words: write::words(rule)?,
            kind: rule.kind,
        })
    }
}
