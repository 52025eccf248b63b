//! What stands for one network, and in all our chains.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use palisade_core::backend::{self, Counted, Installed, Placement};
use palisade_core::network::Family;
use palisade_core::rules::{Layer, Matches, RuleKind};
use palisade_core::state::Record;

use super::area::{digest_of, installed, is_same, text_of};
use super::error::IptablesError;
use super::observed::{Id, Observed};
use super::tables::Tables;
use crate::rule::{LAYERS, Placed, Table, jump, placed, read, untag};
use crate::run::{RestoreError, Variant};
use crate::text;

/// What stands of what is recorded for each of these networks; and, as missing, what the kernel
/// refused.
pub(super) fn of(
    tables: &mut Tables,
    records: &[&Record],
) -> Result<Vec<Vec<backend::Standing>>, IptablesError> {
    let mut areas: BTreeMap<(Variant, Family), Vec<usize>> = BTreeMap::new();
    for (network, record) in records.iter().enumerate() {
        let variant = tables.variant_of(&record.placement)?;
        for family in LAYERS.map(Layer::family) {
            if record.installed.iter().any(|i| i.family == family) {
                areas.entry((variant, family)).or_default().push(network);
            }
        }
    }
    let mut all = vec![Vec::new(); records.len()];
    for ((variant, family), networks) in areas {
        let saved = tables.read(variant, family, &Table::ALL)?;
        for table in Table::ALL {
            let found = saved.iter().find(|saved| saved.name == table.name());
            let mut observed = Observed::new(found);
            for &network in &networks {
                let recorded = records[network].installed.iter();
                let here = recorded.filter(|i| i.family == family && i.table == table.name());
                let mut found: Vec<_> = here
                    .map(|i| one(&mut observed, records[network], i))
                    .collect();
                // As the rules were printed, in which order packets meet them; what is missing last.
                found.sort_by_key(|(id, _)| (id.is_none(), *id));
                all[network].extend(found.into_iter().map(|(_, standing)| standing));
            }
        }
        for network in networks {
            all[network].extend(refused(records[network], family));
        }
    }
    Ok(all)
}

/// What a network could do without, and does.
fn refused(record: &Record, family: Family) -> impl Iterator<Item = backend::Standing> {
    let placed = placed(&record.network, family).into_iter();
    let is_recorded = move |placed: &Placed| {
        let mut recorded = record.installed.iter().filter(|i| i.family == family);
        recorded.any(|installed| is_same(installed, placed))
    };
    let refused = placed.filter(move |p| p.kind.is_optional() && !is_recorded(p));
    refused.map(move |placed| missing(&installed(family, &placed), placed.words.line()))
}

fn one(
    observed: &mut Observed,
    record: &Record,
    installed: &Installed,
) -> (Option<Id>, backend::Standing) {
    let id = digest_of(installed).and_then(|digest| observed.claim(&installed.place, digest));
    let standing = match id {
        Some(id) => backend::Standing {
            counter: observed.rule(id).counters.map(|counters| Counted {
                packets: counters.packets,
                bytes: counters.bytes,
            }),
            missing: false,
            forwarded: forwarded(installed, observed.rule(id).words.clone()),
            ..missing(installed, observed.rule(id).words.line())
        },
        None => missing(installed, text_of(record, installed)),
    };
    (id, standing)
}

/// The kind that the comment of a recorded rule names.
fn purpose(installed: &Installed) -> Option<RuleKind> {
    let (_, kind) = untag(&installed.item.rule()?.comment)?;
    Some(kind)
}

fn missing(installed: &Installed, text: String) -> backend::Standing {
    backend::Standing {
        family: installed.family,
        place: installed.place.clone(),
        purpose: purpose(installed),
        text,
        counter: None,
        missing: true,
        forwarded: None,
    }
}

/// What a rule matches that is installed for a forward.
fn forwarded(installed: &Installed, words: text::Words) -> Option<Box<Matches>> {
    purpose(installed).filter(|kind| kind.is_of_forward())?;
    let rule = text::Rule {
        chain: installed.place.clone(),
        words,
        counters: None,
    };
    let table = Table::from_name(&installed.table)?;
    Some(Box::new(read(installed.family, table, &rule)?.matches))
}

/// Our chains and the jumps to them, as `iptables-save -c` prints them.
pub(super) fn listing(
    tables: &mut Tables,
    placements: &[&Placement],
) -> Result<String, IptablesError> {
    let mut variants: BTreeSet<Variant> = BTreeSet::new();
    for placement in placements {
        variants.insert(tables.variant_of(placement)?);
    }
    let mut listed = String::new();
    for variant in variants {
        for family in LAYERS.map(Layer::family) {
            let stem = match tables.stem(variant, family) {
                Err(RestoreError::Missing { .. }) => continue, // Nothing can be there.
                stem => stem?,
            };
            let saved = tables.read(variant, family, &Table::ALL)?;
            let ours: Vec<text::Table> = saved.into_iter().filter_map(ours).collect();
            if ours.is_empty() {
                continue;
            }
            // Writing to a String does not fail.
            let _ = writeln!(listed, "# {}, our chains", stem.save());
            for table in ours {
                let _ = write!(listed, "{table}");
            }
        }
    }
    Ok(listed)
}

/// What of a table is ours; none if nothing is.
fn ours(mut table: text::Table) -> Option<text::Table> {
    let known = Table::from_name(&table.name)?;
    let is_ours = |chain: &str| {
        let mut ours = known.chains().chain(known.admin_chains());
        ours.any(|ours| ours == chain)
    };
    let leads = |rule: &text::Rule| {
        let mut parents = known
            .parents()
            .iter()
            .filter(|(parent, _)| *parent == rule.chain);
        parents.any(|(_, ours)| ours.iter().any(|chain| rule.words == jump(chain)))
    };
    table.chains.retain(|chain| is_ours(&chain.name));
    table
        .rules
        .retain(|rule| is_ours(&rule.chain) || leads(rule));
    (!table.chains.is_empty()).then_some(table)
}
