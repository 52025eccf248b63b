//! What `iptables-restore --noflush` is given: commands on one table, done together or not at all.
//!
//! No chain is ever declared (`:CHAIN`): that would empty one that stands. One that is missing is
//! made with `-N`, which both families of programs take in their input.

use std::fmt;
use std::str::FromStr;

use palisade_core::words::shown;
use thiserror::Error;

use super::parse::leading_counters;
use super::{Counters, Words, number};

/// Commands on one table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Input {
    /// The table.
    pub table: String,
    /// What to do, in this order.
    pub commands: Vec<Command>,
}

/// One command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    /// `-N`: makes a chain.
    NewChain(String),
    /// `-X`: deletes a chain, which must be empty and asked by no rule.
    DeleteChain(String),
    /// `-F`: takes all rules out of a chain.
    Flush(String),
    /// `-I`: puts a rule into a chain.
    Insert {
        /// The chain.
        chain: String,
        /// Its number among the chain's rules then; 1 is the head.
        at: usize,
        /// The rule.
        words: Words,
        /// What it shall have counted.
        counters: Option<Counters>,
    },
    /// `-D`: deletes the first rule of a chain that says this.
    Delete {
        /// The chain.
        chain: String,
        /// The rule.
        words: Words,
        /// Its number, where the programs would take another for it: 1 is the head. They are given
        /// the number, and the words in a remark, for whoever reads the text again.
        at: Option<usize>,
    },
}

/// Text that is not such input.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line} is no command of ours: `{}`", shown(.text))]
pub struct InputError {
    /// The line's number, from 1.
    pub line: usize,
    /// What it says.
    pub text: String,
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NewChain(chain) => write!(f, "-N {chain}"),
            Self::DeleteChain(chain) => write!(f, "-X {chain}"),
            Self::Flush(chain) => write!(f, "-F {chain}"),
            Self::Insert {
                chain,
                at,
                words,
                counters,
            } => {
                if let Some(counters) = counters {
                    write!(f, "{counters} ")?;
                }
                write!(f, "-I {chain}")?;
                if *at > 1 {
                    write!(f, " {at}")?;
                }
                write!(f, " {words}")
            }
            Self::Delete { chain, words, at } => match at {
                None => write!(f, "-D {chain} {words}"),
                Some(at) => write!(f, "# -D {chain} {words}\n-D {chain} {at}"),
            },
        }
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "*{}", self.table)?;
        for command in &self.commands {
            writeln!(f, "{command}")?;
        }
        writeln!(f, "COMMIT")
    }
}

impl FromStr for Input {
    type Err = InputError;

    fn from_str(text: &str) -> Result<Self, InputError> {
        let strange = |line: usize, text: &str| InputError {
            line,
            text: text.to_owned(),
        };
        let mut lines: Vec<&str> = text.split('\n').collect();
        // The last line ends too, and COMMIT is before that end.
        let end = [lines.pop(), lines.pop()];
        if end != [Some(""), Some("COMMIT")] {
            return Err(strange(lines.len() + 1, end[1].unwrap_or_default()));
        }
        let mut lines = lines.into_iter().zip(1..);
        let (first, _) = lines.next().unwrap_or_default();
        let table = first.strip_prefix('*').ok_or_else(|| strange(1, first))?;
        let mut commands = Vec::new();
        while let Some((line, number)) = lines.next() {
            let remarked = line.strip_prefix("# ");
            let read = match remarked {
                None => command(line),
                Some(remarked) => lines.next().and_then(|(line, _)| numbered(remarked, line)),
            };
            commands.push(read.ok_or_else(|| strange(number, line))?);
        }
        Ok(Self {
            table: table.to_owned(),
            commands,
        })
    }
}

fn command(line: &str) -> Option<Command> {
    let (counters, rest) = leading_counters(line)?;
    let words: Words = rest.parse().ok()?;
    let [name, chain, words @ ..] = words.as_slice() else {
        return None;
    };
    let chain = chain.clone();
    let all = |words: &[String]| words.iter().cloned().collect();
    match (name.as_str(), words) {
        ("-N", []) => Some(Command::NewChain(chain)),
        ("-X", []) => Some(Command::DeleteChain(chain)),
        ("-F", []) => Some(Command::Flush(chain)),
        ("-D", words) => Some(Command::Delete {
            chain,
            words: all(words),
            at: None,
        }),
        ("-I", words) => {
            let place = words.first().and_then(|first| number(first));
            let (at, words) = match place {
                Some(at) => (usize::try_from(at).ok()?, &words[1..]),
                None => (1, words),
            };
            Some(Command::Insert {
                chain,
                at,
                words: all(words),
                counters,
            })
        }
        _ => None,
    }
}

