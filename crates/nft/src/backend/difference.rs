//! From an area and what stands in it to what has to come and go.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use palisade_core::backend::{Installed, Line};

use super::area::{Area, Gone};
use super::clear::stays;
use super::item::{Wanted, key};
use super::observed::{Observed, Standing};
use super::place::placed;
use crate::batch::At;
use crate::layout::{self, Item, Layout, Skeleton};
use crate::object::{self, Element, Rule};

/// What to do in one area.
#[derive(Debug, Default)]
pub(super) struct Difference<'a> {
    pub(super) family: Option<object::Family>,
    pub(super) table: String,
    /// The whole table goes, and nothing else need be said.
    pub(super) delete_table: bool,
    pub(super) delete_rules: Vec<(String, u64)>,
    pub(super) delete_elements: BTreeMap<String, BTreeMap<Vec<u8>, Element>>,
    pub(super) delete_skeleton_rules: Vec<(String, u64)>,
    pub(super) delete_chains: Vec<String>,
    pub(super) delete_sets: Vec<String>,
    /// The table has no set for the marker yet.
    pub(super) lacks_transaction: bool,
    /// The table is there afterwards.
    pub(super) remains: bool,
    pub(super) add_table: Option<object::Table>,
    pub(super) add: Skeleton,
    pub(super) add_skeleton_rules: Vec<(Rule, At)>,
    pub(super) add_rules: Vec<(Rule, At)>,
    pub(super) add_elements: BTreeMap<&'a str, Vec<&'a Element>>,
    /// Networks of [`Area::restored`] that are mended here.
    pub(super) mended: HashSet<usize>,
    pub(super) notes: Vec<String>,
    /// What comes and goes in words, if that was asked for.
    pub(super) lines: Vec<Line>,
}

/// What is known of the elements that stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// Those that are recorded, since nobody has touched the ruleset.
    Records,
    /// Those that were read.
    Kernel,
}

pub(super) fn between<'a>(
    area: &'a Area<'_>,
    observed: Option<&mut Observed>,
    trust: Trust,
) -> Difference<'a> {
    let mut difference = Difference {
        family: Some(area.family.into()),
        table: area.table.to_string(),
        ..Difference::default()
    };
    let skeletons = area.skeletons();
    let transaction = |o: &Observed| o.program.set(layout::TRANSACTION).is_some();
    // A new table gets one at once.
    difference.lacks_transaction = observed.as_deref().is_some_and(|o| !transaction(o));
    difference.remains = !skeletons.is_empty();
    match (observed, skeletons.is_empty()) {
        (None, true) => {}
        (None, false) if area.added.is_empty() && area.restored.is_empty() => {
            difference.remains = false;
        }
        (None, false) => {
            difference.add_table = Some(layout::table(&area.table, area.family));
            difference.come(area, &skeletons, None, trust);
        }
        (Some(observed), true) => difference.vanish(area, observed),
        (Some(observed), false) => difference.change(area, observed, &skeletons, trust),
    }
    difference
}

impl<'a> Difference<'a> {
    /// What is recorded goes and what is wanted comes, where nobody touched the ruleset since it was
    /// recorded, and the same stands around both ([`Area::has_settled`]).
    pub(super) fn settled(area: &'a Area<'_>) -> Self {
        let mut difference = Self {
            family: Some(area.family.into()),
            table: area.table.to_string(),
            remains: !area.places_after().is_empty(),
            ..Self::default()
        };
        let staying = area.staying_elements();
        for Gone {
            owner, installed, ..
        } in area.all_gone()
        {
            let set = installed.place.as_str();
            if let Some(key) = key(&installed.item)
                && staying.get(&(set, key.as_slice())) != Some(&owner.as_str())
            {
                difference.delete_element(set, key);
            }
        }
        for (_, wanted) in &area.added {
            match &wanted.item {
                Item::Rule(rule) => difference.add_rules.push((rule.clone(), At::Head)),
                Item::Element { element, .. } if !area.is_gone(wanted) => {
                    difference.add_element(&wanted.installed.place, element);
                }
                Item::Element { .. } => {}
            }
        }
        difference
    }

    /// Nothing of ours shall be left.
    fn vanish(&mut self, area: &Area<'_>, observed: &mut Observed) {
        let gone: Vec<&Installed> = area.all_gone().map(|gone| gone.installed).collect();
        self.go(area, observed, Trust::Kernel, &HashMap::new());
        let foreign = observed.foreign(&gone);
        if foreign.is_empty() {
            self.delete_table = true;
        } else {
            self.remains = true;
            self.notes
                .push(stays(area, "table", &area.table.to_string(), &foreign));
        }
    }

