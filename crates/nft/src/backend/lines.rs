//! What comes and goes in an area, as people read it in a plan: in nft's words.

use std::collections::{BTreeMap, HashMap, HashSet};

use palisade_core::backend::{Line, Sign};
use palisade_core::network::Name;

use super::area::Area;
use super::difference::Difference;
use super::item::key;
use super::observed::{Observed, Standing};
use crate::layout;
use crate::object::{Element, Rule};
use crate::program::{chain_in_a_line, set_in_a_line};
use crate::statement::quoted;

pub(super) fn of(
    area: &Area<'_>,
    difference: &Difference<'_>,
    observed: Option<&Observed>,
) -> Vec<Line> {
    let mut words = Words {
        area,
        lines: Vec::new(),
    };
    words.goes(difference, observed);
    words.comes(difference);
    words.lines
}

struct Words<'a> {
    area: &'a Area<'a>,
    lines: Vec<Line>,
}

impl Words<'_> {
    /// `rule ip palisade guest_output ...`
    fn tell(&mut self, network: Option<Name>, sign: Sign, object: &str, text: &str) {
        let Area { table, family, .. } = self.area;
        let family = crate::object::Family::from(*family);
        let space = if text.is_empty() { "" } else { " " };
        self.lines.push(Line {
            network,
            sign,
            text: format!("{object} {family} {table}{space}{text}"),
        });
    }

    fn rule(&mut self, sign: Sign, rule: &Rule) {
        let text = format!("{} {rule:#}", rule.chain);
        let owner = layout::tag_of_rule(rule).map(|(network, _)| network);
        self.tell(owner, sign, "rule", &text);
    }

    fn element(&mut self, network: Option<Name>, sign: Sign, (set, bytes): (&str, &[u8])) {
        let key = layout::key_text(self.area.family, set, bytes);
        let comment = network
            .as_ref()
            .map(|name| quoted(name.as_str()).to_string());
        let text = match comment {
            Some(comment) => format!("{set} {{ {key} comment {comment} }}"),
            None => format!("{set} {{ {key} }}"),
        };
        self.tell(network, sign, "element", &text);
    }

    fn goes(&mut self, difference: &Difference<'_>, observed: Option<&Observed>) {
        let area = self.area;
        let mut owners: HashMap<(&str, Vec<u8>), &Name> = HashMap::new();
        for gone in area.all_gone() {
            if let Some(key) = key(&gone.installed.item) {
                owners.insert((&gone.installed.place, key), gone.owner);
            }
        }
        let rules = difference.delete_rules.iter();
        let mut going: BTreeMap<&str, HashSet<u64>> = BTreeMap::new();
        for (chain, handle) in rules.chain(&difference.delete_skeleton_rules) {
            going.entry(chain).or_default().insert(*handle);
        }
        for (chain, handles) in going {
            let standing = observed.map_or(&[][..], |observed| observed.rules(chain));
            let is_going = |s: &&Standing| s.handle().is_some_and(|h| handles.contains(&h));
            for standing in standing.iter().filter(is_going) {
                self.rule(Sign::Goes, &standing.rule);
            }
        }
        for (set, elements) in &difference.delete_elements {
            for key in elements.keys() {
                let owner = owners.get(&(set.as_str(), key.clone())).copied().cloned();
                self.element(owner, Sign::Goes, (set, key));
            }
        }
        // With a set, its elements go, of which the batch need not speak.
        let mut with_sets: Vec<_> = owners.iter().collect();
        with_sets.retain(|((set, key), _)| {
            let is_there = |observed: &Observed| observed.has_element(set, key);
            difference.delete_sets.iter().any(|deleted| deleted == set)
                && observed.is_some_and(is_there)
        });
        with_sets.sort();
        for ((set, key), owner) in with_sets {
            self.element(Some((*owner).clone()), Sign::Goes, (set, key));
        }
        for chain in &difference.delete_chains {
            self.tell(None, Sign::Goes, "chain", chain);
        }
        for set in &difference.delete_sets {
            self.tell(None, Sign::Goes, "set", set);
        }
        if difference.delete_table {
            self.tell(None, Sign::Goes, "table", "");
        }
    }

    fn comes(&mut self, difference: &Difference<'_>) {
        if difference.add_table.is_some() {
            self.tell(None, Sign::Comes, "table", "");
        }
        for chain in &difference.add.chains {
            self.tell(None, Sign::Comes, "chain", &chain_in_a_line(chain));
        }
        for set in &difference.add.sets {
            self.tell(None, Sign::Comes, "set", &set_in_a_line(set));
        }
        for (rule, _) in &difference.add_skeleton_rules {
            self.rule(Sign::Comes, rule);
        }
        // Each is put above those before it: the last one is met first.
        let mut rules: Vec<&Rule> = difference.add_rules.iter().map(|(rule, _)| rule).collect();
        let mut chains: Vec<&str> = rules.iter().map(|rule| rule.chain.as_str()).collect();
        chains.dedup();
        let place = |chain: &str| chains.iter().position(|&other| other == chain);
        rules.reverse();
        rules.sort_by_key(|rule| place(&rule.chain));
        for rule in rules {
            self.rule(Sign::Comes, rule);
        }
        for (&set, elements) in &difference.add_elements {
            for &Element { key, userdata, .. } in elements {
                let owner = userdata.text().and_then(|owner| owner.parse().ok());
                self.element(owner, Sign::Comes, (set, key));
            }
        }
    }
}
