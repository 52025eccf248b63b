//! Parts of a layout that no network needs any more, and that stand because something of somebody
//! else's is in them, or leads to them.

use std::collections::BTreeSet;

use super::members::Members;
use super::observed::{Observed, leads_to};
use crate::layout::{self, Layout};
use crate::object::Rule;
use crate::program::Program;

/// What is left over of layouts.
#[derive(Debug, Default)]
pub(super) struct Leftovers {
    /// Chains and sets that are kept for others' sake.
    kept: BTreeSet<String>,
}

impl Leftovers {
    /// What stands beyond what is expected, as [`clear`](super::difference::Difference::clear)
    /// left it: all of a layout, if one part of it is needed by others.
    pub(super) fn of(expected: &Program, observed: &Observed, members: &Members<'_>) -> Self {
        let mut kept = BTreeSet::new();
        for layout in Layout::ALL {
            let chains = observed.program.chains.iter().map(|c| &c.chain.name);
            let chains =
                chains.filter(|name| layout.has_chain(name) && expected.chain(name).is_none());
            let sets = observed.program.sets.iter().map(|s| &s.set.name);
            let sets = sets.filter(|name| layout.has_set(name) && expected.set(name).is_none());
            let parts: BTreeSet<String> = chains.chain(sets).cloned().collect();
            let mut all = observed.program.chains.iter().map(|c| &c.chain.name);
            let is_held = all.any(|chain| {
                let rules = observed.rules(chain).iter().map(|standing| &standing.rule);
                let mut foreign = rules.filter(|rule| !layout::is_of_skeleton(rule));
                foreign.any(|rule| parts.contains(chain) || leads_into(rule, &parts))
            });
            if is_held
                || !parts.is_disjoint(members.targets())
                || parts
                    .iter()
                    .any(|set| members.foreign(set).next().is_some())
            {
                kept.extend(parts);
            }
        }
        Self { kept }
    }

    /// Whether a chain or a set is kept for others' sake.
    pub(super) fn has(&self, place: &str) -> bool {
        self.kept.contains(place)
    }

    /// Whether a rule of a skeleton only serves what is kept so.
    pub(super) fn serves(&self, rule: &Rule) -> bool {
        layout::is_of_skeleton(rule) && leads_into(rule, &self.kept)
    }
}

fn leads_into(rule: &Rule, places: &BTreeSet<String>) -> bool {
    leads_to(rule).iter().any(|place| places.contains(place))
}