    fn change(
        &mut self,
        area: &'a Area<'_>,
        observed: &mut Observed,
        skeletons: &[(Layout, Skeleton)],
        trust: Trust,
    ) {
        self.go(area, observed, trust, &area.staying_elements());
        self.come(area, skeletons, Some(observed), trust);
        self.clear(area, observed, skeletons);
    }

    /// What is recorded goes, as far as it stands; elements that come again stay, with what they
    /// counted.
    fn go(
        &mut self,
        area: &Area<'_>,
        observed: &mut Observed,
        trust: Trust,
        staying: &HashMap<(&str, &[u8]), &str>,
    ) {
        let mut changed = Vec::new();
        for gone in area.all_gone() {
            let Gone {
                restored,
                owner,
                installed,
            } = gone;
            if let Some(key) = key(&installed.item).filter(|_| is_element(observed, installed)) {
                let set = installed.place.as_str();
                let stands = trust == Trust::Records || observed.has_element(set, &key);
                // One that comes for another network gets that one's comment, and counts anew.
                let stays = staying.get(&(set, key.as_slice())) == Some(&owner.as_str());
                if stands && !stays {
                    self.delete_element(set, key);
                    self.mended.extend(restored);
                }
            } else if let Some(handle) = observed.claim(installed).and_then(Standing::handle) {
                self.delete_rules.push((installed.place.clone(), handle));
                self.mended.extend(restored);
            } else {
                changed.push(gone);
            }
        }
        // After all that say what they said: a rule with our comment that stands instead of one of
        // them is ours, whoever changed it.
        for Gone {
            restored,
            installed,
            ..
        } in changed
        {
            let standing = observed.claim_changed(installed);
            if let Some(handle) = standing.and_then(Standing::handle) {
                self.delete_rules.push((installed.place.clone(), handle));
                self.mended.extend(restored);
            }
        }
    }

    fn come(
        &mut self,
        area: &'a Area<'_>,
        skeletons: &[(Layout, Skeleton)],
        mut observed: Option<&mut Observed>,
        trust: Trust,
    ) {
        if area.added.is_empty() && area.restored.is_empty() {
            return; // Whoever takes away puts nothing back.
        }
        for (_, skeleton) in skeletons {
            self.mend_skeleton(skeleton, observed.as_deref());
        }
        self.mended.extend(self.without_skeleton(area));
        let mut rules = self.restore(area, observed.as_deref_mut(), trust);
        let is_among_others = !rules.is_empty() || area.comes_between;
        for (_, wanted) in &area.added {
            match &wanted.item {
                Item::Rule(rule) => {
                    let counted = counted(observed.as_deref(), area, wanted);
                    rules.push(counted.unwrap_or_else(|| rule.clone()));
                }
                Item::Element { element, .. } => {
                    let set = wanted.installed.place.as_str();
                    let stands = match (trust, &observed) {
                        (_, None) => false,
                        (Trust::Records, Some(_)) => area.is_gone(wanted),
                        (Trust::Kernel, Some(observed)) => {
                            observed.has_element(set, &element.key)
                                && !self.deletes_element(set, &element.key)
                        }
                    };
                    if !stands {
                        self.add_element(set, element);
                    }
                }
            }
        }
        self.add_rules = if is_among_others {
            let gone = self.delete_rules.iter().map(|&(_, handle)| handle);
            placed(rules, area, observed.as_deref(), &gone.collect())
        } else {
            // Later networks stand above earlier ones.
            rules.into_iter().map(|rule| (rule, At::Head)).collect()
        };
    }

    /// The networks that stay and need something of a skeleton that comes: what only those need that
    /// come with it, nobody was without.
    fn without_skeleton(&self, area: &Area<'_>) -> BTreeSet<usize> {
        let is_whole = self.add.chains.is_empty()
            && self.add.sets.is_empty()
            && self.add_skeleton_rules.is_empty();
        let mut without = BTreeSet::new();
        if is_whole {
            return without;
        }
        let mut places: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
        for (network, wanted) in &area.restored {
            let of_network = places.entry(*network).or_default();
            of_network.insert(&wanted.installed.place);
        }
        // There are many networks, and few kinds of them.
        let mut kinds: BTreeMap<BTreeSet<&str>, Vec<usize>> = BTreeMap::new();
        for (network, places) in places {
            kinds.entry(places).or_default().push(network);
        }
        for (places, networks) in kinds {
            let needed = area.skeletons_for(places);
            if needed.iter().any(|(_, skeleton)| self.comes_of(skeleton)) {
                without.extend(networks);
            }
        }
        without
    }

