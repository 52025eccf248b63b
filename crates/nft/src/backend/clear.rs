//! What of a layout goes with the last network that needs it, and what keeps it.

use std::collections::HashSet;

use palisade_core::backend::Installed;

use super::area::Area;
use super::difference::Difference;
use super::observed::{Foreign, Observed};
use crate::layout::{self, Layout, Skeleton};
use crate::object;

impl Difference<'_> {
    /// What skeletons no longer need goes, unless something of somebody else's needs it.
    pub(super) fn clear(
        &mut self,
        area: &Area<'_>,
        observed: &Observed,
        skeletons: &[(Layout, Skeleton)],
    ) {
        let needs_chain = |name: &str| {
            let mut chains = skeletons.iter().flat_map(|(_, skeleton)| &skeleton.chains);
            chains.any(|chain| chain.name == name)
        };
        let needs_set = |name: &str| {
            let mut sets = skeletons.iter().flat_map(|(_, skeleton)| &skeleton.sets);
            sets.any(|set| set.name == name)
        };
        let needed_rules: HashSet<(&str, String)> = skeletons
            .iter()
            .flat_map(|(_, skeleton)| &skeleton.rules)
            .map(|rule| (rule.chain.as_str(), format!("{rule:#}")))
            .collect();
        for layout in Layout::ALL {
            let chains: Vec<&str> = observed
                .program
                .chains
                .iter()
                .map(|chain| chain.chain.name.as_str())
                .filter(|name| layout.has_chain(name))
                .collect();
            let sets: Vec<&str> = observed
                .program
                .sets
                .iter()
                .map(|set| set.set.name.as_str())
                .filter(|name| layout.has_set(name) && !needs_set(name))
                .collect();
            let surplus: Vec<&str> = chains
                .iter()
                .copied()
                .filter(|name| !needs_chain(name))
                .collect();
            let rules: Vec<(String, u64)> = chains
                .iter()
                .flat_map(|chain| observed.rules(chain))
                .filter(|standing| layout::is_of_skeleton(&standing.rule))
                .filter(|s| !needed_rules.contains(&(s.rule.chain.as_str(), s.text().to_owned())))
                .filter_map(|s| Some((s.rule.chain.clone(), s.handle()?)))
                .collect();
            if surplus.is_empty() && sets.is_empty() && rules.is_empty() {
                continue;
            }
            let gone: Vec<&Installed> = area.all_gone().map(|gone| gone.installed).collect();
            let mut foreign = observed.foreign(&gone);
            foreign.retain(|foreign| {
                let is_used = |place: &str| surplus.contains(&place) || sets.contains(&place);
                is_used(&foreign.place) || foreign.leads_to.iter().any(|place| is_used(place))
            });
            if foreign.is_empty() {
                self.delete_skeleton_rules.extend(rules);
                self.delete_chains
                    .extend(surplus.into_iter().map(str::to_owned));
                self.delete_sets.extend(sets.into_iter().map(str::to_owned));
            } else {
                self.notes
                    .push(stays(area, "layout", layout.name(), &foreign));
            }
        }
        // Elements go with their set.
        for set in &self.delete_sets {
            self.delete_elements.remove(set);
        }
    }
}

/// What people are told of something that stays for others' sake.
pub(super) fn stays(area: &Area<'_>, what: &str, name: &str, foreign: &[Foreign]) -> String {
    let family = object::Family::from(area.family);
    let what = match what {
        "table" => format!("table {family} `{name}`"),
        other => format!(
            "part of {other} `{name}` in table {family} `{}`",
            area.table
        ),
    };
    let held: Vec<&str> = foreign.iter().take(3).map(|f| f.text.as_str()).collect();
    let more = match foreign.len().saturating_sub(held.len()) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    format!(
        "{what} stays, since it holds what palisade did not put there: {}{more}",
        held.join("; ")
    )
}