/// A rule that is deleted by its number: what it says, and that.
fn numbered(remarked: &str, line: &str) -> Option<Command> {
    let Some(Command::Delete { chain, words, .. }) = command(remarked) else {
        return None;
    };
    let place = line.strip_prefix("-D ")?.strip_prefix(chain.as_str())?;
    let place = number(place.strip_prefix(' ')?)?;
    Some(Command::Delete {
        chain,
        words,
        at: Some(usize::try_from(place).ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::super::parse::tests::{counters, words};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn commands_as_the_programs_take_them() {
        let words: Words = "-i virbr0 -m comment --comment \"lab: dhcp\" -j ACCEPT"
            .parse()
            .unwrap();
        let chain = "PALISADE_INP".to_owned();
        let insert = |at, counters| Command::Insert {
            chain: chain.clone(),
            at,
            words: words.clone(),
            counters,
        };
        let delete = |at| Command::Delete {
            chain: chain.clone(),
            words: words.clone(),
            at,
        };
        let counted = Counters {
            packets: 3,
            bytes: 99,
        };
        let input = Input {
            table: "filter".to_owned(),
            commands: vec![
                Command::NewChain(chain.clone()),
                insert(1, None),
                insert(4, Some(counted)),
                delete(None),
                delete(Some(3)),
                Command::DeleteChain(chain.clone()),
            ],
        };
        let rule = "-i virbr0 -m comment --comment \"lab: dhcp\" -j ACCEPT";
        assert_eq!(
            input.to_string(),
            format!(
                "*filter\n-N PALISADE_INP\n-I PALISADE_INP {rule}\n[3:99] -I PALISADE_INP 4 {rule}\n\
                 -D PALISADE_INP {rule}\n# -D PALISADE_INP {rule}\n-D PALISADE_INP 3\n\
                 -X PALISADE_INP\nCOMMIT\n"
            )
        );
    }

    #[test]
    fn nothing_else_is_taken() {
        for text in [
            "",
            "*filter\n",
            "*filter\nCOMMIT",
            "filter\nCOMMIT\n",
            "*filter\n:INPUT - [0:0]\nCOMMIT\n",
            "*filter\n-F INPUT 1\nCOMMIT\n",
            "*filter\n-N\nCOMMIT\n",
            "*filter\n# -D INPUT -j ACCEPT\nCOMMIT\n",
            "*filter\n# -D INPUT -j ACCEPT\n-D OUTPUT 1\nCOMMIT\n",
            "*filter\n# -I INPUT -j ACCEPT\n-D INPUT 1\nCOMMIT\n",
            "*filter\n-I X -j ACCEPT\nCOMMIT\n*nat\nCOMMIT\n",
        ] {
            assert!(text.parse::<Input>().is_err(), "{text:?}");
        }
    }

    fn commands() -> impl Strategy<Value = Command> {
        let chain = "[A-Z_]{1,29}";
        // A rule begins with an option; a number there would be its place.
        let rule = || {
            words().prop_map(|w| {
                let first = std::iter::once("-j".to_owned());
                first.chain(w.as_slice().iter().cloned()).collect::<Words>()
            })
        };
        prop_oneof![
            chain.prop_map(Command::NewChain),
            chain.prop_map(Command::DeleteChain),
            chain.prop_map(Command::Flush),
            (chain, rule(), proptest::option::of(1..99_usize))
                .prop_map(|(chain, words, at)| Command::Delete { chain, words, at }),
            (chain, 1..99_usize, rule(), counters()).prop_map(|(chain, at, words, counters)| {
                Command::Insert {
                    chain,
                    at,
                    words,
                    counters,
                }
            }),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_reads_the_same(
            table in "[a-z]{1,8}",
            commands in proptest::collection::vec(commands(), 0..6),
        ) {
            let input = Input { table, commands };
            prop_assert_eq!(input.to_string().parse::<Input>().unwrap(), input);
        }

        #[test]
        fn no_text_panics(text in "(?s).{0,200}") {
            let _ = text.parse::<Input>();
        }
    }
}
