//! Mutants of the tables of iptables.

use palisade_iptables::text::{Rule, Table};

use super::Mutant;
use super::words::of_words;

/// Every mutant of these tables: of their rules and chains.
pub(crate) fn of_tables(tables: &[Table]) -> Vec<Mutant<Vec<Table>>> {
    let mut mutants = Vec::new();
    for (t, table) in tables.iter().enumerate() {
        for (r, rule) in table.rules.iter().enumerate() {
            let mut add = |what: &str, rule: &Rule, change: &dyn Fn(&mut Vec<Rule>)| {
                let mut all = tables.to_vec();
                change(&mut all[t].rules);
                mutants.push(Mutant::new(format!("{what}: {}: {rule}", table.name), all));
            };
            add("drop", rule, &|rules| drop(rules.remove(r)));
            let next = table.rules[r + 1..]
                .iter()
                .position(|next| next.chain == rule.chain);
            if let Some(next) = next {
                add("swap with the next", rule, &|rules| {
                    rules.swap(r, r + 1 + next);
                });
            }
            for mutant in of_words(&rule.words) {
                let mut other = rule.clone();
                other.words = mutant.result;
                add(&mutant.what, &other, &|rules| rules[r] = other.clone());
            }
        }
        for (c, chain) in table.chains.iter().enumerate() {
            if chain.policy.is_some() && table.name != "nat" {
                let mut all = tables.to_vec();
                all[t].chains[c].policy = Some("DROP".to_owned());
                let what = format!("policy drop: {}: {}", table.name, chain.name);
                mutants.push(Mutant::new(what, all));
            }
        }
    }
    mutants
}
