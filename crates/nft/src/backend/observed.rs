//! What stands in an area: the table as it was read, and which of it is whose.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use palisade_core::backend::Installed;
use palisade_core::identity::{Digest, RuleIdentity};

use crate::identity::{comment, digest};
use crate::layout::{self, Layout};
use crate::object::{Element, ElementRef, Expression, Rule, Value, Verdict};
use crate::program::{ElementOf, Program};
use crate::wire::Stranger;

/// A table as it is installed. Rules are claimed one by one for what is recorded or wanted; those that no
/// one claims are foreign.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) program: Program,
    rules: HashMap<String, Rules>,
    /// What identifies elements, by set: of those sets that were read.
    elements: HashMap<String, HashSet<Vec<u8>>>,
    /// Objects of kinds that no layout has.
    strangers: Vec<Stranger>,
}

/// The rules of a chain, in order, and where to find each.
#[derive(Debug, Default)]
struct Rules {
    in_order: Vec<Standing>,
    /// By comment, which few rules share.
    by_comment: HashMap<String, Vec<usize>>,
}

impl Rules {
    fn new(rules: Vec<Rule>) -> Self {
        let mut all = Self::default();
        for (place, rule) in rules.into_iter().enumerate() {
            let commented = all.by_comment.entry(comment(&rule).to_owned()).or_default();
            commented.push(place);
            all.in_order.push(Standing {
                digest: OnceCell::new(),
                claimed: layout::is_of_skeleton(&rule),
                place,
                rule,
            });
        }
        all
    }

    /// The first rule that has this comment and does the same.
    fn find(&self, comment: &str, digest: Digest) -> Option<&Standing> {
        let places = self.by_comment.get(comment)?.iter();
        let mut rules = places.filter_map(|&place| self.in_order.get(place));
        rules.find(|standing| standing.digest() == digest)
    }

    /// The first rule that has this comment, that no one claimed, and for which this holds; it is claimed.
    fn claim(&mut self, comment: &str, is_it: impl Fn(&Standing) -> bool) -> Option<&Standing> {
        let is_free = |&&place: &&usize| {
            let standing = self.in_order.get(place);
            standing.is_some_and(|standing| !standing.claimed && is_it(standing))
        };
        let place = *self.by_comment.get(comment)?.iter().find(is_free)?;
        let standing = self.in_order.get_mut(place)?;
        standing.claimed = true;
        Some(standing)
    }
}

/// A rule as it is installed.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) rule: Rule,
    /// Made when it is first needed: a change of one network needs few.
    digest: OnceCell<Digest>,
    /// How many rules of its chain stand above it.
    pub(super) place: usize,
    claimed: bool,
}

impl Standing {
    /// How it is printed.
    pub(super) fn text(&self) -> String {
        format!("{:#}", self.rule)
    }

    /// What it does.
    pub(super) fn digest(&self) -> Digest {
        *self.digest.get_or_init(|| digest(&self.rule))
    }

    /// Whether it is palisade's: of a skeleton, or claimed for what is recorded.
    pub(super) fn is_claimed(&self) -> bool {
        self.claimed
    }

    pub(super) fn handle(&self) -> Option<u64> {
        self.rule.handle
    }
}

impl Observed {
    pub(super) fn new(mut program: Program) -> Self {
        let mut rules = HashMap::new();
        for chain in &mut program.chains {
            let standing = Rules::new(std::mem::take(&mut chain.rules));
            rules.insert(chain.chain.name.clone(), standing);
        }
        let mut elements = HashMap::new();
        for filled in &program.sets {
            elements.insert(filled.set.name.clone(), identities(&filled.elements));
        }
        Self {
            program,
            rules,
            elements,
            strangers: Vec::new(),
        }
    }

    /// Remembers that there are objects of kinds that no layout has.
    pub(super) fn learn_of_strangers(&mut self, strangers: Vec<Stranger>) {
        self.strangers = strangers;
    }

    /// Remembers the elements of a set that was read later than the rest, in the same generation.
    pub(super) fn learn(&mut self, set: &str, elements: Vec<Element>) {
        self.elements.insert(set.to_owned(), identities(&elements));
        if let Some(filled) = self.program.sets.iter_mut().find(|s| s.set.name == set) {
            filled.elements = elements;
        }
    }

    /// The rules of a chain, in the order in which packets meet them.
    pub(super) fn rules(&self, chain: &str) -> &[Standing] {
        self.rules.get(chain).map_or(&[], |rules| &rules.in_order)
    }

    /// The first rule of a chain that has this comment and does the same.
    pub(super) fn rule(&self, chain: &str, comment: &str, digest: Digest) -> Option<&Standing> {
        self.rules.get(chain)?.find(comment, digest)
    }

    /// The first rule of its chain that is the same as this one.
    pub(super) fn same_as(&self, rule: &Rule) -> Option<&Standing> {
        self.rule(&rule.chain, comment(rule), digest(rule))
    }

