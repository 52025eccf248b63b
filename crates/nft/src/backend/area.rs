//! One table of one family: which networks it shall hold, what of them comes and what goes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use palisade_core::backend::{Change, Installed, Placement};
use palisade_core::identity::Identity;
use palisade_core::network::{Family, Name, Network};
use palisade_core::rules::{Layer, Rule};
use palisade_core::state::{Record, Uses};

use super::item::{Wanted, set_of};
use super::lacks::Lacks;
use super::settings::{Settings, SettingsError};
use crate::layout::{Extras, Item, Layout, SetId, Skeleton, TableName};
use crate::program::Program;

/// What shall become of one table of one family.
#[derive(Debug)]
pub(super) struct Area<'a> {
    pub(super) table: TableName,
    pub(super) family: Family,
    /// The places in which something is recorded for networks that stay and are not looked at.
    pub(super) kept: BTreeSet<&'a str>,
    coming: Coming,
    /// The networks that it shall hold and that are looked at or come, in the order in which they
    /// were started.
    pub(super) networks: Vec<(Layout, &'a Network)>,
    /// Whether one of those that come was started before one that stays.
    pub(super) comes_between: bool,
    /// What is recorded of networks that go, or are replaced.
    pub(super) gone: Vec<(&'a Name, &'a Installed)>,
    /// Places and items of the same, and whose they are.
    pub(super) gone_items: HashMap<(&'a str, &'a Identity), &'a Name>,
    /// What networks need that come, by their place in [`Change::add`].
    pub(super) added: Vec<(usize, Wanted)>,
    /// What networks need that stay and are looked at, by their place in [`Change::restore`].
    pub(super) restored: Vec<(usize, Wanted)>,
    /// What is recorded of those beyond what they need.
    pub(super) excess: Vec<(usize, &'a Name, &'a Installed)>,
}

impl<'a> Area<'a> {
    fn new(table: TableName, family: Family) -> Self {
        Self {
            table,
            family,
            kept: BTreeSet::new(),
            coming: Coming::default(),
            networks: Vec::new(),
            comes_between: false,
            gone: Vec::new(),
            gone_items: HashMap::new(),
            added: Vec::new(),
            restored: Vec::new(),
            excess: Vec::new(),
        }
    }

    /// What must stand for all its networks, of each layout that one of them has.
    pub(super) fn skeletons(&self) -> Vec<(Layout, Skeleton)> {
        self.skeletons_for(self.places_after())
    }

    /// What must stand for networks that have something in these places.
    pub(super) fn skeletons_for<'p>(
        &self,
        places: impl IntoIterator<Item = &'p str>,
    ) -> Vec<(Layout, Skeleton)> {
        let needs = Needs::of(places);
        let of_layout = |layout: Layout| {
            let skeleton =
                || layout.skeleton_for(&self.table, self.family, &needs.sets, needs.extras);
            needs.has(layout).then(|| (layout, skeleton()))
        };
        Layout::ALL.into_iter().filter_map(of_layout).collect()
    }

    /// What must stand for all its networks, but no elements: those are recorded one by one.
    pub(super) fn expected(&self) -> Option<Program> {
        let is_flat = |&&(layout, _): &&(Layout, &Network)| layout == Layout::Flat;
        let flat: Vec<_> = self.networks.iter().filter(is_flat).copied().collect();
        let mut expected = Program::of(&self.table, self.family, &flat);
        let needs = Needs::of(self.places_after());
        if needs.has(Layout::Mapped) {
            let empty = || Program::empty(&self.table, self.family);
            let layout = Layout::Mapped;
            let skeleton = layout.skeleton_for(&self.table, self.family, &needs.sets, needs.extras);
            expected.get_or_insert_with(empty).extend(skeleton);
        }
        expected
    }

    /// Whether what stands around items is the same before and after, and only elements go: then
    /// they go by their keys, others come, and nothing in the kernel need be looked at.
    pub(super) fn has_settled(&self) -> bool {
        let gone: BTreeSet<&str> = self
            .all_gone()
            .map(|gone| gone.installed.place.as_str())
            .collect();
        let has_only_elements = gone.iter().all(|place| set_of(place).is_some());
        let before: BTreeSet<&str> = gone.union(&self.kept).copied().collect();
        let after = self.places_after();
        if before.is_empty() && after.is_empty() {
            return true; // Ours has nothing here, and gets nothing.
        }
        let needs = |places: &BTreeSet<&str>| Needs::of(places.iter().copied());
        // Most changes come to the places that there are: their names need not be read.
        let stays = before == after || needs(&before) == needs(&after);
        has_only_elements && stays && after.iter().any(|&place| !Needs::of([place]).is_empty())
    }

    /// The places in which something shall be recorded.
    pub(super) fn places_after(&self) -> BTreeSet<&str> {
        let coming: BTreeSet<&str> = self.coming.places.iter().map(String::as_str).collect();
        coming.union(&self.kept).copied().collect()
    }

    /// What a network needs here that comes and has these rules.
    fn come(&mut self, i: usize, layout: Layout, rules: &[Rule]) {
        let (family, table, coming) = (self.family, &self.table, &mut self.coming);
        let items = layout.items_of(table, family, rules).into_iter();
        let wanted = items.map(|item| (i, coming.wanted(family, table, item)));
        self.added.extend(wanted);
    }
}

