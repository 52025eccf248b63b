//! From what `iptables-save` printed to tables.

use palisade_core::words::shown;
use thiserror::Error;

use super::{Chain, Counters, Rule, Table, Words, number};

/// Text that is not the output of a program like `iptables-save`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line} is no line of iptables-save: `{}`", shown(.text))]
pub struct ParseError {
    /// The line's number, from 1.
    pub line: usize,
    /// What it says.
    pub text: String,
}

/// Reads the tables that a program like `iptables-save` printed. Comments are passed over: they
/// are for people, and their words differ from version to version.
///
/// # Errors
/// At the first line that has no place in such text, and if the last table is cut off.
pub fn parse(text: &str) -> Result<Vec<Table>, ParseError> {
    let mut tables = Vec::new();
    let mut open: Option<Table> = None;
    let mut last = 0;
    for (at, line) in text.split('\n').enumerate() {
        let strange = || ParseError {
            line: at + 1,
            text: line.to_owned(),
        };
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        last = at;
        match (&mut open, line) {
            (None, line) => {
                let name = line.strip_prefix('*').filter(|name| !name.is_empty());
                open = Some(Table {
                    name: name.ok_or_else(strange)?.to_owned(),
                    ..Table::default()
                });
            }
            (Some(_), "COMMIT") => tables.extend(open.take()),
            (Some(table), line) => {
                if let Some(rest) = line.strip_prefix(':') {
                    table.chains.push(chain(rest).ok_or_else(strange)?);
                } else {
                    table.rules.push(rule(line).ok_or_else(strange)?);
                }
            }
        }
    }
    match open {
        None => Ok(tables),
        Some(table) => Err(ParseError {
            line: last + 1,
            text: format!("table {} has no COMMIT", table.name),
        }),
    }
}

/// Reads the rules of one chain that a program like `iptables -v -S CHAIN` printed: what they counted
/// stands among their words.
pub(crate) fn parse_listed(text: &str) -> Result<Vec<Rule>, ParseError> {
    let lines = (1..).zip(text.split('\n'));
    let of_rules = lines.filter(|(_, line)| line.starts_with("-A "));
    let read = |(number, line): (usize, &str)| {
        rule(line).map(with_counters).ok_or_else(|| ParseError {
            line: number,
            text: line.to_owned(),
        })
    };
    of_rules.map(read).collect()
}

/// A rule that was listed, with `-c PACKETS BYTES` taken out of its words. It is the last such: what
/// stands before is a comment's.
fn with_counters(listed: Rule) -> Rule {
    let words = listed.words.as_slice();
    let counted = |at: usize| match &words[at..] {
        [option, packets, bytes, ..] if option == "-c" => Some(Counters {
            packets: number(packets)?,
            bytes: number(bytes)?,
        }),
        _ => None,
    };
    let last = (0..words.len())
        .rev()
        .find_map(|at| Some((at, counted(at)?)));
    match last {
        None => listed,
        Some((at, counters)) => Rule {
            words: words[..at]
                .iter()
                .chain(&words[at + 3..])
                .cloned()
                .collect(),
            counters: Some(counters),
            chain: listed.chain,
        },
    }
}

/// `NAME POLICY [PACKETS:BYTES]`.
fn chain(text: &str) -> Option<Chain> {
    let mut parts = text.split(' ');
    let name = parts.next().filter(|name| !name.is_empty())?.to_owned();
    let policy = parts.next()?;
    let counters = match parts.next() {
        Some(counters) => Some(Counters::read(counters)?),
        None => None,
    };
    let is_whole = parts.next().is_none() && !policy.is_empty();
    is_whole.then(|| Chain {
        name,
        policy: (policy != "-").then(|| policy.to_owned()),
        counters,
    })
}

/// `[PACKETS:BYTES] -A CHAIN WORDS`.
fn rule(line: &str) -> Option<Rule> {
    let (counters, rest) = leading_counters(line)?;
    let words: Words = rest.parse().ok()?;
    match words.as_slice() {
        [append, chain, words @ ..] if append == "-A" && !chain.is_empty() => Some(Rule {
            chain: chain.clone(),
            words: words.iter().cloned().collect(),
            counters,
        }),
        _ => None,
    }
}

