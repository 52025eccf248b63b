//! What stands in the kernel for one network.

use std::collections::{BTreeMap, HashMap};

use palisade_core::backend::{self, Counted, Installed};
use palisade_core::network::Family;
use palisade_core::rules::Purpose;
use palisade_core::state::Record;

use super::item::key;
use super::observed::Observed;
use crate::dump::{Depth, DumpError, Reader};
use crate::layout::{self, Shape};
use crate::object::{Element, Expression};
use crate::program::{FilledSet, Program};

/// What stands of what is recorded for each of these networks.
pub(super) fn of(
    reader: &mut Reader<'_>,
    records: &[&Record],
) -> Result<Vec<Vec<backend::Standing>>, DumpError> {
    let mut tables: BTreeMap<(Family, &str), Vec<(usize, &Installed)>> = BTreeMap::new();
    for (network, record) in records.iter().enumerate() {
        for item in &record.installed {
            let of_table = tables.entry((item.family, &item.table)).or_default();
            of_table.push((network, item));
        }
    }
    let mut all = vec![Vec::new(); records.len()];
    for ((family, table), items) in tables {
        let program = reader.program(family.into(), table, Depth::Elements)?;
        let elements = program.as_ref().map(counted_elements).unwrap_or_default();
        let mut observed = program.map(Observed::new);
        for (network, item) in items {
            all[network].push(match &mut observed {
                Some(observed) => one(observed, &elements, item),
                None => missing(item),
            });
        }
    }
    Ok(all)
}

/// Elements that stand, by set and key, and what they counted.
type Elements = HashMap<String, HashMap<Vec<u8>, Option<Counted>>>;

fn counted_elements(program: &Program) -> Elements {
    let of_set = |filled: &FilledSet| {
        let counted = |element: &Element| (element.key.clone(), counter(&element.expressions));
        let elements = filled.elements.iter().map(counted).collect();
        (filled.set.name.clone(), elements)
    };
    program.sets.iter().map(of_set).collect()
}

fn one(observed: &mut Observed, elements: &Elements, item: &Installed) -> backend::Standing {
    let element = || elements.get(&item.place)?.get(&key(&item.item)?).copied();
    if let Some(counter) = element() {
        return backend::Standing {
            counter,
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
