//! What stands in an area: the table as it was read, and which of it is whose.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use palisade_core::backend::Installed;

use super::item::{key, rule_text};
use crate::layout::{self, Layout};
use crate::object::{Element, Expression, Rule, Value, Verdict};
use crate::program::{ElementOf, Program};
use crate::statement::quoted;

/// A table as it stands, with its rules in words. Rules are claimed one by one for what is
/// recorded or wanted; what nobody claims is somebody else's.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) program: Program,
    rules: HashMap<String, Rules>,
    /// Keys of elements, by set: of those sets that were read.
    elements: HashMap<String, HashSet<Vec<u8>>>,
    /// Objects of kinds that no layout has, in words.
    strangers: Vec<String>,
}

/// The rules of a chain, in order, and where to find each.
#[derive(Debug, Default)]
struct Rules {
    in_order: Vec<Standing>,
    /// By what their words end in: the comment, which few rules share.
    by_tag: HashMap<String, Vec<usize>>,
}

impl Rules {
    fn new(rules: Vec<Rule>) -> Self {
        let mut all = Self::default();
        for (at, rule) in rules.into_iter().enumerate() {
            let tag = rule.userdata.text().map(commented).unwrap_or_default();
            all.by_tag.entry(tag).or_default().push(at);
            all.in_order.push(Standing {
                text: OnceCell::new(),
                claimed: layout::is_of_skeleton(&rule),
                place: at,
                rule,
            });
        }
        all
    }

    /// Where the rule is that was recorded so: the one with the recorded handle if it still has our
    /// tag, otherwise one that says the same.
    fn find(&self, recorded: &Installed) -> Option<usize> {
        let is_free = |at: &usize| self.in_order.get(*at).is_some_and(|rule| !rule.claimed);
        // Only the first builds recorded handles.
        let by_handle = recorded.handle.and_then(|handle| {
            let mut rules = self.in_order.iter();
            rules.position(|rule| rule.handle() == Some(handle) && rule.has_tag_of(recorded))
        });
        let by_text = || self.saying(&recorded.item).find(is_free);
        by_handle.filter(is_free).or_else(by_text)
    }

    /// Where the rules are that say this.
    fn saying(&self, text: &str) -> impl Iterator<Item = usize> {
        let tag = text.rfind(COMMENT).and_then(|at| text.get(at..));
        let tagged = self.by_tag.get(tag.unwrap_or_default());
        let tagged = tagged.into_iter().flatten().copied();
        tagged.filter(move |&at| {
            self.in_order
                .get(at)
                .is_some_and(|rule| rule.text() == text)
        })
    }
}

/// What stands before a rule's comment.
const COMMENT: &str = " comment ";

/// How the words of a rule with this comment end, from the last place on where a comment may begin.
fn commented(tag: &str) -> String {
    let mut end = format!("{COMMENT}{}", quoted(tag));
    let last = end.rfind(COMMENT).unwrap_or_default();
    end.drain(..last);
    end
}

/// A rule as it stands.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) rule: Rule,
    /// Its words, made when somebody asks for them: a change of one network asks for few.
    text: OnceCell<String>,
    /// How many rules of its chain stand above it.
    pub(super) place: usize,
    claimed: bool,
}

impl Standing {
    /// What it says.
    pub(super) fn text(&self) -> &str {
        self.text.get_or_init(|| rule_text(&self.rule))
    }

    /// Whether it is ours: of a skeleton, or claimed for what is recorded.
    pub(super) fn is_claimed(&self) -> bool {
        self.claimed
    }

    pub(super) fn handle(&self) -> Option<u64> {
        self.rule.handle
    }

    fn has_tag_of(&self, recorded: &Installed) -> bool {
        let tag = self.rule.userdata.text();
        tag.is_some_and(|tag| recorded.item.ends_with(&format!("comment {}", quoted(tag))))
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
            let keys = filled.elements.iter().map(|element| element.key.clone());
            elements.insert(filled.set.name.clone(), keys.collect());
        }
        Self {
            program,
            rules,
            elements,
            strangers: Vec::new(),
        }
    }

    /// Remembers that there are objects of kinds that no layout has.
    pub(super) fn learn_of_strangers(&mut self, strangers: Vec<String>) {
        self.strangers = strangers;
    }

    /// Remembers the elements of a set that was read later than the rest, in the same generation.
    pub(super) fn learn(&mut self, set: &str, elements: Vec<Element>) {
        let keys = elements.iter().map(|element| element.key.clone()).collect();
        self.elements.insert(set.to_owned(), keys);
        if let Some(filled) = self.program.sets.iter_mut().find(|s| s.set.name == set) {
            filled.elements = elements;
        }
    }

    /// The rules of a chain, in the order in which packets meet them.
    pub(super) fn rules(&self, chain: &str) -> &[Standing] {
        self.rules.get(chain).map_or(&[], |rules| &rules.in_order)
    }

    /// The first rule of a chain that says this.
    pub(super) fn rule(&self, chain: &str, text: &str) -> Option<&Standing> {
        let rules = self.rules.get(chain)?;
        let at = rules.saying(text).next()?;
        rules.in_order.get(at)
    }

    /// The rule that is recorded so, if it stands. Each is found once.
    pub(super) fn claim(&mut self, recorded: &Installed) -> Option<&Standing> {
        let rules = self.rules.get_mut(&recorded.place)?;
        let at = rules.find(recorded)?;
        let standing = rules.in_order.get_mut(at)?;
        standing.claimed = true;
        Some(standing)
    }

    /// A rule that nobody claims and that has the tag of one that is not found: somebody changed it.
    pub(super) fn claim_changed(&mut self, recorded: &Installed) -> Option<&Standing> {
        let rules = self.rules.get_mut(&recorded.place)?;
        let mut free = rules.in_order.iter_mut().filter(|rule| !rule.claimed);
        let standing = free.find(|rule| rule.has_tag_of(recorded))?;
        standing.claimed = true;
        Some(standing)
    }

    /// Whether an element stands.
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
            tell("", stranger.clone(), None);
        }
        for chain in &self.program.chains {
            let name = &chain.chain.name;
            if !Layout::ALL.iter().any(|layout| layout.has_chain(name)) {
                tell(name, format!("chain `{name}`"), None);
            }
            for standing in self.rules(name).iter().filter(|s| !s.claimed) {
                let text = format!("chain `{name}`: {}", standing.text());
                tell(name, text, Some(&standing.rule));
            }
        }
        let mut ours: HashMap<&str, HashSet<Vec<u8>>> = HashMap::new();
        for installed in recorded {
            if let Some(key) = key(&installed.item) {
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
            let is_ours = |key: &Vec<u8>| {
                let is_marker = is_for_markers && layout::is_marker(key);
                is_marker || ours.get(name).is_some_and(|keys| keys.contains(key))
            };
            for element in filled.elements.iter().filter(|e| !is_ours(&e.key)) {
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
