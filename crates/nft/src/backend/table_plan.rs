//! The plan for one table: from what it must hold and what is known of it to the operations between.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem;

use palisade_core::backend::Installed;

use super::alike;
use super::area::{Area, Gone};
use super::item::{Wanted, element_of};
use super::known::Known;
use super::notes::stays;
use super::observed::Observed;
use super::operation::{Operation, TableId};
use super::place::placed;
use super::spared::Spared;
use super::surplus::Surplus;
use super::verify::is_dormant;
use crate::administrator::{ANONYMOUS, Administrator};
use crate::batch::At;
use crate::layout::{self, Item, Layout, Skeleton};
use crate::object::{Element, ElementRef, Rule, Userdata};
use crate::program::{FilledSet, Program};

/// What is done to one table. Rounds go over all tables of a batch, one after the other, so that what is
/// deleted makes room for what is added, whichever table it is in.
#[derive(Debug)]
pub(super) struct TablePlan {
    pub(super) id: TableId,
    pub(super) rounds: [Vec<Operation>; ROUNDS],
    /// Whether the table is there afterwards.
    pub(super) remains: bool,
    /// Whether the table is there before, without a set for the marker.
    pub(super) lacks_transaction: bool,
    /// Networks of [`Area::restored`] of which something is restored.
    pub(super) restored: BTreeSet<usize>,
    /// What is installed afterwards for networks that are added, and for those that are looked at.
    pub(super) installed: [Vec<(usize, Installed)>; 2],
    pub(super) notes: Vec<String>,
}

/// Items are deleted, what is around them is deleted, what is around them is added, items are added.
pub(super) const ROUNDS: usize = 4;

impl TablePlan {
    /// The operations that turn a table into what an area must hold.
    pub(super) fn new(mut area: Area<'_>, mut known: Known) -> Self {
        let items = Items::of(&mut area);
        let mut draft = Draft::new(&area, &known);
        let (skeletons, is_needed) = match known {
            // All parts that are needed are there, and no others.
            Known::Recorded => (Vec::new(), !area.places_after().is_empty()),
            _ => {
                let skeletons = area.skeletons();
                let is_needed = !skeletons.is_empty();
                (skeletons, is_needed)
            }
        };
        let is_absent = matches!(known, Known::Absent);
        if !is_needed {
            draft.vanish(&mut known, &items);
            return draft.finish(items.installed());
        }
        if is_absent && items.is_empty() {
            return draft.finish(items.installed());
        }
        draft.remains = true;
        if is_absent {
            draft.add_table();
        } else {
            draft.remove(&mut known, &items);
        }
        draft.add_skeletons(&skeletons, &known, &items);
        let installed = draft.add(items, &mut known);
        if let Some(observed) = known.observed() {
            draft.clear(observed, &skeletons);
        }
        draft.finish(installed)
    }

    /// No operations.
    pub(super) fn unchanged(mut area: Area<'_>) -> Self {
        let items = Items::of(&mut area);
        Draft::new(&area, &Known::Recorded).finish(items.installed())
    }

    /// The operations that replace a table, with what its rules and elements counted: in one batch, so that
    /// there is no moment without rules. What is the administrator's stays, and the table around it.
    pub(super) fn replacing(
        mut area: Area<'_>,
        installed: Option<&Replaced>,
        spared: &Spared<'_>,
    ) -> Self {
        let restored: Vec<_> = mem::take(&mut area.restored);
        let networks = restored.iter().map(|&(network, _)| network).collect();
        let mut draft = Draft::new(&area, &Known::Absent);
        let mut new = Program::of(&area.table, area.family, &area.networks);
        if let Some(new) = &mut new {
            spared.leave(new, installed.map(|installed| &installed.observed));
        }
        let mut kept = None;
        match installed {
            Some(Replaced {
                observed,
                administrator,
            }) if !administrator.is_empty() => {
                draft.lacks_transaction = lacks_transaction(observed);
                kept = Some(draft.empty(observed, administrator, new.as_ref()));
            }
            Some(_) => draft.rounds[1].push(Operation::DeleteTable(Vec::new())),
            None => {}
        }
        draft.remains = new.is_some() || kept.is_some();
        if let Some(new) = new {
            draft.add_program(new, installed.map(|installed| &installed.observed), kept);
        }
        draft.restored = networks;
        let installed = restored
            .into_iter()
            .map(|(i, wanted)| (i, wanted.installed));
        draft.finish([Vec::new(), installed.collect()])
    }