/// The counters before a command, and the command. None if what stands there is no counters.
pub(super) fn leading_counters(line: &str) -> Option<(Option<Counters>, &str)> {
    if !line.starts_with('[') {
        return Some((None, line));
    }
    let (counters, rest) = line.split_once(' ')?;
    Some((Some(Counters::read(counters)?), rest))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    const SAVED: &str = "\
# Warning: iptables-legacy tables present, use iptables-legacy-save to see them
# Generated by iptables-nft-save v1.8.9 (nf_tables) on Tue Nov 24 17:01:53 2026
*filter
:INPUT ACCEPT [7:84]
:PALISADE_INP - [0:0]
[0:0] -A INPUT -j PALISADE_INP
[5:100] -A PALISADE_INP -i virbr0 -m comment --comment \"it\\'s: dhcp\" -j ACCEPT
[0:0] -A PALISADE_INP -m set --match-set x src -j SET --map-set y dst
COMMIT
# Completed on Tue Nov 24 17:01:53 2026

*nat
:PREROUTING ACCEPT [0:0]
COMMIT
";

    #[test]
    fn what_both_families_of_programs_print() {
        let tables = parse(SAVED).unwrap();
        let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
        assert_eq!(names, ["filter", "nat"]);
        let filter = &tables[0];
        assert_eq!(filter.chains[0].policy.as_deref(), Some("ACCEPT"));
        assert_eq!(filter.chains[0].counters.unwrap().bytes, 84);
        assert_eq!(filter.chains[1].policy, None);
        assert_eq!(
            filter.rules[0].to_string(),
            "[0:0] -A INPUT -j PALISADE_INP"
        );
        assert_eq!(filter.rules[1].counters.unwrap().packets, 5);
        assert_eq!(
            filter.rules[1].words.behind("--comment"),
            Some("it's: dhcp")
        );
        // What nobody here knows stays as it is.
        assert_eq!(
            filter.rules[2].words.to_string(),
            "-m set --match-set x src -j SET --map-set y dst"
        );
        assert_eq!(parse("").unwrap(), []);
    }

    #[test]
    fn what_the_programs_list_of_one_chain() {
        let listed = "-P FORWARD ACCEPT -c 7 84\n-N X\n\
            -A X -m comment --comment \"-c 1 2\" -c 5 100 -j ACCEPT\n-A X -c 0 3\n-A X -j Y\n";
        let rules: Vec<String> = parse_listed(listed)
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            rules,
            [
                "[5:100] -A X -m comment --comment \"-c 1 2\" -j ACCEPT",
                "[0:3] -A X",
                "-A X -j Y",
            ]
        );
        assert_eq!(parse_listed("-N X\n-A \n").unwrap_err().line, 2);
    }

    #[test]
    fn other_text_is_told_with_its_line() {
        for (text, line) in [
            ("iptables-save: command not found", 1),
            ("*filter\n:INPUT ACCEPT [0:0]\n", 2),
            ("*filter\n:INPUT\nCOMMIT\n", 2),
            ("*filter\n:INPUT ACCEPT [0;0]\nCOMMIT\n", 2),
            ("*filter\n\n[1:+2] -A INPUT\nCOMMIT\n", 3),
            ("*filter\n-D INPUT\nCOMMIT\n", 2),
            ("*filter\nCOMMIT\nCOMMIT\n", 3),
            ("*\nCOMMIT\n", 1),
        ] {
            assert_eq!(parse(text).unwrap_err().line, line, "{text}");
        }
    }

    pub(in crate::text) fn counters() -> impl Strategy<Value = Option<Counters>> {
        let some = (any::<u64>(), any::<u64>());
        proptest::option::of(some.prop_map(|(packets, bytes)| Counters { packets, bytes }))
    }

    pub(in crate::text) fn words() -> impl Strategy<Value = Words> {
        // Anything but what ends a line.
        proptest::collection::vec("[^\n]{0,12}", 0..8)
            .prop_map(|words: Vec<String>| words.into_iter().collect())
    }

    fn chains() -> impl Strategy<Value = Chain> {
        let policy = proptest::option::of("ACCEPT|DROP");
        ("[A-Za-z_]{1,29}", policy, counters()).prop_map(|(name, policy, counters)| Chain {
            name,
            policy,
            counters,
        })
    }

    fn rules() -> impl Strategy<Value = Rule> {
        ("[A-Za-z_]{1,29}", words(), counters()).prop_map(|(chain, words, counters)| Rule {
            chain,
            words,
            counters,
        })
    }

    fn tables() -> impl Strategy<Value = Table> {
        let chains = proptest::collection::vec(chains(), 0..4);
        let rules = proptest::collection::vec(rules(), 0..6);
        ("[a-z]{1,8}", chains, rules).prop_map(|(name, chains, rules)| Table {
            name,
            chains,
            rules,
        })
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_the_same(tables in proptest::collection::vec(tables(), 0..3)) {
            let text: String = tables.iter().map(ToString::to_string).collect();
            prop_assert_eq!(parse(&text).unwrap(), tables);
        }

        #[test]
        fn no_text_panics(text in "(?s).{0,200}") {
            let _ = parse(&text);
        }

        #[test]
        fn no_near_miss_panics(lines in proptest::collection::vec("[*:#\\[-]?[A-Z \"\\\\:\\[\\]0-9-]{0,20}", 0..8)) {
            let _ = parse(&format!("*filter\n{}\nCOMMIT\n", lines.join("\n")));
        }
    }
}
