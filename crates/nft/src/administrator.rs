//! What in a table of palisade's is the administrator's own.

use std::collections::BTreeSet;

use crate::layout::{is_admin_chain, is_administrators};
use crate::object::Expression;
use crate::program::Program;
use crate::wire::Stranger;

/// `NFT_SET_ANONYMOUS`.
pub(crate) const ANONYMOUS: u32 = 1;

/// The administrator's own objects in a table: those that are named so, and the unnamed sets of rules
/// in chains of that name.
#[derive(Debug, Default)]
pub(crate) struct Administrator {
    unnamed: BTreeSet<String>,
    holds: bool,
}

impl Administrator {
    pub(crate) fn of(program: &Program, strangers: &[Stranger]) -> Self {
        let chains = program.chains.iter();
        let chains = chains.filter(|chain| is_administrators(&chain.chain.name));
        let looked_up = chains.clone().flat_map(|chain| &chain.rules);
        let looked_up = looked_up.flat_map(|rule| &rule.expressions);
        let looked_up: BTreeSet<&str> = looked_up
            .filter_map(|expression| match expression {
                Expression::Lookup(lookup) => Some(lookup.set.as_str()),
                _ => None,
            })
            .collect();
        let sets = program.sets.iter().map(|filled| &filled.set);
        let unnamed = sets.clone().filter(|set| set.flags & ANONYMOUS != 0);
        let unnamed = unnamed.filter(|set| looked_up.contains(set.name.as_str()));
        let mut own = chains.filter(|c| !is_admin_chain(&c.chain.name) || !c.rules.is_empty());
        Self {
            holds: own.next().is_some()
                || sets.clone().any(|set| is_administrators(&set.name))
                || strangers
                    .iter()
                    .any(|stranger| is_administrators(&stranger.name)),
            unnamed: unnamed.map(|set| set.name.clone()).collect(),
        }
    }

    /// Whether the object of this name is the administrator's.
    pub(crate) fn has(&self, name: &str) -> bool {
        is_administrators(name) || self.unnamed.contains(name)
    }

    /// Whether there is nothing but the empty chains that palisade creates.
    pub(crate) fn is_empty(&self) -> bool {
        !self.holds
    }
}