    /// All operations, in the order in which they are sent.
    pub(super) fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.rounds.iter().flatten()
    }
}

/// What networks need.
struct Items {
    /// Of those that are added, by their place in [`Change::add`](palisade_core::backend::Change::add).
    added: Vec<(usize, Wanted)>,
    /// Of those that are looked at, by their place in
    /// [`Change::restore`](palisade_core::backend::Change::restore).
    restored: Vec<(usize, Wanted)>,
}

impl Items {
    fn of(area: &mut Area<'_>) -> Self {
        Self {
            added: mem::take(&mut area.added),
            restored: mem::take(&mut area.restored),
        }
    }

    fn is_empty(&self) -> bool {
        self.added.is_empty() && self.restored.is_empty()
    }

    fn installed(self) -> [Vec<(usize, Installed)>; 2] {
        let installed = |all: Vec<(usize, Wanted)>| all.into_iter().map(|(i, w)| (i, w.installed));
        [
            installed(self.added).collect(),
            installed(self.restored).collect(),
        ]
    }

    /// The elements that must be installed, by set and key, and whose they are.
    fn elements(&self) -> HashMap<(&str, &[u8]), &str> {
        let mut owners = HashMap::new();
        for (_, wanted) in self.added.iter().chain(&self.restored) {
            if let Item::Element { element, .. } = &wanted.item {
                let set = wanted.installed.place.as_str();
                let owner = element.userdata.text().unwrap_or_default();
                let key = wanted.installed.item.key().unwrap_or_default();
                owners.insert((set, key), owner);
            }
        }
        owners
    }
}

/// A plan as it is made.
struct Draft<'a, 'c> {
    area: &'a Area<'c>,
    rounds: [Vec<Operation>; ROUNDS],
    remains: bool,
    lacks_transaction: bool,
    /// Each with its place in its chain.
    delete_rules: Vec<(usize, Rule)>,
    delete_elements: BTreeMap<String, BTreeMap<Vec<u8>, Element>>,
    add_elements: BTreeMap<String, Vec<Element>>,
    restored: BTreeSet<usize>,
    notes: Vec<String>,
}

impl<'a, 'c> Draft<'a, 'c> {
    fn new(area: &'a Area<'c>, known: &Known) -> Self {
        Self {
            area,
            rounds: Default::default(),
            remains: false,
            // A new table gets one at once.
            lacks_transaction: known.observed().is_some_and(lacks_transaction),
            delete_rules: Vec::new(),
            delete_elements: BTreeMap::new(),
            add_elements: BTreeMap::new(),
            restored: BTreeSet::new(),
            notes: Vec::new(),
        }
    }

    fn finish(mut self, installed: [Vec<(usize, Installed)>; 2]) -> TablePlan {
        let deleted = self.deleted();
        self.rounds[0].extend(deleted);
        let elements = self.add_elements.into_iter();
        self.rounds[3].extend(elements.map(|(set, all)| Operation::AddElements(set, all)));
        TablePlan {
            id: TableId {
                family: self.area.family,
                name: self.area.table.clone(),
            },
            rounds: self.rounds,
            remains: self.remains,
            lacks_transaction: self.lacks_transaction,
            restored: self.restored,
            installed,
            notes: self.notes,
        }
    }

    /// The items that are deleted.
    fn deleted(&mut self) -> Vec<Operation> {
        let mut rules = mem::take(&mut self.delete_rules);
        rules.sort_by(|(a, one), (b, other)| (&one.chain, a).cmp(&(&other.chain, b)));
        let rules = rules.into_iter().map(|(_, rule)| rule);
        let elements = mem::take(&mut self.delete_elements).into_iter();
        let elements =
            elements.map(|(set, all)| Operation::DeleteElements(set, all.into_values().collect()));
        rules.map(Operation::DeleteRule).chain(elements).collect()
    }

