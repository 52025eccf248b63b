//! What stands in the kernel for one network.

use std::collections::{BTreeMap, HashMap};

use palisade_core::backend::{self, Counted, Installed};
use palisade_core::network::Family;
use palisade_core::rules::{Matches, RuleKind};
use palisade_core::state::Record;

use super::item::{in_words, matched, set_of};
use super::observed::Observed;
use super::settings::Settings;
use crate::dump::{Depth, DumpError, Reader};
use crate::identity::digest;
use crate::layout::{self, Item};
use crate::object::{Element, ElementRef, Expression, Rule};
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
            let record = records[network];
            let found = match &mut observed {
                Some(observed) => one(observed, &elements, record, item),
                None => (Place::default(), missing(record, item)),
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
        let counted = |element: &Element| {
            let identity = ElementRef::from(element).identity().collect();
            (identity, counter(&element.expressions))
        };
        let elements = filled.elements.iter().map(counted).collect();
        (filled.set.name.clone(), elements)
    };
    program.sets.iter().map(of_set).collect()
}

fn one(observed: &mut Observed, elements: &Elements, record: &Record, item: &Installed) -> Found {
    let element = || elements.get(&item.place)?.get(item.item.key()?).copied();
    if let Some(counter) = element() {
        return (Place::default(), installed(item, in_words(item), counter));
    }
    let mut chains = observed.program.chains.iter();
    let chain = chains.position(|filled| filled.chain.name == item.place);
    let chain = chain.unwrap_or(usize::MAX);
    match observed.claim(item) {
        Some(found) => {
            let counter = counter(&found.rule.expressions);
            let mut standing = installed(item, found.text(), counter);
            if standing.purpose.is_some_and(RuleKind::is_of_forward) {
                standing.forwarded = matched_by(item, &found.rule).map(Box::new);
            }
            (Place(chain, found.place), standing)
        }
        None => (Place(chain, usize::MAX), missing(record, item)),
    }
}

fn installed(item: &Installed, text: String, counter: Option<Counted>) -> backend::Standing {
    let purpose = purpose(item);
    let is_of_forward = purpose.is_some_and(RuleKind::is_of_forward);
    backend::Standing {
        family: item.family,
        place: item.place.clone(),
        purpose,
        text,
        counter,
        missing: false,
        forwarded: matched(item).filter(|_| is_of_forward).map(Box::new),
    }
}

/// What a rule of `flat` matches.
fn matched_by(item: &Installed, rule: &Rule) -> Option<Matches> {
    let table = item.table.parse().ok()?;
    Some(layout::read_rule(&table, item.family, rule)?.matches)
}

fn missing(record: &Record, item: &Installed) -> backend::Standing {
    let text = made(record, item).unwrap_or_else(|| in_words(item));
    backend::Standing {
        missing: true,
        ..installed(item, text, None)
    }
}

/// A rule that is recorded, as this build makes it.
fn made(record: &Record, item: &Installed) -> Option<String> {
    let recorded = item.item.rule()?;
    let Settings { layout, table } = Settings::try_from(&record.placement).ok()?;
    let items = layout.items(&table, item.family, &record.network);
    let mut rules = items.into_iter().filter_map(|made| match made {
        Item::Rule(rule) => Some(rule),
        Item::Element { .. } => None,
    });
    let made = rules.find(|rule| digest(rule) == recorded.digest)?;
    Some(format!("{made:#}"))
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
    layout::untag(&item.item.rule()?.comment).map(|(_, kind)| kind)
}
