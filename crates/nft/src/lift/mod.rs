//! What a table means: from a [`Program`] back to the rules of networks.
//!
//! Only what palisade itself would have written counts as understood: each rule and element is
//! read, written anew, and compared. An element counts only where the rule that asks its set
//! stands. Everything else is told as it is.

use std::collections::HashSet;

use palisade_core::Ruleset;
use palisade_core::network::Family;
use serde::Serialize;

use crate::layout::{self, Layout, Shape, Skeleton, TableName};
use crate::object::{self, Chain, Expression, Rule};
use crate::program::{ElementOf, FilledSet, Program};

/// The meaning of a table of ours.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lifted {
    /// The rules of networks.
    pub ruleset: Ruleset,
    /// What is there and should not be, or should be and is not.
    pub strange: Vec<Strange>,
}

/// Something that palisade would not have left so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Strange {
    /// The chain or set that it is about.
    pub place: String,
    /// What it is, in nft's words.
    pub text: String,
    /// Whether it is missing, or somebody else's.
    pub missing: bool,
}

impl Strange {
    fn foreign(place: &str, text: impl Into<String>) -> Self {
        let (place, text) = (place.to_owned(), text.into());
        Self {
            place,
            text,
            missing: false,
        }
    }

    fn missing(place: &str, text: impl Into<String>) -> Self {
        Self {
            missing: true,
            ..Self::foreign(place, text)
        }
    }
}

/// What a table means. None if it cannot be one of ours: palisade makes tables of the families ip
/// and ip6 only.
#[must_use]
pub fn lift(program: &Program) -> Option<Lifted> {
    let family = match program.table.family {
        object::Family::Ip => Family::Ipv4,
        object::Family::Ip6 => Family::Ipv6,
        _ => return None,
    };
    let name: TableName = program.table.name.parse().ok()?;
    let mut lifted = Lifted::default();
    let mut rules = Vec::new();

    let mut shapes = Vec::new();
    let of_networks = |filled: &&FilledSet| filled.set.name != layout::TRANSACTION;
    for filled in program.sets.iter().filter(of_networks) {
        match Shape::from_name(&filled.set.name) {
            Some(shape) => shapes.push((shape, filled)),
            None => lifted
                .strange
                .push(Strange::foreign(&filled.set.name, "a set")),
        }
    }
    shapes.sort_by(|(a, _), (b, _)| a.cmp(b));
    let of_sets: Vec<Shape> = shapes.iter().map(|(shape, _)| shape.clone()).collect();

    let mut unasked = HashSet::new();
    for layout in Layout::ALL {
        let is_there = |chain: &crate::program::FilledChain| layout.has_chain(&chain.chain.name);
        if program.chains.iter().any(is_there) {
            let skeleton = layout.skeleton_for(&name, family, &of_sets);
            lifted.strange.extend(lacking_chains(program, &skeleton));
            for rule in lacking_rules(program, &skeleton) {
                let strange = Strange::missing(&rule.chain, format!("{rule:#}"));
                lifted.strange.push(strange);
                unasked.extend(asked_sets(rule).map(str::to_owned));
            }
            for chain in program.chains.iter().filter(|chain| is_there(chain)) {
                for rule in &chain.rules {
                    let text = format!("{rule:#}");
                    if skeleton
                        .rules
                        .iter()
                        .any(|known| known.chain == rule.chain && format!("{known:#}") == text)
                    {
                        continue;
                    }
                    match layout::read_rule(&name, family, rule) {
                        Some(read) => rules.push(read),
                        None => lifted
                            .strange
                            .push(Strange::foreign(&chain.chain.name, text)),
                    }
                }
            }
        }
    }
    for chain in &program.chains {
        let chain = &chain.chain.name;
        if !Layout::ALL.iter().any(|layout| layout.has_chain(chain)) {
            lifted.strange.push(Strange::foreign(chain, "a chain"));
        }
    }

    for (shape, filled) in shapes {
        let is_asked = !unasked.contains(&filled.set.name);
        for element in &filled.elements {
            match layout::read_element(family, &shape, element) {
                Some(read) if is_asked => rules.extend(read),
                Some(_) => {} // Its rule is told to be missing.
                None => lifted.strange.push(strange_element(filled, element)),
            }
        }
    }
    lifted.ruleset = Ruleset::in_order(rules);
    Some(lifted)
}

fn strange_element(filled: &FilledSet, element: &object::Element) -> Strange {
    let set = &filled.set;
    let text = format!("{:#}", ElementOf { set, element });
    Strange::foreign(&set.name, text)
}

/// The sets that a rule looks packets up in.
fn asked_sets(rule: &Rule) -> impl Iterator<Item = &str> {
    rule.expressions
        .iter()
        .filter_map(|expression| match expression {
            Expression::Lookup(lookup) => Some(lookup.set.as_str()),
            _ => None,
        })
}

/// The chains that a skeleton has and the table has not, or not as base chains of ours.
fn lacking_chains(program: &Program, skeleton: &Skeleton) -> Vec<Strange> {
    let lacking = |chain: &Chain| match program.chain(&chain.name) {
        None => Some(Strange::missing(&chain.name, "the chain")),
        Some(found) if found.chain.base != chain.base => Some(Strange::missing(
            &chain.name,
            "the chain's hook, priority or policy",
        )),
        Some(_) => None,
    };
    skeleton.chains.iter().filter_map(lacking).collect()
}

/// The rules that a skeleton has and the table has not.
fn lacking_rules<'s>(program: &Program, skeleton: &'s Skeleton) -> impl Iterator<Item = &'s Rule> {
    let stands = |rule: &Rule| {
        let text = format!("{rule:#}");
        let found = program.chain(&rule.chain);
        found.is_some_and(|chain| chain.rules.iter().any(|r| format!("{r:#}") == text))
    };
    skeleton.rules.iter().filter(move |rule| !stands(rule))
}

#[cfg(test)]
mod tests;
