//! Commands that take out exactly what is meant: what somebody else put beside it stays, and so
//! does all that this needs.

use std::collections::BTreeSet;

use palisade_core::owner::Owner;
use palisade_iptables::rule::{is_admin_chain, jump, tag};
use palisade_iptables::text::{Rule, Table, Words};
use palisade_nft::layout::{self, TRANSACTION};
use palisade_nft::object::{self, Expression, Verdict};
use palisade_nft::owner;
use palisade_nft::program::{FilledSet, Program};
use palisade_nft::statement::concatenation;

use super::mend::word;
use crate::libvirt::{Matched, Native, is_its_chain};

/// One call of `nft` for all of these commands: it does all of them or none.
fn nft(commands: &[String]) -> Option<String> {
    (!commands.is_empty()).then(|| format!("nft {}", word(&commands.join("; "))))
}

/// One call after the other, as long as they succeed.
fn in_turn(commands: &[String]) -> Option<String> {
    (!commands.is_empty()).then(|| commands.join(" && "))
}

/// Takes rules of libvirt's out of nf_tables.
pub(super) fn native(rules: &[&Native]) -> Option<String> {
    let delete = |rule: &&Native| {
        let (family, table, chain) = (rule.family, &rule.table, &rule.chain);
        let handle = rule.handle?;
        Some(format!(
            "delete rule {family} {table} {chain} handle {handle}"
        ))
    };
    nft(&rules.iter().filter_map(delete).collect::<Vec<_>>())
}

/// Takes those rules of libvirt's out of a table of iptables that are meant.
pub(super) fn libvirt_rules(
    program: &str,
    table: &Table,
    is_meant: impl Fn(&Matched) -> bool,
) -> Option<String> {
    let rules = table
        .rules
        .iter()
        .filter(|rule| is_its_chain(&rule.chain) && is_meant(&Matched::of_iptables(&rule.words)));
    let commands = rules.map(|rule| delete(program, &table.name, &rule.chain, &rule.words));
    in_turn(&commands.collect::<Vec<_>>())
}

/// Takes libvirt's chains out of a table of iptables, with the jumps to them.
pub(super) fn libvirt_chains(program: &str, table: &Table) -> Option<String> {
    let chains: BTreeSet<&str> = table
        .chains
        .iter()
        .map(|chain| chain.name.as_str())
        .filter(|name| is_its_chain(name))
        .collect();
    let mut commands = Vec::new();
    for rule in table.rules.iter().filter(|r| !chains.contains(&*r.chain)) {
        if target(&rule.words).is_some_and(|chain| chains.contains(chain)) {
            commands.push(delete(program, &table.name, &rule.chain, &rule.words));
        }
    }
    for step in ["-F", "-X"] {
        for chain in &chains {
            commands.push(call(program, &table.name, &format!("{step} {chain}")));
        }
    }
    in_turn(&commands)
}

/// Takes what is ours out of a table of iptables: chains that hold or serve what is not ours stay,
/// with the jumps to them. None if nothing of ours is there.
pub(super) fn ours_in_iptables(program: &str, table: &Table) -> Option<String> {
    let is_ours = |chain: &str| Owner::of_chain(chain).is_palisade();
    let is_tagged = |rule: &Rule| {
        is_ours(&rule.chain) && !is_admin_chain(&rule.chain) && tag(&rule.words).is_some()
    };
    let is_needed = |chain: &str| {
        table.rules.iter().any(|rule| {
            let is_foreign = rule.chain == chain && !is_tagged(rule);
            let asks = target(&rule.words) == Some(chain) && rule.words != jump(chain);
            is_foreign || asks && !is_tagged(rule)
        })
    };
    let (mut rules, mut chains) = (Vec::new(), Vec::new());
    for chain in table.chains.iter().map(|chain| chain.name.as_str()) {
        if !is_ours(chain) {
            continue;
        }
        let is_free = !is_needed(chain);
        for rule in &table.rules {
            let is_its_jump = is_free && rule.words == jump(chain);
            if is_its_jump || (rule.chain == chain && is_tagged(rule)) {
                rules.push(delete(program, &table.name, &rule.chain, &rule.words));
            }
        }
        if is_free {
            chains.push(call(program, &table.name, &format!("-X {chain}")));
        }
    }
    in_turn(&[rules, chains].concat())
}

