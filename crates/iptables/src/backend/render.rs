//! What would be installed, as text.

use palisade_core::network::{Family, Network};

use super::area::{Area, Held};
use super::difference::between;
use super::observed::Observed;
use crate::rule::{Table, placed};
use crate::run::Variant;
use crate::text::{self, Chain, Command, Input, Rule};

/// What these networks would have installed for a family where nothing of ours runs yet, in the
/// order in which they would be started: text that `iptables-restore --noflush` (for IPv6,
/// `ip6tables-restore --noflush`) accepts. Empty if they need nothing.
#[must_use]
pub fn render(networks: &[Network], family: Family) -> String {
    inputs(networks, family)
        .iter()
        .map(Input::to_string)
        .collect()
}

/// Both families in one text, which `iptables-restore --noflush` and `ip6tables-restore --noflush` accept: each line says
/// which family it is for, and the program of the other family ignores it.
#[must_use]
pub fn render_both(networks: &[Network]) -> String {
    let mut text = String::new();
    for family in Family::BOTH {
        let rendered = render(networks, family);
        if !rendered.is_empty() {
            text.push_str(&format!("# {family}\n"));
        }
        for line in rendered.lines() {
            // Names of tables and commits are for no family.
            if line.starts_with('-') {
                text.push_str(only(family));
            }
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

/// The option before a command that makes the program of the other family ignore it.
fn only(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "-4 ",
        Family::Ipv6 => "-6 ",
    }
}

/// The tables of a family as `iptables-save` would print them after that, where nothing else stands
/// and the kernel's chains let pass what no rule decides on. None if they need nothing.
#[must_use]
pub fn tables(networks: &[Network], family: Family) -> Vec<text::Table> {
    inputs(networks, family).iter().map(done).collect()
}

fn inputs(networks: &[Network], family: Family) -> Vec<Input> {
    let added = networks.iter().map(|network| placed(network, family));
    let added: Vec<_> = added.filter(|wanted| !wanted.is_empty()).collect();
    if added.is_empty() {
        return Vec::new();
    }
    let area = Area {
        variant: Variant::Legacy, // Both read the same.
        family,
        networks: added
            .iter()
            .map(|rules| Held {
                rules: rules.clone(),
                comes: true,
            })
            .collect(),
        gone: Vec::new(),
        added: added.into_iter().enumerate().collect(),
        restored: Vec::new(),
        excess: Vec::new(),
        foreign: palisade_core::backend::Foreign::Keep,
    };
    let input = |table| between(&area, table, Observed::default()).input;
    Table::ALL.map(input).to_vec()
}

/// A table in which only these commands were done.
fn done(input: &Input) -> text::Table {
    let parents = Table::from_name(&input.table).map_or(&[][..], Table::parents);
    let parent = |(name, _): &(&str, _)| Chain {
        name: (*name).to_owned(),
        policy: Some("ACCEPT".to_owned()),
        counters: None,
    };
    let mut table = text::Table {
        name: input.table.clone(),
        chains: parents.iter().map(parent).collect(),
        rules: Vec::new(),
    };
    for command in &input.commands {
        do_command(&mut table, command);
    }
    table
}

fn do_command(table: &mut text::Table, command: &Command) {
    match command {
        Command::NewChain(name) => table.chains.push(Chain {
            name: name.clone(),
            policy: None,
            counters: None,
        }),
        Command::DeleteChain(name) => table.chains.retain(|chain| chain.name != *name),
        Command::Flush(chain) => table.rules.retain(|rule| rule.chain != *chain),
        Command::Insert {
            chain,
            at,
            words,
            counters,
        } => {
            let rule = Rule {
                chain: chain.clone(),
                words: words.clone(),
                counters: *counters,
            };
            let of_chain = table
                .rules
                .iter()
                .enumerate()
                .filter(|(_, r)| r.chain == *chain);
            let place = of_chain.map(|(place, _)| place).nth(at.saturating_sub(1));
            table.rules.insert(place.unwrap_or(table.rules.len()), rule);
        }
        Command::Delete { chain, words, .. } => {
            let is_it = |rule: &Rule| rule.chain == *chain && rule.words == *words;
            if let Some(place) = table.rules.iter().position(is_it) {
                table.rules.remove(place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_done_as_the_programs_do_them() {
        let text = "*filter\n-N A\n-N B\n-I A -j DROP\n-I A -j ACCEPT\n-I B -j RETURN\n\
                    -I A 2 -j REJECT\n-I A 4 -j A\n-D A -j DROP\n-X B\nCOMMIT\n";
        let table = done(&text.parse().unwrap());
        let of_a: Vec<String> = table
            .rules
            .iter()
            .filter(|rule| rule.chain == "A")
            .map(|rule| rule.words.to_string())
            .collect();
        assert_eq!(of_a, ["-j ACCEPT", "-j REJECT", "-j A"]);
        let chains: Vec<&str> = table.chains.iter().map(|chain| &*chain.name).collect();
        assert_eq!(chains, ["INPUT", "FORWARD", "OUTPUT", "A"]);
    }
}
