//! Removes exactly what is meant from tables of iptables.

use std::collections::BTreeSet;

use palisade_core::owner::Owner;
use palisade_iptables::rule::{is_admin_chain, jump, tag};
use palisade_iptables::text::{Rule, Table, Words};

use crate::libvirt::{Matched, is_its_chain};
use crate::shell::{in_turn, word};

/// Removes those of libvirt's rules from a table that are meant.
pub(super) fn libvirt_rules(
    program: &str,
    table: &Table,
    is_meant: &dyn Fn(&Matched) -> bool,
) -> Option<String> {
    let rules = table
        .rules
        .iter()
        .filter(|rule| is_its_chain(&rule.chain) && is_meant(&Matched::of_iptables(&rule.words)));
    let commands = rules.map(|rule| delete(program, &table.name, &rule.chain, &rule.words));
    in_turn(&commands.collect::<Vec<_>>())
}

/// Removes libvirt's chains from a table, with the jumps to them.
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

/// Removes what palisade has in a table. Chains that hold or serve other programs' rules are kept,
/// with the jumps to them. `None` if palisade has nothing there.
pub(super) fn palisades(program: &str, table: &Table) -> Option<String> {
    let is_palisades = |chain: &str| Owner::of_chain(chain).is_palisade();
    let is_tagged = |rule: &Rule| {
        is_palisades(&rule.chain) && !is_admin_chain(&rule.chain) && tag(&rule.words).is_some()
    };
    let is_needed = |chain: &str| {
        table.rules.iter().any(|rule| {
            let is_foreign = rule.chain == chain && !is_tagged(rule);
            let leads_there = target(&rule.words) == Some(chain) && rule.words != jump(chain);
            is_foreign || leads_there && !is_tagged(rule)
        })
    };
    let (mut rules, mut chains) = (Vec::new(), Vec::new());
    for chain in table.chains.iter().map(|chain| chain.name.as_str()) {
        if !is_palisades(chain) {
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