fn target(words: &Words) -> Option<&str> {
    words.behind("-j").or_else(|| words.behind("-g"))
}

fn delete(program: &str, table: &str, chain: &str, words: &Words) -> String {
    let words: Vec<String> = words.as_slice().iter().map(|text| word(text)).collect();
    let rule = format!("-D {} {}", word(chain), words.join(" "));
    call(program, table, &rule)
}

fn call(program: &str, table: &str, words: &str) -> String {
    format!("{program} -w -t {table} {words}")
}

/// Takes what is ours out of a table of nf_tables: all of it, where nobody else put anything there.
/// None if nothing of ours is there.
pub(super) fn ours(program: &Program) -> Option<String> {
    let object::Table { family, name, .. } = &program.table;
    let at = format!("{family} {name}");
    let all = || program.chains.iter().flat_map(|chain| &chain.rules);
    let is_foreign = all().any(|rule| !is_ours(rule));
    let kept = kept(&all().collect::<Vec<_>>());
    let is_kept = |rule: &object::Rule| kept.iter().any(|kept| std::ptr::eq(*kept, rule));
    let needed: BTreeSet<&str> = kept.iter().flat_map(|rule| needs(rule)).collect();
    let is_free = |place: &str| !needed.contains(place);
    let mut commands = Vec::new();
    let mut is_whole = !is_foreign;
    let mut has_ours = false;
    for rule in all().filter(|rule| !is_kept(rule)) {
        let chain = &rule.chain;
        let delete = |handle| format!("delete rule {at} {chain} handle {handle}");
        commands.extend(rule.handle.map(delete));
        has_ours = true;
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
        let is_of_others = !foreign_elements(filled).is_empty();
        has_ours |= is_known && our_elements(filled).next().is_some();
        if is_known && is_free(set) && !is_of_others {
            commands.push(format!("delete set {at} {set}"));
        } else if is_known {
            commands.extend(
                our_elements(filled).map(|key| format!("delete element {at} {set} {{ {key} }}")),
            );
        }
        is_whole &= is_known && !is_of_others;
    }
    if is_whole {
        return Some(format!("nft delete table {at}"));
    }
    nft(&commands).filter(|_| has_ours)
}

/// The rules that stay: those of others, and ours that lead packets to them.
fn kept<'r>(all: &[&'r object::Rule]) -> Vec<&'r object::Rule> {
    let (ours, mut kept): (Vec<_>, Vec<_>) = all.iter().copied().partition(|rule| is_ours(rule));
    loop {
        let chains: BTreeSet<&str> = kept.iter().map(|rule| rule.chain.as_str()).collect();
        let leads_there = |rule: &&object::Rule| {
            needs(rule)
                .iter()
                .any(|place| *place != rule.chain && chains.contains(place))
        };
        let is_new = |rule: &&object::Rule| !kept.iter().any(|kept| std::ptr::eq(*kept, *rule));
        let more: Vec<_> = ours
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

fn is_ours(rule: &object::Rule) -> bool {
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

/// Elements without the comment that ours have.
fn foreign_elements(filled: &FilledSet) -> Vec<&object::Element> {
    let elements = filled.elements.iter();
    let is_foreign = |element: &&object::Element| {
        filled.set.name != TRANSACTION && element.userdata.text().is_none()
    };
    elements.filter(is_foreign).collect()
}

fn our_elements(filled: &FilledSet) -> impl Iterator<Item = String> {
    let elements = filled.elements.iter();
    let ours = elements.filter(|element| element.userdata.text().is_some());
    ours.map(|element| concatenation(filled.set.key_type, &element.key).to_string())
}
