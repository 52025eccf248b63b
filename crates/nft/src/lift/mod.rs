//! What a table means: from a [`Program`] back to the rules of networks.
//!
//! Only what palisade itself would have written counts as understood: each rule and element is
//! read, written anew, and compared. An element counts only where the rule that asks its set
//! stands. Everything else is told as it is.

use std::collections::HashSet;
use std::convert::Infallible;

use palisade_core::Ruleset;
use palisade_core::network::Family;
use palisade_core::rules::Rule as CoreRule;
use serde::Serialize;

use crate::administrator::Administrator;
use crate::dump::{Depth, DumpError, Reader};
use crate::identity::is_same;
use crate::layout::{self, Extras, Layout, SetId, Skeleton, TableName};
use crate::object::{self, Chain, Element, ElementRef, Expression, Rule, Set};
use crate::program::{ElementOf, FilledChain, FilledSet, Program};

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
    let (mut lifting, sets) = Lifting::of(program)?;
    for (id, FilledSet { set, elements }) in sets {
        for element in elements {
            let whole = || Ok::<_, Infallible>(element.clone());
            let Ok(()) = lifting.element((id, set), element.into(), whole);
        }
    }
    Some(lifting.done())
}

/// What a table in the kernel means, if there is one and it can be ours. Elements are read where
/// they stand in the kernel's answers.
///
/// # Errors
/// If the kernel does not answer, or the ruleset changes meanwhile ([`DumpError::Restless`]).
pub fn lift_standing(
    reader: &mut Reader<'_>,
    family: object::Family,
    table: &str,
) -> Result<Option<Lifted>, DumpError> {
    let Some(program) = reader.program(family, table, Depth::Outline)? else {
        return Ok(None);
    };
    let Some((mut lifting, sets)) = Lifting::of(&program) else {
        return Ok(None);
    };
    for (id, FilledSet { set, .. }) in sets {
        reader.each_element(family, table, &set.name, |listed| {
            lifting.element((id, set), listed.seen, || listed.decode())
        })?;
    }
    Ok(Some(lifting.done()))
}

/// A table that is being lifted.
struct Lifting {
    family: Family,
    rules: Vec<CoreRule>,
    strange: Vec<Strange>,
    /// Sets that no rule asks.
    unasked: HashSet<String>,
}

/// Sets of networks, in the order in which packets meet them.
type Sets<'p> = Vec<(SetId, &'p FilledSet)>;

impl Lifting {
    /// Lifts all but elements, and tells the sets whose elements are to be lifted.
    fn of(program: &Program) -> Option<(Self, Sets<'_>)> {
        let family = match program.table.family {
            object::Family::Ip => Family::Ipv4,
            object::Family::Ip6 => Family::Ipv6,
            _ => return None,
        };
        let name: TableName = program.table.name.parse().ok()?;
        let mut lifting = Self {
            family,
            rules: Vec::new(),
            strange: Vec::new(),
            unasked: HashSet::new(),
        };
        let administrator = Administrator::of(program, &[]);
        let sets = lifting.sets(program, &administrator);
        let of_sets: Vec<SetId> = sets.iter().map(|&(id, _)| id).collect();
        for layout in Layout::ALL {
            let is_there = |chain: &&FilledChain| layout.has_chain(&chain.chain.name);
            if program.chains.iter().any(|chain| is_there(&chain)) {
                let chains = program.chains.iter();
                let extras = Extras::of_chains(chains.map(|filled| filled.chain.name.as_str()));
                let skeleton = layout.skeleton_for(&name, family, &of_sets, extras);
                lifting.lacks(program, &skeleton);
                for chain in program.chains.iter().filter(is_there) {
                    lifting.chain(&name, chain, &skeleton);
                }
            }
        }
        for chain in &program.chains {
            let chain = &chain.chain.name;
            let is_ours = Layout::ALL.iter().any(|layout| layout.has_chain(chain));
            if !is_ours && !administrator.has(chain) {
                lifting.strange.push(Strange::foreign(chain, "a chain"));
            }
        }
        Some((lifting, sets))
    }

    fn sets<'p>(&mut self, program: &'p Program, administrator: &Administrator) -> Sets<'p> {
        let mut sets = Sets::new();
        let of_networks = |filled: &&FilledSet| {
            let name = filled.set.name.as_str();
            name != layout::TRANSACTION && !administrator.has(name)
        };
        for filled in program.sets.iter().filter(of_networks) {
            match SetId::of(&filled.set) {
                Some(id) => sets.push((id, filled)),
                None => self
                    .strange
                    .push(Strange::foreign(&filled.set.name, "a set")),
            }
        }
        sets.sort_by_key(|&(id, _)| id);
        sets
    }

    /// What a skeleton has and the table has not.
    fn lacks(&mut self, program: &Program, skeleton: &Skeleton) {
        self.strange.extend(lacking_chains(program, skeleton));
        for rule in lacking_rules(program, skeleton) {
            let strange = Strange::missing(&rule.chain, format!("{rule:#}"));
            self.strange.push(strange);
            self.unasked.extend(asked_sets(rule).map(str::to_owned));
        }
    }

    /// The rules of a chain that are not of the skeleton.
    fn chain(&mut self, table: &TableName, chain: &FilledChain, skeleton: &Skeleton) {
        for rule in &chain.rules {
            let is_it = |known: &Rule| known.chain == rule.chain && is_same(known, rule);
            if skeleton.rules.iter().any(is_it) {
                continue;
            }
            match layout::read_rule(table, self.family, rule) {
                Some(read) => self.rules.push(read),
                None => {
                    let text = format!("{rule:#}");
                    self.strange.push(Strange::foreign(&chain.chain.name, text));
                }
            }
        }
    }

    /// An element of a set. `whole` is asked for all of it only if it is none of ours.
    fn element<E>(
        &mut self,
        (id, set): (SetId, &Set),
        element: ElementRef<'_>,
        whole: impl FnOnce() -> Result<Element, E>,
    ) -> Result<(), E> {
        match layout::read_element(self.family, id, element) {
            Some(read) if !self.unasked.contains(&set.name) => self.rules.extend(read),
            Some(_) => {} // Its rule is told to be missing.
            None => {
                let element = &whole()?;
                let text = format!("{:#}", ElementOf { set, element });
                self.strange.push(Strange::foreign(&set.name, text));
            }
        }
        Ok(())
    }

    fn done(self) -> Lifted {
        Lifted {
            ruleset: Ruleset::in_order(self.rules),
            strange: self.strange,
        }
    }
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
        let found = program.chain(&rule.chain);
        found.is_some_and(|chain| chain.rules.iter().any(|other| is_same(rule, other)))
    };
    skeleton.rules.iter().filter(move |rule| !stands(rule))
}

#[cfg(test)]
mod tests;
