//! Removes exactly what palisade has in a table: what other programs added is kept, and all that it
//! needs.

use std::collections::BTreeSet;

use palisade_nft::layout::{self, TRANSACTION};
use palisade_nft::object::{self, Expression, Verdict};
use palisade_nft::owner;
use palisade_nft::program::{FilledSet, Program};
use palisade_nft::statement::concatenation;

use crate::shell::word;

/// Removes what palisade has in a table: the whole table, unless other programs added something.
/// `None` if palisade has nothing there.
pub(super) fn palisades(program: &Program) -> Option<String> {
    let object::Table { family, name, .. } = &program.table;
    let at = format!("{family} {name}");
    let all = || program.chains.iter().flat_map(|chain| &chain.rules);
    let is_foreign = all().any(|rule| !is_palisades(rule));
    let kept = kept(&all().collect::<Vec<_>>());
    let is_kept = |rule: &object::Rule| kept.iter().any(|kept| std::ptr::eq(*kept, rule));
    let needed: BTreeSet<&str> = kept.iter().flat_map(|rule| needs(rule)).collect();
    let is_free = |place: &str| !needed.contains(place);
    let mut commands = Vec::new();
    let mut is_whole = !is_foreign;
    let mut has_palisades = false;
    for rule in all().filter(|rule| !is_kept(rule)) {
        let chain = &rule.chain;
        let delete = |handle| format!("delete rule {at} {chain} handle {handle}");
        commands.extend(rule.handle.map(delete));
        has_palisades = true;
    }
    let layouts = layout::Layout::ALL;
    for chain in program.chains.iter().map(|chain| &chain.chain.name) {
        let is_filled = |chain: &str| all().any(|rule| rule.chain == chain);
        let is_known = layouts.iter().any(|layout| layout.has_chain(chain))
            || layout::is_admin_chain(chain) && !is_filled(chain);
        if is_known && is_free(chain) {
            commands.push(format!("delete chain {at} {chain}"));
        }
        is_whole &= is_known;
    }
    for filled in &program.sets {
        let set = &filled.set.name;
        let is_known = set == TRANSACTION || layouts.iter().any(|layout| layout.has_set(set));
        let has_foreign = !foreign_elements(filled).is_empty();
        has_palisades |= is_known && palisades_elements(filled).next().is_some();
        if is_known && is_free(set) && !has_foreign {
            commands.push(format!("delete set {at} {set}"));
        } else if is_known {
            commands.extend(
                palisades_elements(filled)
                    .map(|key| format!("delete element {at} {set} {{ {key} }}")),
            );
        }
        is_whole &= is_known && !has_foreign;
    }
    if is_whole {
        return Some(format!("nft delete table {at}"));
    }
    nft(&commands).filter(|_| has_palisades)
}

/// The rules that are kept: other programs' rules, and palisade's that lead packets to them.
fn kept<'r>(all: &[&'r object::Rule]) -> Vec<&'r object::Rule> {
    let (palisades, mut kept): (Vec<_>, Vec<_>) =
        all.iter().copied().partition(|rule| is_palisades(rule));
    loop {
        let chains: BTreeSet<&str> = kept.iter().map(|rule| rule.chain.as_str()).collect();
        let leads_there = |rule: &&object::Rule| {
            needs(rule)
                .iter()
                .any(|place| *place != rule.chain && chains.contains(place))
        };
        let is_new = |rule: &&object::Rule| !kept.iter().any(|kept| std::ptr::eq(*kept, *rule));
        let more: Vec<_> = palisades
            .iter()
            .copied()
            .filter(is_new)
            .filter(leads_there)
            .collect();
        if more.is_empty() {
            return kept;
        }
        kept.extend(more);
    }
}

fn is_palisades(rule: &object::Rule) -> bool {
    owner::in_own_table(rule).is_palisade()
}

/// The chain that a rule is in, and those and the sets that it leads to.
fn needs(rule: &object::Rule) -> Vec<&str> {
    let leads_to = |expression| match expression {
        &Expression::Verdict(Verdict::Jump(ref chain) | Verdict::Goto(ref chain)) => {
            Some(chain.as_str())
        }
        Expression::Lookup(lookup) => Some(lookup.set.as_str()),
        _ => None,
    };
    let places = rule.expressions.iter().filter_map(leads_to);
    places.chain([rule.chain.as_str()]).collect()
}

/// Elements without the comment that palisade's have.
fn foreign_elements(filled: &FilledSet) -> Vec<&object::Element> {
    let elements = filled.elements.iter();
    let is_foreign = |element: &&object::Element| {
        filled.set.name != TRANSACTION && element.userdata.text().is_none()
    };
    elements.filter(is_foreign).collect()
}

fn palisades_elements(filled: &FilledSet) -> impl Iterator<Item = String> {
    let elements = filled.elements.iter();
    let palisades = elements.filter(|element| element.userdata.text().is_some());
    palisades.map(|element| concatenation(filled.set.key_type, &element.key).to_string())
}

/// One call of `nft` for all of these commands, which runs all or none of them.
pub(super) fn nft(commands: &[String]) -> Option<String> {
    (!commands.is_empty()).then(|| format!("nft {}", word(&commands.join("; "))))
}