    /// Nothing of palisade's is left.
    fn vanish(&mut self, known: &mut Known, items: &Items) {
        if known.observed().is_none() {
            return;
        }
        self.remove(known, items);
        let Some(observed) = known.observed() else {
            return;
        };
        let gone: Vec<&Installed> = self.area.all_gone().map(|gone| gone.installed).collect();
        let foreign = observed.foreign(&gone);
        if foreign.is_empty() {
            let with_it = self.deleted();
            self.rounds[1].push(Operation::DeleteTable(with_it));
        } else {
            self.remains = true;
            let note = stays(self.area, "table", self.area.table.as_str(), &foreign);
            self.notes.push(note);
        }
    }

    /// What is recorded and not wanted any more is deleted, as far as it is installed; elements that are
    /// added again stay, with what they counted.
    fn remove(&mut self, known: &mut Known, items: &Items) {
        let mut gone = self.area.all_gone().peekable();
        if gone.peek().is_none() {
            return;
        }
        let wanted = items.elements();
        let mut changed = Vec::new();
        for gone in gone {
            let Gone {
                restored,
                owner,
                installed,
            } = gone;
            if let Some(key) = installed.item.key() {
                let set = installed.place.as_str();
                let is_installed = match known.observed() {
                    Some(observed) if !known.trusts_records() => observed.has_element(set, key),
                    Some(observed) => observed.program.set(set).is_some(),
                    None => true,
                };
                // One that is added for another network gets that one's comment, and counts from zero.
                let owner = owner.comment();
                let stays = wanted.get(&(set, key)) == Some(&&*owner);
                if is_installed && !stays {
                    self.delete_element(set, key, &owner);
                    self.restored.extend(restored);
                }
                continue;
            }
            let Some(observed) = known.observed_mut() else {
                continue;
            };
            match observed.claim(installed) {
                Some(standing) if standing.handle().is_some() => {
                    let place = standing.place;
                    self.delete_rules.push((place, standing.rule.clone()));
                    self.restored.extend(restored);
                }
                _ => changed.push(gone),
            }
        }
        // After all that do what is recorded: a rule with our comment that is there instead of one of
        // them is ours, whoever changed it.
        for Gone {
            restored,
            installed,
            ..
        } in changed
        {
            if self.delete_changed(known, installed) {
                self.restored.extend(restored);
            }
        }
    }

    /// Deletes the rule that another program made of a recorded one. Returns whether there is one.
    fn delete_changed(&mut self, known: &mut Known, installed: &Installed) -> bool {
        let observed = known.observed_mut();
        let changed = observed.and_then(|observed| observed.claim_changed(installed));
        let Some(changed) = changed.filter(|changed| changed.handle().is_some()) else {
            return false;
        };
        self.delete_rules
            .push((changed.place, changed.rule.clone()));
        true
    }

    fn add_table(&mut self) {
        let Area { table, family, .. } = self.area;
        self.rounds[2].push(Operation::AddTable(
            layout::table(table, *family),
            layout::transaction_set(table, *family),
        ));
    }

    /// Adds what a table needs around its items.
    fn add_skeletons(&mut self, skeletons: &[(Layout, Skeleton)], known: &Known, items: &Items) {
        if items.is_empty() || matches!(known, Known::Recorded) {
            return; // A change that only removes restores nothing.
        }
        let Area { table, family, .. } = self.area;
        let program = known.observed().map(|observed| &observed.program);
        let mut administrators = layout::admin_chains(table, *family).to_vec();
        administrators.retain(|c| program.is_none_or(|p| p.chain(&c.name).is_none()));
        self.rounds[2].extend(administrators.into_iter().map(Operation::AddChain));
        for (_, skeleton) in skeletons {
            let program = known.observed().map(|observed| &observed.program);
            let lacks_chain = |name: &str| program.is_none_or(|p| p.chain(name).is_none());
            let lacks_set = |name: &str| program.is_none_or(|p| p.set(name).is_none());
            let chains = skeleton.chains.iter().filter(|c| lacks_chain(&c.name));
            let chains = chains.cloned().map(Operation::AddChain);
            let sets = skeleton.sets.iter().filter(|set| lacks_set(&set.name));
            let sets = sets.cloned().map(Operation::AddSet);
            self.rounds[2].extend(chains.chain(sets));
            for (i, rule) in skeleton.rules.iter().enumerate() {
                if known.handle_of(rule).is_some() {
                    continue;
                }
                let below = skeleton.rules[i + 1..].iter();
                let mut below = below.filter(|below| below.chain == rule.chain);
                let next = below.find_map(|below| known.handle_of(below));
                let at = next.map_or(At::End, At::Before);
                self.rounds[2].push(Operation::AddRule(rule.clone(), at));
            }
        }
        self.restored.extend(self.without_skeleton(items));
    }