/// What is wanted of networks that come or are looked at.
#[derive(Debug, Default)]
struct Coming {
    /// The places in which it is.
    places: BTreeSet<String>,
}

impl Coming {
    fn wanted(&mut self, family: Family, table: &TableName, item: Item) -> Wanted {
        let wanted = Wanted::new(family, table.as_str(), item);
        let place = wanted.installed.place.as_str();
        // Most places are known: their names need not be copied.
        if !self.places.contains(place) {
            self.places.insert(place.to_owned());
        }
        wanted
    }
}

impl<'a> Area<'a> {
    /// All that is recorded and not wanted any more, with the network of [`Area::restored`] that it
    /// is recorded for.
    pub(super) fn all_gone(&self) -> impl Iterator<Item = Gone<'a>> {
        let removed = self.gone.iter().map(|&(owner, installed)| Gone {
            restored: None,
            owner,
            installed,
        });
        let excess = self.excess.iter().map(|&(i, owner, installed)| Gone {
            restored: Some(i),
            owner,
            installed,
        });
        removed.chain(excess)
    }

    /// Whether what is wanted is also recorded as gone for the same network: it is replaced by its
    /// like.
    pub(super) fn is_gone(&self, wanted: &Wanted) -> bool {
        if self.gone_items.is_empty() {
            return false;
        }
        let Installed { place, item, .. } = &wanted.installed;
        let owner = self.gone_items.get(&(place.as_str(), item));
        match &wanted.item {
            Item::Rule(_) => owner.is_some(),
            Item::Element { element, .. } => {
                owner.is_some_and(|owner| element.userdata.text() == Some(&*owner.comment()))
            }
        }
    }
}

/// What must stand around the items in some places.
#[derive(Debug, PartialEq, Eq, Default)]
struct Needs {
    sets: Vec<SetId>,
    flat: bool,
    /// What is there in `flat` beside the chains of all networks.
    extras: Extras,
}

impl Needs {
    fn of<'p>(places: impl IntoIterator<Item = &'p str>) -> Self {
        let mut needs = Self::default();
        let mut flat = Vec::new();
        for place in places {
            match set_of(place) {
                Some(set) => needs.sets.push(set),
                None => flat.push(place),
            }
        }
        needs.flat = flat.iter().any(|place| Layout::Flat.has_chain(place));
        needs.extras = Extras::of_chains(flat);
        needs.sets.sort();
        needs
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn has(&self, layout: Layout) -> bool {
        match layout {
            Layout::Mapped => !self.sets.is_empty(),
            Layout::Flat => self.flat,
        }
    }
}

/// Something that is recorded and not wanted any more.
pub(super) struct Gone<'a> {
    /// The network of [`Area::restored`] that it is recorded for, if it is one of those.
    pub(super) restored: Option<usize>,
    pub(super) owner: &'a Name,
    pub(super) installed: &'a Installed,
}

/// The areas that a change is about, by table and family.
///
/// # Errors
/// If a placement is none of this backend's, or a record names no table.
pub(super) fn areas<'a>(
    change: &'a Change<'a>,
    lacks: Lacks,
) -> Result<Vec<Area<'a>>, SettingsError> {
    let mut placed = Placed::default();
    let mut areas: BTreeMap<(TableName, Family), Area<'a>> = BTreeMap::new();
    let mut touch = |table: &TableName, family| {
        areas
            .entry((table.clone(), family))
            .or_insert_with(|| Area::new(table.clone(), family));
    };
    for record in &change.remove {
        for installed in &record.installed {
            touch(&installed.table.parse()?, installed.family);
        }
    }
    let restored = change.restore.iter().map(|record| &record.placement);
    let added = change.add.iter().map(|addition| addition.placement);
    for placement in restored.chain(added) {
        placed.settings(placement)?;
    }
    for (_, settings) in &placed.0 {
        for family in Layout::LAYERS.map(Layer::family) {
            touch(&settings.table, family);
        }
    }

    let staying = change.keep.iter().chain(&change.restore);
    let staying = staying.map(|record| (record.order, &record.placement, &record.network));
    let last_staying = staying.clone().map(|(order, ..)| order).max();
    let coming = change.add.iter().map(|a| (a.order, a.placement, a.network));
    let comes_between = coming.clone().any(|(order, ..)| Some(order) < last_staying);
    let mut all: Vec<(u64, &Placement, &Network)> = staying.chain(coming).collect();
    all.sort_by_key(|&(order, ..)| order);
    for (_, placement, network) in all {
        let Settings { layout, table } = placed.settings(placement)?;
        for area in areas.values_mut().filter(|area| area.table == *table) {
            area.networks.push((*layout, network));
        }
    }

    for area in areas.values_mut() {
        area.comes_between = comes_between;
        area.kept = change
            .kept
            .places(area.family, area.table.as_str())
            .collect();
        area.go(change);
    }
    // The rules of a network are derived once, for both families.
    for (i, addition) in change.add.iter().enumerate() {
        let Settings { layout, table } = placed.settings(addition.placement)?;
        let rules = issued(*layout, addition.network, lacks);
        for area in areas.values_mut().filter(|area| area.table == *table) {
            area.come(i, *layout, &rules);
        }
    }
    for (i, &record) in change.restore.iter().enumerate() {
        let Settings { layout, table } = placed.settings(&record.placement)?;
        let rules = issued(*layout, &record.network, lacks);
        for area in areas.values_mut() {
            let rules = if area.table == *table {
                &rules[..]
            } else {
                &[]
            };
            area.stay(i, record, *layout, rules);
        }
    }
    Ok(areas.into_values().collect())
}

