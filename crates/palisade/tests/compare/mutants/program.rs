//! Mutants of a table of nf_tables.

use palisade_nft::object::{Element, Hook, Policy};
use palisade_nft::program::Program;

use super::Mutant;
use super::expression::of_expressions;

/// Every mutant of a table: of its rules, its sets, its chains.
pub(crate) fn of_program(program: &Program) -> Vec<Mutant<Program>> {
    let mut mutants = Vec::new();
    of_rules(program, &mut mutants);
    of_sets(program, &mut mutants);
    of_chains(program, &mut mutants);
    mutants
}

/// A copy with something done to it.
fn with(program: &Program, change: impl FnOnce(&mut Program)) -> Program {
    let mut mutant = program.clone();
    change(&mut mutant);
    mutant
}

fn of_rules(program: &Program, mutants: &mut Vec<Mutant<Program>>) {
    for (c, chain) in program.chains.iter().enumerate() {
        let name = &chain.chain.name;
        for (r, rule) in chain.rules.iter().enumerate() {
            let mut add = |what: &str, result| {
                mutants.push(Mutant::new(format!("{what}: {name}: {rule:#}"), result));
            };
            add("drop", with(program, |p| drop(p.chains[c].rules.remove(r))));
            if r + 1 < chain.rules.len() {
                let swapped = with(program, |p| p.chains[c].rules.swap(r, r + 1));
                add("swap with the next", swapped);
            }
            for mutant in of_expressions(&rule.expressions, program) {
                let changed = with(program, |p| {
                    p.chains[c].rules[r].expressions = mutant.result
                });
                add(&mutant.what, changed);
            }
        }
    }
}

fn of_sets(program: &Program, mutants: &mut Vec<Mutant<Program>>) {
    for (s, set) in program.sets.iter().enumerate() {
        let name = &set.set.name;
        for (e, element) in set.elements.iter().enumerate() {
            let mut add = |what: &str, result| {
                let key = hex(&element.key);
                mutants.push(Mutant::new(format!("{what}: {name}: {key}"), result));
            };
            let gone = with(program, |p| drop(p.sets[s].elements.remove(e)));
            add("drop an element", gone);
            // The network's last bit, and a letter of the bridge's name.
            for place in changeable(&element.key) {
                let mut key = element.key.clone();
                key[place] ^= 1;
                let other = Element {
                    key,
                    ..element.clone()
                };
                let changed = with(program, |p| p.sets[s].elements[e] = other.clone());
                add("change an element", changed);
                let added = with(program, |p| p.sets[s].elements.push(other));
                add("add an element", added);
            }
        }
    }
}

/// The last byte of a key's first part and of the key that is not zero.
fn changeable(key: &[u8]) -> Vec<usize> {
    let last = |until: usize| {
        key[..until.min(key.len())]
            .iter()
            .rposition(|&byte| byte != 0)
    };
    let mut places: Vec<usize> = [last(16), last(key.len())].into_iter().flatten().collect();
    places.dedup();
    places
}

fn of_chains(program: &Program, mutants: &mut Vec<Mutant<Program>>) {
    for (c, chain) in program.chains.iter().enumerate() {
        let name = &chain.chain.name;
        let mut add = |what: &str, result| {
            mutants.push(Mutant::new(format!("{what}: {name}"), result));
        };
        if !chain.rules.is_empty() {
            add("empty", with(program, |p| p.chains[c].rules.clear()));
        }
        let Some(base) = &chain.chain.base else {
            continue;
        };
        let change = |change: fn(&mut palisade_nft::object::BaseChain)| {
            with(program, |p| {
                p.chains[c].chain.base.as_mut().into_iter().for_each(change);
            })
        };
        add("policy drop", change(|base| base.policy = Policy::DROP));
        if base.hook == Hook::FORWARD {
            add("another hook", change(|base| base.hook = Hook::INPUT));
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