    /// The networks that stay and need something of a skeleton that is added: what only those need that
    /// are added with it, no network was without.
    fn without_skeleton(&self, items: &Items) -> BTreeSet<usize> {
        let mut without = BTreeSet::new();
        if self.rounds[2].is_empty() {
            return without;
        }
        let mut places: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
        for (network, wanted) in &items.restored {
            let of_network = places.entry(*network).or_default();
            of_network.insert(&wanted.installed.place);
        }
        // There are many networks, and few kinds of them.
        let mut kinds: BTreeMap<BTreeSet<&str>, Vec<usize>> = BTreeMap::new();
        for (network, places) in places {
            kinds.entry(places).or_default().push(network);
        }
        for (places, networks) in kinds {
            let needed = self.area.skeletons_for(places);
            if needed.iter().any(|(_, skeleton)| self.adds_of(skeleton)) {
                without.extend(networks);
            }
        }
        without
    }

    /// Whether something of a skeleton is added.
    fn adds_of(&self, skeleton: &Skeleton) -> bool {
        self.rounds[2].iter().any(|operation| match operation {
            Operation::AddChain(chain) => skeleton.chains.contains(chain),
            Operation::AddSet(set) => skeleton.sets.contains(set),
            Operation::AddRule(rule, _) => skeleton.rules.contains(rule),
            _ => false,
        })
    }

    /// Adds what networks need, and what is missing of those that are looked at. Returns what is
    /// installed for them then.
    fn add(&mut self, items: Items, known: &mut Known) -> [Vec<(usize, Installed)>; 2] {
        let (mut rules, restored) = self.restore(items.restored, known);
        let is_among_others = !rules.is_empty() || self.area.comes_between;
        let mut added = Vec::with_capacity(items.added.len());
        for (network, wanted) in items.added {
            let replaces_its_like = self.area.is_gone(&wanted);
            let Wanted { item, installed } = wanted;
            match item {
                Item::Rule(rule) => {
                    let counted = known.observed().filter(|_| replaces_its_like);
                    rules.push(counted_as(counted, rule));
                }
                Item::Element { element, .. } => {
                    let set = installed.place.as_str();
                    let key = installed.item.key().unwrap_or_default();
                    let is_installed = match &known {
                        Known::Absent => false,
                        Known::Recorded | Known::Outline(_) => replaces_its_like,
                        Known::Whole(observed) => {
                            observed.has_element(set, key) && !self.deletes_element(set, key)
                        }
                    };
                    if !is_installed {
                        self.clear_key(set, &element, known);
                        self.add_element(set, element);
                    }
                }
            }
            added.push((network, installed));
        }
        let rules = if is_among_others {
            let gone = self.delete_rules.iter();
            let gone = gone.filter_map(|(_, rule)| rule.handle);
            placed(rules, self.area, known.observed(), &gone.collect())
        } else {
            // Later networks stand above earlier ones.
            rules.into_iter().map(|rule| (rule, At::Head)).collect()
        };
        let rules = rules
            .into_iter()
            .map(|(rule, at)| Operation::AddRule(rule, at));
        self.rounds[3].extend(rules);
        [added, restored]
    }

