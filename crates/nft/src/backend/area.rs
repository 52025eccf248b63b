//! One table of one family: which networks it shall hold, what of them comes and what goes.

use std::collections::{BTreeMap, HashMap};

use palisade_core::backend::{Addition, Change, Installed, Placement};
use palisade_core::network::{Family, Name, Network};

use super::item::{Wanted, is_same};
use super::settings::{Settings, SettingsError};
use crate::layout::{Item, Layout, Skeleton, TableName};

/// What shall become of one table of one family.
#[derive(Debug)]
pub(super) struct Area<'a> {
    pub(super) table: TableName,
    pub(super) family: Family,
    /// The networks that it shall hold, in the order in which they were started.
    pub(super) networks: Vec<(Layout, &'a Network)>,
    /// Whether one of those that come was started before one that stays.
    pub(super) comes_between: bool,
    /// What is recorded of networks that go, or are replaced.
    pub(super) gone: Vec<(&'a Name, &'a Installed)>,
    /// Places and items of the same, and whose they are.
    pub(super) gone_items: HashMap<(&'a str, &'a str), &'a Name>,
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
        let of_layout = |layout: Layout| {
            let networks = self.networks.iter().filter(move |(of, _)| *of == layout);
            let networks = networks.map(|&(_, network)| network);
            let skeleton = layout.skeleton(&self.table, self.family, networks)?;
            Some((layout, skeleton))
        };
        Layout::ALL.into_iter().filter_map(of_layout).collect()
    }

    fn wanted(&self, layout: Layout, network: &Network) -> Vec<Wanted> {
        let items = layout.items(&self.table, self.family, network);
        let new = |item| Wanted::new(self.family, self.table.as_str(), item);
        items.into_iter().map(new).collect()
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
        let Installed { place, item, .. } = &wanted.installed;
        let owner = self.gone_items.get(&(place.as_str(), item.as_str()));
        match &wanted.item {
            Item::Rule(_) => owner.is_some(),
            Item::Element { element, .. } => {
                owner.is_some_and(|owner| element.userdata.text() == Some(owner.as_str()))
            }
        }
    }

    /// The elements that shall stand, by set and key, and whose they are.
    pub(super) fn staying_elements(&self) -> HashMap<(&str, &[u8]), &str> {
        let mut owners = HashMap::new();
        for (_, wanted) in self.added.iter().chain(&self.restored) {
            if let Item::Element { set, element } = &wanted.item {
                let owner = element.userdata.text().unwrap_or_default();
                owners.insert((set.as_str(), element.key.as_slice()), owner);
            }
        }
        owners
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
pub(super) fn areas<'a>(change: &Change<'a>) -> Result<Vec<Area<'a>>, SettingsError> {
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
        let settings = Settings::try_from(placement)?;
        for family in Family::BOTH {
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
        let settings = Settings::try_from(placement)?;
        for family in Family::BOTH {
            if let Some(area) = areas.get_mut(&(settings.table.clone(), family)) {
                area.networks.push((settings.layout, network));
            }
        }
    }

    for area in areas.values_mut() {
        area.comes_between = comes_between;
        fill(area, change)?;
    }
    Ok(areas.into_values().collect())
}

fn fill<'a>(area: &mut Area<'a>, change: &Change<'a>) -> Result<(), SettingsError> {
    let (family, table) = (area.family, area.table.clone());
    let is_here =
        |installed: &&Installed| installed.family == family && installed.table == table.as_str();
    for &record in &change.remove {
        let here = record.installed.iter().filter(is_here);
        area.gone
            .extend(here.map(|installed| (record.network.name(), installed)));
    }
    area.gone_items = area
        .gone
        .iter()
        .map(|&(owner, gone)| ((gone.place.as_str(), gone.item.as_str()), owner))
        .collect();
    for (i, addition) in change.add.iter().enumerate() {
        let Addition {
            network, placement, ..
        } = *addition;
        let settings = Settings::try_from(placement)?;
        if settings.table == table {
            let wanted = area.wanted(settings.layout, network);
            area.added
                .extend(wanted.into_iter().map(|wanted| (i, wanted)));
        }
    }
    for (i, &record) in change.restore.iter().enumerate() {
        let settings = Settings::try_from(&record.placement)?;
        let wanted = if settings.table == table {
            area.wanted(settings.layout, &record.network)
        } else {
            Vec::new()
        };
        let is_wanted = |installed: &&Installed| {
            let same = |wanted: &Wanted| is_same(&wanted.installed, installed);
            wanted.iter().any(same)
        };
        let here = record.installed.iter().filter(is_here);
        area.excess.extend(
            here.filter(|i| !is_wanted(i))
                .map(|installed| (i, record.network.name(), installed)),
        );
        area.restored
            .extend(wanted.into_iter().map(|wanted| (i, wanted)));
    }
    Ok(())
}