    /// The rule that is recorded so, if it is installed. Each is found once.
    pub(super) fn claim(&mut self, recorded: &Installed) -> Option<&Standing> {
        let rules = self.rules.get_mut(&recorded.place)?;
        let RuleIdentity { comment, digest } = recorded.item.rule()?;
        rules.claim(comment, |standing| standing.digest() == *digest)
    }

    /// A rule that no one claims and that has the comment of one that is not found: another program
    /// changed it.
    pub(super) fn claim_changed(&mut self, recorded: &Installed) -> Option<&Standing> {
        let rules = self.rules.get_mut(&recorded.place)?;
        rules.claim(&recorded.item.rule()?.comment, |_| true)
    }

    /// Whether an element stands that is identified so.
    pub(super) fn has_element(&self, set: &str, key: &[u8]) -> bool {
        self.elements
            .get(set)
            .is_some_and(|keys| keys.contains(key))
    }

    /// What is in the table and not ours, in words. `recorded` are the elements that are ours; what
    /// rules are ours has been claimed before.
    pub(super) fn foreign(&self, recorded: &[&Installed]) -> Vec<Foreign> {
        let mut foreign = Vec::new();
        let mut tell = |place: &str, text: String, rule: Option<&Rule>| {
            // By itself, and by the maps that it asks; a map by its elements.
            let mut leads_to = rule.map(leads_to).unwrap_or_default();
            let maps = leads_to.iter().map(String::as_str).chain([place]);
            let by_maps: Vec<String> = maps.flat_map(|map| self.led_to_by(map)).collect();
            leads_to.extend(by_maps);
            foreign.push(Foreign {
                place: place.to_owned(),
                text,
                leads_to,
            });
        };
        for stranger in &self.strangers {
            tell("", stranger.to_string(), None);
        }
        for chain in &self.program.chains {
            let name = &chain.chain.name;
            let is_ours = Layout::ALL.iter().any(|layout| layout.has_chain(name));
            if !is_ours && !layout::is_admin_chain(name) {
                tell(name, format!("chain `{name}`"), None);
            }
            for standing in self.rules(name).iter().filter(|s| !s.claimed) {
                let text = format!("chain `{name}`: {}", standing.text());
                tell(name, text, Some(&standing.rule));
            }
        }
        let mut ours: HashMap<&str, HashSet<&[u8]>> = HashMap::new();
        for installed in recorded {
            if let Some(key) = installed.item.key() {
                ours.entry(&installed.place).or_default().insert(key);
            }
        }
        for filled in &self.program.sets {
            let name = filled.set.name.as_str();
            let is_for_markers = name == layout::TRANSACTION;
            if !is_for_markers && !Layout::ALL.iter().any(|layout| layout.has_set(name)) {
                let what = filled.set.word();
                tell(name, format!("{what} `{name}`"), None);
                continue;
            }
            let is_ours = |element: &Element| {
                let key: Vec<u8> = ElementRef::from(element).identity().collect();
                let is_marker = is_for_markers && layout::is_marker(&key);
                is_marker
                    || ours
                        .get(name)
                        .is_some_and(|keys| keys.contains(key.as_slice()))
            };
            for element in filled.elements.iter().filter(|e| !is_ours(e)) {
                let set = &filled.set;
                let element = ElementOf { set, element };
                tell(name, format!("set `{name}`: {element:#}"), None);
            }
        }
        foreign
    }

    /// The chains to which elements of a map lead.
    fn led_to_by(&self, map: &str) -> impl Iterator<Item = String> {
        let elements = self.program.set(map).map_or(&[][..], |map| &map.elements);
        elements
            .iter()
            .filter_map(|element| target(element))
            .cloned()
    }
}

/// What identifies each of these elements.
fn identities(elements: &[Element]) -> HashSet<Vec<u8>> {
    let each = elements.iter().map(ElementRef::from);
    each.map(|element| element.identity().collect()).collect()
}

/// The chain to which an element of a map leads.
pub(super) fn target(element: &Element) -> Option<&String> {
    match &element.value {
        Some(Value::Verdict(Verdict::Jump(chain) | Verdict::Goto(chain))) => Some(chain),
        _ => None,
    }
}

/// Something in our table that is not ours.
#[derive(Debug, Clone)]
pub(super) struct Foreign {
    /// The chain or set that it is, or is in.
    pub(super) place: String,
    pub(super) text: String,
    /// The chains and sets that it needs.
    pub(super) leads_to: Vec<String>,
}

/// The chains and sets that a rule needs.
pub(super) fn leads_to(rule: &Rule) -> Vec<String> {
    let target = |expression: &Expression| match expression {
        Expression::Verdict(Verdict::Jump(chain) | Verdict::Goto(chain)) => Some(chain.clone()),
        Expression::Lookup(lookup) => Some(lookup.set.clone()),
        _ => None,
    };
    rule.expressions.iter().filter_map(target).collect()
}