    /// Adds elements that are missing of networks that are looked at, and returns rules that are, from the
    /// bottom up; and what is installed for all of them.
    fn restore(
        &mut self,
        items: Vec<(usize, Wanted)>,
        known: &mut Known,
    ) -> (Vec<Rule>, Vec<(usize, Installed)>) {
        let (mut missing, mut lost) = (Vec::new(), Vec::new());
        let mut restored = Vec::with_capacity(items.len());
        let is_known = known.trusts_records();
        for (network, wanted) in items {
            let replaces_its_like = self.area.is_gone(&wanted);
            let Wanted { item, installed } = wanted;
            match item {
                _ if is_known => {}
                Item::Rule(rule) => {
                    let observed = known.observed_mut();
                    if observed.and_then(|o| o.claim(&installed)).is_none() {
                        // One that only moves is moved with what it counted.
                        let counted = known.observed().filter(|_| replaces_its_like);
                        missing.push(counted_as(counted, rule));
                        self.restored.insert(network);
                        lost.push(restored.len());
                    }
                }
                Item::Element { element, .. } => {
                    let set = installed.place.as_str();
                    let key = installed.item.key().unwrap_or_default();
                    let has = |o: &Observed| o.has_element(set, key);
                    if !known.observed().is_some_and(has) {
                        self.clear_key(set, &element, known);
                        self.add_element(set, element);
                        self.restored.insert(network);
                    }
                }
            }
            restored.push((network, installed));
        }
        // What another program made of a rule of ours is deleted when the rule is restored.
        for (_, installed) in lost.into_iter().filter_map(|lost| restored.get(lost)) {
            self.delete_changed(known, installed);
        }
        (missing, restored)
    }

    fn deletes_element(&self, set: &str, key: &[u8]) -> bool {
        let elements = self.delete_elements.get(set);
        elements.is_some_and(|elements| elements.contains_key(key))
    }

    fn delete_element(&mut self, set: &str, key: &[u8], owner: &str) {
        let element = Element {
            userdata: Userdata::comment(owner),
            ..element_of(self.area.family, set, key)
        };
        let elements = self.delete_elements.entry(set.to_owned()).or_default();
        elements.insert(key.to_vec(), element);
    }

    /// Another program may have let the key of a map lead elsewhere: the kernel takes no second element.
    fn clear_key(&mut self, set: &str, element: &Element, known: &Known) {
        if element.value.is_none() {
            return;
        }
        let Known::Whole(observed) = known else {
            return;
        };
        let filled = observed.program.set(set).into_iter();
        let mut others = filled.flat_map(|filled| &filled.elements);
        if let Some(other) = others.find(|other| other.key == element.key) {
            let identity: Vec<u8> = ElementRef::from(other).identity().collect();
            let owner = element.userdata.text().unwrap_or_default();
            self.delete_element(set, &identity, owner);
        }
    }

    fn add_element(&mut self, set: &str, element: Element) {
        // Most sets are known: their names need not be copied.
        match self.add_elements.get_mut(set) {
            Some(elements) => elements.push(element),
            None => {
                self.add_elements.insert(set.to_owned(), vec![element]);
            }
        }
    }

    /// Deletes what skeletons no longer need, unless something foreign needs it.
    fn clear(&mut self, observed: &Observed, skeletons: &[(Layout, Skeleton)]) {
        for layout in Layout::ALL {
            let surplus = Surplus::of(layout, observed, skeletons);
            if surplus.is_empty() {
                continue;
            }
            let gone: Vec<&Installed> = self.area.all_gone().map(|gone| gone.installed).collect();
            let mut foreign = observed.foreign(&gone);
            foreign.retain(|foreign| surplus.serves(foreign));
            if foreign.is_empty() {
                self.delete_surplus(&surplus);
            } else {
                let note = stays(self.area, "layout", layout.name(), &foreign);
                self.notes.push(note);
            }
        }
    }

    fn delete_surplus(&mut self, surplus: &Surplus<'_>) {
        let Surplus {
            chains,
            sets,
            rules,
        } = surplus;
        let rules = rules
            .iter()
            .map(|&rule| Operation::DeleteRule(rule.clone()));
        let chains = chains.iter().map(|&chain| chain.to_owned());
        let chains = chains.map(Operation::DeleteChain);
        self.rounds[1].extend(rules.chain(chains));
        for &set in sets {
            // Its elements are deleted with it.
            let elements = self.delete_elements.remove(set).unwrap_or_default();
            let elements = elements.into_values().collect();
            self.rounds[1].push(Operation::DeleteSet(set.to_owned(), elements));
        }
    }