    /// Whether something of a skeleton comes.
    fn comes_of(&self, skeleton: &Skeleton) -> bool {
        let comes = |rule: &Rule| {
            self.add_skeleton_rules
                .iter()
                .any(|(other, _)| other == rule)
        };
        let Skeleton {
            chains,
            sets,
            rules,
        } = skeleton;
        chains.iter().any(|chain| self.add.chains.contains(chain))
            || sets.iter().any(|set| self.add.sets.contains(set))
            || rules.iter().any(comes)
    }

    /// Puts back what is missing of networks that stay: elements. Rules are only named, from the
    /// bottom up.
    fn restore(
        &mut self,
        area: &'a Area<'_>,
        mut observed: Option<&mut Observed>,
        trust: Trust,
    ) -> Vec<Rule> {
        let (mut missing, mut lost) = (Vec::new(), Vec::new());
        if trust == Trust::Records {
            return missing;
        }
        for (network, wanted) in &area.restored {
            match &wanted.item {
                Item::Rule(rule) => {
                    let found = observed
                        .as_deref_mut()
                        .and_then(|o| o.claim(&wanted.installed));
                    if found.is_none() {
                        // One that only goes to another place goes there with what it counted.
                        let counted = counted(observed.as_deref(), area, wanted);
                        missing.push(counted.unwrap_or_else(|| rule.clone()));
                        self.mended.insert(*network);
                        lost.push(&wanted.installed);
                    }
                }
                Item::Element { element, .. } => {
                    let set = wanted.installed.place.as_str();
                    let stands = |o: &Observed| o.has_element(set, &element.key);
                    if !observed.as_deref().is_some_and(stands) {
                        self.add_element(set, element);
                        self.mended.insert(*network);
                    }
                }
            }
        }
        // What somebody made of a rule of ours goes when the rule comes back.
        for installed in lost {
            let standing = observed
                .as_deref_mut()
                .and_then(|o| o.claim_changed(installed));
            if let Some(handle) = standing.and_then(Standing::handle) {
                self.delete_rules.push((installed.place.clone(), handle));
            }
        }
        missing
    }

    fn deletes_element(&self, set: &str, key: &[u8]) -> bool {
        let elements = self.delete_elements.get(set);
        elements.is_some_and(|elements| elements.contains_key(key))
    }

    fn delete_element(&mut self, set: &str, key: Vec<u8>) {
        let elements = self.delete_elements.entry(set.to_owned()).or_default();
        elements.insert(key.clone(), Element::of_key(key));
    }

    fn add_element(&mut self, set: &'a str, element: &'a Element) {
        self.add_elements.entry(set).or_default().push(element);
    }

    fn mend_skeleton(&mut self, skeleton: &Skeleton, observed: Option<&Observed>) {
        let has_chain = |name: &str| observed.is_some_and(|o| o.program.chain(name).is_some());
        let has_set = |name: &str| observed.is_some_and(|o| o.program.set(name).is_some());
        let chains = skeleton
            .chains
            .iter()
            .filter(|chain| !has_chain(&chain.name));
        self.add.chains.extend(chains.cloned());
        let sets = skeleton.sets.iter().filter(|set| !has_set(&set.name));
        self.add.sets.extend(sets.cloned());
        for (i, rule) in skeleton.rules.iter().enumerate() {
            let Some(observed) = observed else {
                self.add_skeleton_rules.push((rule.clone(), At::End));
                continue;
            };
            let handle_of = |rule: &Rule| {
                let standing = observed.rule(&rule.chain, &format!("{rule:#}"));
                standing.and_then(Standing::handle)
            };
            if handle_of(rule).is_none() {
                let mut below = skeleton.rules[i + 1..]
                    .iter()
                    .filter(|r| r.chain == rule.chain);
                let at = below.find_map(handle_of).map_or(At::End, At::Before);
                self.add_skeleton_rules.push((rule.clone(), at));
            }
        }
    }
}

fn is_element(observed: &Observed, installed: &Installed) -> bool {
    observed.program.set(&installed.place).is_some()
}

/// A rule that goes and comes again, with what it has counted.
fn counted(observed: Option<&Observed>, area: &Area<'_>, wanted: &Wanted) -> Option<Rule> {
    if !area.is_gone(wanted) {
        return None;
    }
    let Item::Rule(rule) = &wanted.item else {
        return None;
    };
    let same = observed?.rule(&rule.chain, &wanted.installed.item)?;
    Some(Rule {
        expressions: same.rule.expressions.clone(),
        ..rule.clone()
    })
}
