//! What stands in the kernel for one network.

use std::collections::{BTreeMap, HashMap};

use palisade_core::backend::{self, Counted, Installed};
use palisade_core::network::Family;
use palisade_core::rules::RuleKind;
use palisade_core::state::Record;

use super::item::{key, set_of};
use super::observed::Observed;
use crate::dump::{Depth, DumpError, Reader};
use crate::layout;
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
        let mut of_networks: BTreeMap<usize, Vec<Found>> = BTreeMap::new();
        for (network, item) in items {
            let found = match &mut observed {
                Some(observed) => one(observed, &elements, item),
                None => (Place::default(), missing(item)),
            };
            of_networks.entry(network).or_default().push(found);
        }
        for (network, mut found) in of_networks {
            found.sort_by_key(|(place, _)| *place);
            all[network].extend(found.into_iter().map(|(_, standing)| standing));
        }
    }
    Ok(all)
}

/// Where a rule stands: the place of its chain in the table, and its own in the chain. What stands
/// nowhere in particular comes last, in the order in which it is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place(usize, usize);

impl Default for Place {
    fn default() -> Self {
        Self(usize::MAX, usize::MAX)
    }
}

/// Something that is recorded, and where it stands.
type Found = (Place, backend::Standing);

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

fn one(observed: &mut Observed, elements: &Elements, item: &Installed) -> Found {
    let element = || elements.get(&item.place)?.get(&key(&item.item)?).copied();
    if let Some(counter) = element() {
        let standing = backend::Standing {
            counter,
            missing: false,
            ..missing(item)
        };
        return (Place::default(), standing);
    }
    let mut chains = observed.program.chains.iter();
    let chain = chains.position(|filled| filled.chain.name == item.place);
    match observed.claim(item) {
        Some(found) => {
            let standing = backend::Standing {
                text: found.text().to_owned(),
                counter: counter(&found.rule.expressions),
                missing: false,
                ..missing(item)
            };
            (Place(chain.unwrap_or(usize::MAX), found.place), standing)
        }
        None => (
            Place(chain.unwrap_or(usize::MAX), usize::MAX),
            missing(item),
        ),
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

/// The comment of a rule of `flat` names its kind, the set that an element of `mapped` is in has one.
fn purpose(item: &Installed) -> Option<RuleKind> {
    if let Some(set) = set_of(&item.place) {
        return Some(set.rule_kind());
    }
    let (_, comment) = item.item.rsplit_once("comment \"")?;
    layout::untag(comment.strip_suffix('"')?).map(|(_, kind)| kind)
}
