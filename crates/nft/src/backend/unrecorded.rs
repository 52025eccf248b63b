//! Tables with palisade's mark, and what is in them of networks that no record names.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use palisade_core::backend::{Discrepancy, DiscrepancyKind, Installed, PlacedItem, Placement};
use palisade_core::identity::Identity;
use palisade_core::network::{Family, Name, Network};
use palisade_core::rules::Layer;
use palisade_core::state::Record;
use palisade_core::unrecorded::{self, Gathered, Unrecorded};

use super::item::Wanted;
use super::lacks::Lacks;
use super::settings::Settings;
use super::verify::{NOT_NEEDED, otherwise_marked};
use crate::administrator::Administrator;
use crate::dump::{Depth, DumpError, Reader};
use crate::layout::{self, Item, Layout, SetId, TableName};
use crate::object;
use crate::program::{FilledChain, FilledSet, Program};

/// The networks whose rules are installed and that none of these records names.
pub(super) fn networks(
    reader: &mut Reader<'_>,
    records: &[&Record],
) -> Result<Vec<Unrecorded>, DumpError> {
    let mut found = Gathered::default();
    for marked in marked(reader, |_| true)? {
        if layout::version(&marked.table) == Some(layout::VERSION) {
            marked.gather(reader, records, &mut found)?;
        }
    }
    let names: HashSet<&Name> = records.iter().map(|record| record.network.name()).collect();
    Ok(found.networks(&names))
}

/// What is in tables in which none of these networks has rules. `recorded` are the networks of all
/// backends.
pub(super) fn differences(
    reader: &mut Reader<'_>,
    records: &[&Record],
    recorded: &HashSet<&Name>,
) -> Result<Vec<Discrepancy>, DumpError> {
    let settings = records.iter().map(|record| &record.placement);
    let settings = settings.filter_map(|placement| Settings::try_from(placement).ok());
    let used: BTreeSet<TableName> = settings.map(|settings| settings.table).collect();
    let mut found = Vec::new();
    for marked in marked(reader, |table| !used.contains(table))? {
        found.extend(marked.differences(reader, recorded)?);
    }
    Ok(found)
}

/// What is installed for a network.
pub(super) fn items(network: &Network, settings: &Settings) -> Vec<PlacedItem> {
    let Settings { layout, table } = settings;
    let all_lacking = Lacks {
        fib: true,
        log: true,
    };
    let mut items = Vec::new();
    for rule in layout.issued(network) {
        let family = rule.layer.family();
        let is_optional = all_lacking.omits(*layout, rule.kind);
        for item in layout.items_of(table, family, std::slice::from_ref(&rule)) {
            let installed = Wanted::new(family, table.as_str(), item).installed;
            items.push(PlacedItem {
                installed,
                is_optional,
            });
        }
    }
    items
}

/// A table with palisade's mark.
struct Marked {
    name: TableName,
    family: Family,
    table: object::Table,
}

/// The tables with palisade's mark, of any version.
fn marked(
    reader: &mut Reader<'_>,
    is_meant: impl Fn(&TableName) -> bool,
) -> Result<Vec<Marked>, DumpError> {
    let mut marked = Vec::new();
    for family in Layout::LAYERS.map(Layer::family) {
        for table in reader.tables(family.into())? {
            let name = table.name.parse::<TableName>().ok();
            let name = name.filter(|name| layout::version(&table).is_some() && is_meant(name));
            marked.extend(name.map(|name| Marked {
                name,
                family,
                table,
            }));
        }
    }
    Ok(marked)
}

impl Marked {
    fn program(&self, reader: &mut Reader<'_>) -> Result<Option<Program>, DumpError> {
        reader.program(self.family.into(), self.name.as_str(), Depth::Elements)
    }

