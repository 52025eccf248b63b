//! A table of a family, and what layouts put into it.

use palisade_core::network::Family;

use super::names::TableName;
use crate::object::{self, Chain, Rule, Userdata};
use crate::statement::{Statement, expressions};

/// A table of a family: where a layout puts its objects.
#[derive(Clone, Copy)]
pub(super) struct TableRef<'a> {
    pub(super) table: &'a TableName,
    pub(super) family: Family,
}

impl TableRef<'_> {
    pub(super) fn family(self) -> object::Family {
        self.family.into()
    }

    pub(super) fn chain(self, name: &str, base: Option<object::BaseChain>, comment: &str) -> Chain {
        Chain {
            family: self.family(),
            table: self.table.to_string(),
            name: name.to_owned(),
            base,
            flags: 0,
            userdata: Userdata::comment(comment),
            handle: None,
            extra: Vec::new(),
        }
    }

    pub(super) fn rule(self, chain: &str, statements: &[Statement], comment: &str) -> Rule {
        Rule {
            family: self.family(),
            table: self.table.to_string(),
            chain: chain.to_owned(),
            expressions: expressions(statements),
            userdata: Userdata::comment(comment),
            handle: None,
            position: None,
            extra: Vec::new(),
        }
    }
}

/// A base chain that lets pass what no rule of ours decides on.
pub(super) fn base(kind: &str, hook: object::Hook, priority: i32) -> object::BaseChain {
    object::BaseChain {
        kind: kind.to_owned(),
        hook,
        priority,
        policy: object::Policy::ACCEPT,
        hook_extra: Vec::new(),
    }
}

/// `mangle`, a priority behind connection tracking and before destinations are translated.
pub(super) const MANGLE: i32 = -150;
/// `filter`, the priority of filter chains.
pub(super) const FILTER: i32 = 0;
/// `srcnat`, the priority at which sources are translated: after connection tracking.
pub(super) const SRCNAT: i32 = 100;
/// `dstnat`, the priority at which destinations are translated: after connection tracking.
pub(super) const DSTNAT: i32 = -100;
