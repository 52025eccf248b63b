//! Where maps of verdicts lead that rules in tables of `iptables-nft` look up.

use std::collections::{HashMap, HashSet};

use palisade_core::network::Family;
use palisade_iptables::rule::is_chain;
use palisade_nft::dump::{DumpError, Reader};
use palisade_nft::object::{Expression, LookupTarget, Rule, Value, Verdict};
use palisade_nft::program::ElementOf;

/// Elements of maps that rules look up, by map and in words: those that lead to chains of ours.
pub(super) type Ways = HashMap<String, String>;

pub(super) fn ways(
    reader: &mut Reader<'_>,
    (family, table): (Family, &str),
    rules: &[Rule],
) -> Result<Ways, DumpError> {
    let mut ways = Ways::new();
    let asked: HashSet<&str> = rules.iter().filter_map(map_of).collect();
    if asked.is_empty() {
        return Ok(ways);
    }
    for set in &reader.sets(family.into(), table)? {
        if !asked.contains(set.name.as_str()) {
            continue;
        }
        let mut elements = reader.elements(family.into(), table, &set.name)?;
        elements.retain(|element| match &element.value {
            Some(Value::Verdict(Verdict::Jump(chain) | Verdict::Goto(chain))) => is_chain(chain),
            _ => false,
        });
        let elements = elements.iter().map(|element| ElementOf { set, element });
        let texts: Vec<String> = elements.map(|element| format!("{element:#}")).collect();
        if !texts.is_empty() {
            ways.insert(set.name.clone(), texts.join(", "));
        }
    }
    Ok(ways)
}

/// The map in which a rule looks up where a packet goes.
pub(super) fn map_of(rule: &Rule) -> Option<&str> {
    rule.expressions
        .iter()
        .find_map(|expression| match expression {
            Expression::Lookup(lookup) if lookup.target == LookupTarget::Verdict => {
                Some(lookup.set.as_str())
            }
            _ => None,
        })
}