    fn gather(
        &self,
        reader: &mut Reader<'_>,
        records: &[&Record],
        found: &mut Gathered,
    ) -> Result<(), DumpError> {
        let recorded = records.iter().flat_map(|record| &record.installed);
        let recorded = recorded
            .filter(|it| it.family == self.family && it.table == self.name.as_str())
            .map(|it| (it.place.as_str(), &it.item));
        let mut gathering = Gathering {
            of: self,
            recorded: recorded.collect(),
            found,
        };
        let Some(program) = self.program(reader)? else {
            return Ok(());
        };
        for FilledChain { chain, rules } in &program.chains {
            if Layout::Flat.has_chain(&chain.name) {
                rules.iter().rev().for_each(|rule| gathering.rule(rule));
            }
        }
        program.sets.iter().for_each(|filled| gathering.set(filled));
        Ok(())
    }

    /// What verifying says of it where no network has rules in it.
    fn differences(
        &self,
        reader: &mut Reader<'_>,
        recorded: &HashSet<&Name>,
    ) -> Result<Vec<Discrepancy>, DumpError> {
        let differs = |network: Option<&Name>, kind, detail| Discrepancy {
            network: network.cloned(),
            object: format!("table {} `{}`", self.table.family, self.name),
            kind,
            detail,
        };
        let version = layout::version(&self.table);
        if version != Some(layout::VERSION) {
            let detail = otherwise_marked(version);
            return Ok(vec![differs(None, DiscrepancyKind::Foreign, detail)]);
        }
        let mut gathered = Gathered::default();
        self.gather(reader, &[], &mut gathered)?;
        let mut counts: BTreeMap<Name, usize> = BTreeMap::new();
        for unrecorded in gathered.networks(&HashSet::new()) {
            *counts.entry(unrecorded.network).or_default() += unrecorded.installed.len();
        }
        if !counts.is_empty() {
            let of = |(name, count): (&Name, &usize)| {
                let items = ["rule or element", "rules and elements"];
                let detail = unrecorded::detail(*count, items, recorded.contains(name));
                differs(Some(name), DiscrepancyKind::Foreign, detail)
            };
            return Ok(counts.iter().map(of).collect());
        }
        let Some(program) = self.program(reader)? else {
            return Ok(Vec::new());
        };
        let strangers = reader.strangers(self.family.into(), self.name.as_str())?;
        let is_kept = !Administrator::of(&program, &strangers).is_empty();
        let unneeded = differs(None, DiscrepancyKind::Foreign, NOT_NEEDED.to_owned());
        Ok(if is_kept { Vec::new() } else { vec![unneeded] })
    }
}

/// Gathers what is in one table.
struct Gathering<'g> {
    of: &'g Marked,
    recorded: HashSet<(&'g str, &'g Identity)>,
    found: &'g mut Gathered,
}

impl Gathering<'_> {
    fn rule(&mut self, rule: &object::Rule) {
        let Marked { name, family, .. } = self.of;
        if layout::is_of_skeleton(rule) {
            return;
        }
        let Some(read) = layout::read_rule(name, *family, rule) else {
            return;
        };
        self.found.pass(&read);
        let item = Item::Rule(rule.clone());
        let installed = Wanted::new(*family, name.as_str(), item).installed;
        let owner = read.owner.clone();
        self.add(Layout::Flat, &owner, installed, vec![read]);
    }

    fn set(&mut self, FilledSet { set, elements }: &FilledSet) {
        let Some(id) = SetId::of(set) else {
            return;
        };
        for element in elements {
            let owner = element.userdata.text().and_then(Name::from_comment);
            let read = layout::read_element(self.of.family, id, element.into());
            if let (Some(owner), Some(read)) = (owner, read) {
                let item = Item::Element {
                    set: id,
                    element: element.clone(),
                };
                let installed = Wanted::new(self.of.family, self.of.name.as_str(), item).installed;
                self.add(Layout::Mapped, &owner, installed, read);
            }
        }
    }

    fn add(
        &mut self,
        layout: Layout,
        owner: &Name,
        installed: Installed,
        rules: Vec<palisade_core::rules::Rule>,
    ) {
        if self
            .recorded
            .contains(&(installed.place.as_str(), &installed.item))
        {
            return;
        }
        let table = self.of.name.clone();
        let placement = Placement::from(&Settings { layout, table });
        self.found.add(owner, &placement, installed, rules);
    }
}
