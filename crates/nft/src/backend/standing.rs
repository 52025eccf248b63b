//! What stands in the kernel for one network.

use std::collections::{BTreeMap, BTreeSet};

use palisade_core::backend::{self, Counted, Installed};
use palisade_core::network::Family;
use palisade_core::rules::Purpose;
use palisade_core::state::Record;

use super::item::key;
use super::observed::{Observed, Standing};
use super::settings::Settings;
use crate::dump::{Depth, DumpError, Reader};
use crate::layout::{self, Layout, Shape};
use crate::object::{Element, Expression};
use crate::program::Program;

/// Gives rules the handles that they have in the kernel. Elements have none. Whether there are rules.
pub(super) fn note_handles(
    reader: &mut Reader<'_>,
    records: &mut [Record],
) -> Result<bool, DumpError> {
    let is_flat = |record: &&mut Record| {
        Settings::try_from(&record.placement).is_ok_and(|s| s.layout == Layout::Flat)
    };
    let mut tables: BTreeMap<(Family, String), Vec<&mut Installed>> = BTreeMap::new();
    for item in records
        .iter_mut()
        .filter(is_flat)
        .flat_map(|r| &mut r.installed)
    {
        let table = (item.family, item.table.clone());
        tables.entry(table).or_default().push(item);
    }
    let is_any = !tables.is_empty();
    for ((family, table), items) in tables {
        let program = reader.program(family.into(), &table, Depth::Outline)?;
        let mut observed = program.map(Observed::new);
        for item in items {
            let standing = observed.as_mut().and_then(|observed| observed.claim(item));
            item.handle = standing.and_then(Standing::handle);
        }
    }
    Ok(is_any)
}

/// What stands of what is recorded for a network.
pub(super) fn of(
    reader: &mut Reader<'_>,
    record: &Record,
) -> Result<Vec<backend::Standing>, DumpError> {
    let tables: BTreeSet<(Family, &str)> = record
        .installed
        .iter()
        .map(|item| (item.family, item.table.as_str()))
        .collect();
    let mut all = Vec::new();
    for (family, table) in tables {
        let program = reader.program(family.into(), table, Depth::Elements)?;
        let mut observed = program.map(Observed::new);
        let is_here = |item: &&Installed| item.family == family && item.table == table;
        for item in record.installed.iter().filter(is_here) {
            all.push(match &mut observed {
                Some(observed) => one(observed, item),
                None => missing(item),
            });
        }
    }
    Ok(all)
}

fn one(observed: &mut Observed, item: &Installed) -> backend::Standing {
    if let Some(found) = element(&observed.program, item) {
        return backend::Standing {
            counter: counter(&found.expressions),
            missing: false,
            ..missing(item)
        };
    }
    match observed.claim(item) {
        Some(standing) => backend::Standing {
            text: standing.text.clone(),
            counter: counter(&standing.rule.expressions),
            missing: false,
            ..missing(item)
        },
        None => missing(item),
    }
}

fn element<'p>(program: &'p Program, item: &Installed) -> Option<&'p Element> {
    let key = key(&item.item)?;
    let mut elements = program.set(&item.place)?.elements.iter();
    elements.find(|element| element.key == key)
}

fn missing(item: &Installed) -> backend::Standing {
    backend::Standing {
        family: item.family,
        place: item.place.clone(),
        purpose: purpose(item),
        text: item.item.clone(),
        counter: None,
        missing: true,
    }
}

fn counter(expressions: &[Expression]) -> Option<Counted> {
    expressions.iter().find_map(|expression| match expression {
        Expression::Counter(counter) => Some(Counted {
            packets: counter.packets,
            bytes: counter.bytes,
        }),
        _ => None,
    })
}

/// A rule of `flat` says its purpose in its comment, an element of `mapped` by the set it is in.
fn purpose(item: &Installed) -> Option<Purpose> {
    if let Some(shape) = Shape::from_name(&item.place) {
        return Some(match shape {
            Shape::Cross | Shape::Bridges => Purpose::Cross,
            Shape::Out { .. } => Purpose::Out,
            Shape::RefusedOut => Purpose::RefuseOut,
            Shape::Reply { .. } | Shape::In { .. } => Purpose::In,
            Shape::RefusedIn => Purpose::RefuseIn,
            Shape::Same { .. } | Shape::Nat { .. } => Purpose::Nat,
        });
    }
    let (_, comment) = item.item.rsplit_once("comment \"")?;
    layout::purpose_of(comment.strip_suffix('"')?)
}
