//! Where rules that come go among those that stand.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use palisade_core::identity::Digest;

use super::area::Area;
use super::observed::{Observed, Standing};
use crate::batch::At;
use crate::identity::{comment, digest};
use crate::layout::Item;
use crate::object::Rule;

/// Gives each rule its place: below the nearest one that stands and shall be above it, or at the
/// head. `gone` are the handles of those that stand no more then. What goes below the same rule is
/// in order afterwards if it is added in the order of the answer.
pub(super) fn placed(
    rules: Vec<Rule>,
    area: &Area<'_>,
    observed: Option<&Observed>,
    gone: &HashSet<u64>,
) -> Vec<(Rule, At)> {
    let mut ranks: HashMap<(String, Digest), (Reverse<usize>, At)> = HashMap::new();
    let mut above: HashMap<String, At> = HashMap::new();
    for (rank, rule) in from_the_top(area).into_iter().enumerate() {
        let digest = digest(&rule);
        let standing = observed.and_then(|o| o.rule(&rule.chain, comment(&rule), digest));
        let handle = standing.and_then(Standing::handle);
        if let Some(handle) = handle.filter(|handle| !gone.contains(handle)) {
            above.insert(rule.chain, At::After(handle));
        } else {
            let at = above.get(&rule.chain).copied().unwrap_or(At::Head);
            ranks.insert((rule.chain, digest), (Reverse(rank), at));
        }
    }
    let mut placed: Vec<(Option<Reverse<usize>>, At, Rule)> = rules
        .into_iter()
        .map(
            |rule| match ranks.get(&(rule.chain.clone(), digest(&rule))) {
                Some(&(rank, at)) => (Some(rank), at, rule),
                None => (None, At::Head, rule),
            },
        )
        .collect();
    placed.sort_by_key(|&(rank, ..)| rank);
    placed.into_iter().map(|(_, at, rule)| (rule, at)).collect()
}

/// The rules of all networks of an area, as they shall stand from the top down.
fn from_the_top(area: &Area<'_>) -> Vec<Rule> {
    let mut rules = Vec::new();
    for &(layout, network) in area.networks.iter().rev() {
        let items = layout.items(&area.table, area.family, network);
        rules.extend(items.into_iter().rev().filter_map(|item| match item {
            Item::Rule(rule) => Some(rule),
            Item::Element { .. } => None,
        }));
    }
    rules
}