    /// Empties a table of all that is not the administrator's. What the new table has as well only loses
    /// what is in it, since the administrator's rules may lead there. Returns what is left.
    fn empty(
        &mut self,
        observed: &Observed,
        administrator: &Administrator,
        new: Option<&Program>,
    ) -> Kept {
        let mut kept = Kept::default();
        if is_dormant(&observed.program.table) {
            self.rounds[0].push(Operation::WakeTable);
        }
        for filled in &observed.program.chains {
            let name = &filled.chain.name;
            if administrator.has(name) {
                kept.chains.insert(name.clone());
                continue;
            }
            let rules = observed.rules(name).iter().zip(0..);
            let rules = rules.map(|(standing, place)| (place, standing.rule.clone()));
            self.delete_rules.extend(rules);
            let needed = new.and_then(|new| new.chain(name));
            let base = filled.chain.base.as_ref();
            if needed.is_some_and(|c| alike::of_base(base, c.chain.base.as_ref()).is_none()) {
                kept.chains.insert(name.clone());
            } else {
                self.rounds[1].push(Operation::DeleteChain(name.clone()));
            }
        }
        for FilledSet { set, elements } in &observed.program.sets {
            let name = &set.name;
            let is_unnamed = set.flags & ANONYMOUS != 0; // It is deleted with its rule.
            if is_unnamed || administrator.has(name) || name == layout::TRANSACTION {
                continue;
            }
            let needed = new.and_then(|new| new.set(name));
            if needed.is_some_and(|needed| alike::of_set(set, &needed.set).is_none()) {
                kept.sets.insert(name.clone());
                if !elements.is_empty() {
                    let all = Operation::DeleteElements(name.clone(), elements.clone());
                    self.rounds[0].push(all);
                }
            } else {
                let set = Operation::DeleteSet(name.clone(), elements.clone());
                self.rounds[1].push(set);
            }
        }
        kept
    }

    /// Adds a whole table, with what is counted in the one before; or what is not kept of it.
    fn add_program(&mut self, new: Program, before: Option<&Observed>, kept: Option<Kept>) {
        if kept.is_none() {
            self.add_table();
        }
        let kept = kept.unwrap_or_default();
        for filled in new.chains {
            if !kept.chains.contains(&filled.chain.name) {
                self.rounds[2].push(Operation::AddChain(filled.chain));
            }
            let rules = filled.rules.into_iter();
            let rules = rules.map(|rule| Operation::AddRule(counted_as(before, rule), At::End));
            self.rounds[3].extend(rules);
        }
        for filled in new.sets {
            let name = filled.set.name.clone();
            if name == layout::TRANSACTION {
                continue; // It is added with the table.
            }
            if !kept.sets.contains(&name) {
                self.rounds[2].push(Operation::AddSet(filled.set));
            }
            let before = before.and_then(|before| before.program.set(&name));
            let before = before.map_or(&[][..], |before| &before.elements);
            let counted: HashMap<&[u8], &Element> = before
                .iter()
                .map(|element| (element.key.as_slice(), element))
                .collect();
            for mut element in filled.elements {
                if let Some(before) = counted.get(element.key.as_slice()) {
                    element.expressions.clone_from(&before.expressions);
                }
                self.add_element(&name, element);
            }
        }
    }
}

/// A table that is replaced.
pub(super) struct Replaced {
    pub(super) observed: Observed,
    pub(super) administrator: Administrator,
}

/// What of a table stays when it is replaced.
#[derive(Debug, Default)]
struct Kept {
    chains: BTreeSet<String>,
    sets: BTreeSet<String>,
}

fn lacks_transaction(observed: &Observed) -> bool {
    observed.program.set(layout::TRANSACTION).is_none()
}

/// A rule with what the one counted that does the same and is installed.
fn counted_as(observed: Option<&Observed>, rule: Rule) -> Rule {
    match observed.and_then(|observed| observed.same_as(&rule)) {
        Some(same) => Rule {
            expressions: same.rule.expressions.clone(),
            ..rule
        },
        None => rule,
    }
}
