//! What of a layout is installed in a table and not needed any more.

use std::collections::HashSet;

use super::observed::{Foreign, Observed, Standing};
use crate::layout::{self, Layout, Skeleton};
use crate::object::Rule;

/// What of a layout is installed and not needed.
pub(super) struct Surplus<'o> {
    pub(super) chains: Vec<&'o str>,
    pub(super) sets: Vec<&'o str>,
    pub(super) rules: Vec<&'o Rule>,
}

impl<'o> Surplus<'o> {
    pub(super) fn of(
        layout: Layout,
        observed: &'o Observed,
        skeletons: &[(Layout, Skeleton)],
    ) -> Self {
        let needed = || skeletons.iter().map(|(_, skeleton)| skeleton);
        let needs_chain = |name: &str| {
            let mut chains = needed().flat_map(|skeleton| &skeleton.chains);
            chains.any(|chain| chain.name == name)
        };
        let needs_set = |name: &str| {
            let mut sets = needed().flat_map(|skeleton| &skeleton.sets);
            sets.any(|set| set.name == name)
        };
        let chains = observed
            .program
            .chains
            .iter()
            .map(|c| c.chain.name.as_str());
        let chains: Vec<&str> = chains.filter(|name| layout.has_chain(name)).collect();
        let sets = observed
            .program
            .sets
            .iter()
            .map(|set| set.set.name.as_str());
        let sets = sets.filter(|name| layout.has_set(name) && !needs_set(name));
        let rules = chains.iter().flat_map(|chain| observed.rules(chain));
        let rules = rules.filter(|standing| layout::is_of_skeleton(&standing.rule));
        let needed_rules: HashSet<_> = needed()
            .flat_map(|skeleton| &skeleton.rules)
            .map(|rule| (rule.chain.as_str(), crate::identity::digest(rule)))
            .collect();
        let is_needed = |s: &Standing| needed_rules.contains(&(s.rule.chain.as_str(), s.digest()));
        let rules = rules.filter(|standing| standing.handle().is_some() && !is_needed(standing));
        Self {
            rules: rules.map(|standing| &standing.rule).collect(),
            sets: sets.collect(),
            chains: chains
                .into_iter()
                .filter(|name| !needs_chain(name))
                .collect(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.chains.is_empty() && self.sets.is_empty() && self.rules.is_empty()
    }

    /// Whether something foreign is in it, or leads to it.
    pub(super) fn serves(&self, foreign: &Foreign) -> bool {
        let is_used = |place: &str| self.chains.contains(&place) || self.sets.contains(&place);
        is_used(&foreign.place) || foreign.leads_to.iter().any(|place| is_used(place))
    }
}
