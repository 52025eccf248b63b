//! Mutants of a table of nf_tables.

use palisade_nft::object::{Element, Hook, Policy, Rule};
use palisade_nft::program::{ElementOf, Program};

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
            let mut add = |what: &str, rule: &Rule, result| {
                mutants.push(Mutant::new(format!("{what}: {name}: {rule:#}"), result));
            };
            let without = with(program, |p| drop(p.chains[c].rules.remove(r)));
            add("drop", rule, without);
            if r + 1 < chain.rules.len() {
                let swapped = with(program, |p| p.chains[c].rules.swap(r, r + 1));
                add("swap with the next", rule, swapped);
            }
            for mutant in of_expressions(&rule.expressions, program) {
                let mut other = rule.clone();
                other.expressions = mutant.result;
                let changed = with(program, |p| p.chains[c].rules[r] = other.clone());
                add(&mutant.what, &other, changed);
            }
        }
    }
}

fn of_sets(program: &Program, mutants: &mut Vec<Mutant<Program>>) {
    for (s, set) in program.sets.iter().enumerate() {
        let name = &set.set.name;
        if name == "transaction" {
            continue; // No rule asks it, and every change changes it.
        }
        for (e, element) in set.elements.iter().enumerate() {
            let mut add = |what: &str, element: &Element, result| {
                let set = &set.set;
                let shown = ElementOf { set, element };
                mutants.push(Mutant::new(format!("{what}: {name}: {shown:#}"), result));
            };
            let gone = with(program, |p| drop(p.sets[s].elements.remove(e)));
            add("drop an element", element, gone);
            // The network's last bit, and a letter of the bridge's name.
            for place in changeable(&element.key) {
                let mut key = element.key.clone();
                key[place] ^= 4;
                let other = Element {
                    key,
                    ..element.clone()
                };
                let changed = with(program, |p| p.sets[s].elements[e] = other.clone());
                add("change an element", &other, changed);
                let added = with(program, |p| p.sets[s].elements.push(other.clone()));
                add("add an element", &other, added);
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