/// The rules of a network that a layout has a place for, and the kernel too.
fn issued(layout: Layout, network: &Network, lacks: Lacks) -> Vec<Rule> {
    let mut rules = layout.issued(network);
    rules.retain(|rule| !lacks.omits(layout, rule.kind));
    rules
}

/// The settings of placements. Most networks have the same one, which is read once.
#[derive(Default)]
struct Placed<'a>(Vec<(&'a Placement, Settings)>);

impl<'a> Placed<'a> {
    fn settings(&mut self, placement: &'a Placement) -> Result<&Settings, SettingsError> {
        let mut known = self.0.iter();
        let known =
            known.position(|&(known, _)| std::ptr::eq(known, placement) || known == placement);
        let place = match known {
            Some(place) => place,
            None => {
                self.0.push((placement, Settings::try_from(placement)?));
                self.0.len() - 1
            }
        };
        Ok(&self.0[place].1)
    }
}

/// The areas of these networks, only to be looked at: what is recorded for them, they keep.
///
/// # Errors
/// If a placement is none of this backend's.
pub(super) fn recorded_areas<'a>(
    records: &[&'a Record],
    uses: &'a Uses,
) -> Result<Vec<Area<'a>>, SettingsError> {
    let mut placed = Placed::default();
    let mut areas: BTreeMap<(TableName, Family), Area<'a>> = BTreeMap::new();
    for record in records {
        let Settings { layout, table } = placed.settings(&record.placement)?;
        for family in Layout::LAYERS.map(Layer::family) {
            let area = areas
                .entry((table.clone(), family))
                .or_insert_with(|| Area::new(table.clone(), family));
            area.networks.push((*layout, &record.network));
        }
    }
    for area in areas.values_mut() {
        area.kept = uses.places(area.family, area.table.as_str()).collect();
    }
    Ok(areas.into_values().collect())
}

impl<'a> Area<'a> {
    fn is_here(&self, installed: &Installed) -> bool {
        installed.family == self.family && installed.table == self.table.as_str()
    }

    /// What is recorded of networks that go.
    fn go(&mut self, change: &'a Change<'a>) {
        for &record in &change.remove {
            let here = record.installed.iter().filter(|i| self.is_here(i));
            let gone: Vec<_> = here.map(|i| (record.network.name(), i)).collect();
            self.gone.extend(gone);
        }
        let item =
            |&(owner, gone): &(&'a Name, &'a Installed)| ((gone.place.as_str(), &gone.item), owner);
        self.gone_items = self.gone.iter().map(item).collect();
    }

    /// What a network needs that stays and has these rules, and what is recorded beyond that.
    fn stay(&mut self, i: usize, record: &'a Record, layout: Layout, rules: &[Rule]) {
        let items = layout.items_of(&self.table, self.family, rules);
        let (family, table, coming) = (self.family, &self.table, &mut self.coming);
        let wanted = items.into_iter().map(|i| coming.wanted(family, table, i));
        let wanted: Vec<Wanted> = wanted.collect();
        let is_wanted =
            |installed: &Installed| wanted.iter().any(|wanted| wanted.installed == *installed);
        let here = record.installed.iter().filter(|i| self.is_here(i));
        let excess = here.filter(|installed| !is_wanted(installed));
        let excess: Vec<_> = excess.map(|e| (i, record.network.name(), e)).collect();
        self.excess.extend(excess);
        self.restored
            .extend(wanted.into_iter().map(|wanted| (i, wanted)));
    }
}
