//! Palisade's chains, and what is in them of networks that no record names.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use palisade_core::Hint;
use palisade_core::backend::{Discrepancy, DiscrepancyKind, Installed, PlacedItem, Placement};
use palisade_core::network::{Family, Name, Network};
use palisade_core::rules::Layer;
use palisade_core::state::Record;
use palisade_core::unrecorded::{self, Gathered, Unrecorded};

use super::area;
use super::error::IptablesError;
use super::settings::Settings;
use super::tables::Tables;
use crate::rule::{self, LAYERS, Table, identity, placed, tag};
use crate::run::{Programs, RestoreError, Variant, word};
use crate::text;

/// What is said of chains without need.
pub(super) const NOT_NEEDED: &str = "no network needs it";

/// The tables of one family of packets in one family of programs.
type Place = (Variant, Family);

/// The networks whose rules are installed and that none of these records names.
pub(super) fn networks(
    tables: &mut Tables,
    records: &[&Record],
) -> Result<Vec<Unrecorded>, IptablesError> {
    let mut recorded: BTreeMap<Variant, HashSet<&Installed>> = BTreeMap::new();
    for record in records {
        let variant = tables.variant_of(&record.placement)?;
        recorded
            .entry(variant)
            .or_default()
            .extend(&record.installed);
    }
    let mut found = Gathered::default();
    for (variant, family) in places() {
        for table in own_tables(tables, (variant, family))? {
            let its = recorded.get(&variant);
            let is_recorded = |it: &Installed| its.is_some_and(|its| its.contains(it));
            gather((variant, family), &table, is_recorded, &mut found);
        }
    }
    let names: HashSet<&Name> = records.iter().map(|record| record.network.name()).collect();
    Ok(found.networks(&names))
}

/// What is in palisade's chains where none of these networks has rules. `recorded` are the networks of all
/// backends.
pub(super) fn differences(
    tables: &mut Tables,
    records: &[&Record],
    recorded: &HashSet<&Name>,
) -> Result<Vec<Discrepancy>, IptablesError> {
    let mut used: BTreeSet<Place> = BTreeSet::new();
    for record in records {
        let variant = tables.variant_of(&record.placement)?;
        used.extend(record.installed.iter().map(|it| (variant, it.family)));
    }
    let mut found = Vec::new();
    for (variant, family) in places().filter(|place| !used.contains(place)) {
        let saved = match own_tables(tables, (variant, family)) {
            Ok(saved) => saved,
            Err(error) => {
                found.push(Discrepancy {
                    network: None,
                    object: format!("tables of {} ({variant})", word(family)),
                    kind: DiscrepancyKind::Unreadable,
                    detail: format!("{error}; {}", error.hint()),
                });
                continue;
            }
        };
        let told = found.len();
        let places = saved.iter().map(|table| ((variant, family), table));
        found.extend(
            places
                .clone()
                .flat_map(|(place, table)| rules_in(place, table, recorded)),
        );
        if found.len() == told {
            found.extend(places.flat_map(|(place, table)| chains_in(place, table)));
        }
    }
    Ok(found)
}

/// What is installed for a network.
pub(super) fn items(network: &Network) -> Vec<PlacedItem> {
    let of_family = |family| {
        let placed = placed(network, family).into_iter();
        placed.map(move |placed| PlacedItem {
            installed: area::installed(family, &placed),
            is_optional: placed.kind.is_optional(),
        })
    };
    LAYERS
        .map(Layer::family)
        .into_iter()
        .flat_map(of_family)
        .collect()
}

fn places() -> impl Iterator<Item = Place> {
    let families = LAYERS.map(Layer::family);
    let of_variant = move |variant| families.map(|family| (variant, family));
    Variant::BOTH.into_iter().flat_map(of_variant)
}

/// The tables in which chains of palisade's are. No program is run where there are none.
fn own_tables(
    tables: &mut Tables,
    (variant, family): Place,
) -> Result<Vec<text::Table>, RestoreError> {
    if !tables.may_hold_own(variant, family)? {
        return Ok(Vec::new());
    }
    let mut saved = match tables.saved_of_own(variant, family) {
        Err(RestoreError::Missing { .. }) => return Ok(Vec::new()), // Nothing can be there.
        saved => saved?.tables,
    };
    saved.retain(|table| {
        let mut chains = table.chains.iter();
        chains.any(|chain| is_own(&chain.name))
    });
    Ok(saved)
}

/// Rules from the bottom up: as they were issued.
fn gather(
    (variant, family): Place,
    table: &text::Table,
    is_recorded: impl Fn(&Installed) -> bool,
    found: &mut Gathered,
) {
    let Some(known) = Table::from_name(&table.name) else {
        return;
    };
    let programs = Programs::Of(variant);
    let placement = Placement::from(&Settings { programs });
    for saved in table.rules.iter().rev() {
        let Some(read) = rule::read(family, known, saved) else {
            continue;
        };
        found.pass(&read);
        let installed = Installed {
            family,
            table: table.name.clone(),
            place: saved.chain.clone(),
            item: identity(&saved.words),
        };
        if !is_recorded(&installed) {
            let owner = read.owner.clone();
            found.add(&owner, &placement, installed, [read]);
        }
    }
}

/// The rules in palisade's chains of a table, counted by chain and network.
fn rules_in(place: Place, table: &text::Table, recorded: &HashSet<&Name>) -> Vec<Discrepancy> {
    let mut counts: BTreeMap<(&str, Option<Name>), usize> = BTreeMap::new();
    let own = table.rules.iter();
    for saved in own.filter(|saved| rule::is_chain(&saved.chain)) {
        let owner = tag(&saved.words).map(|(owner, _)| owner);
        *counts.entry((&saved.chain, owner)).or_default() += 1;
    }
    let of = |((chain, network), count): ((&str, Option<Name>), usize)| {
        let items = ["rule", "rules"];
        let detail = match &network {
            Some(name) => unrecorded::detail(count, items, recorded.contains(name)),
            None => {
                let rules = if count == 1 { items[0] } else { items[1] };
                format!("{count} {rules} that palisade did not put there")
            }
        };
        foreign(place, table, chain, network, detail)
    };
    counts.into_iter().map(of).collect()
}

/// Palisade's chains in a table, of which no network needs any.
fn chains_in(place: Place, table: &text::Table) -> Vec<Discrepancy> {
    let own = table.chains.iter();
    let own = own.filter(|chain| is_own(&chain.name));
    let unneeded =
        |chain: &text::Chain| foreign(place, table, &chain.name, None, NOT_NEEDED.to_owned());
    own.map(unneeded).collect()
}

/// Whether a chain is palisade's by its name, known or not.
fn is_own(chain: &str) -> bool {
    rule::is_chain(chain) || rule::is_stray_chain(chain)
}

fn foreign(
    (variant, family): Place,
    table: &text::Table,
    chain: &str,
    network: Option<Name>,
    detail: String,
) -> Discrepancy {
    let table = format!("{} table `{}` ({variant})", word(family), table.name);
    Discrepancy {
        network,
        object: format!("chain `{chain}` of {table}"),
        kind: DiscrepancyKind::Foreign,
        detail,
    }
}
