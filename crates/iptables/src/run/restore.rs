//! The three things that are asked of the programs: to print what stands, to change a table, and
//! to try a change out.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use palisade_core::{ErrorKind, Hint};
use thiserror::Error;

use super::unprinted::Unprinted;
use super::{Answer, Command, CommandRunner, Variant};
use crate::rule::is_chain;
use crate::text::{ParseError, Table, parse};

/// How long a program may wait for the xtables lock.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
/// The exit code for a resource that is not there: of the `legacy` programs, the lock.
const NO_RESOURCE: i32 = 4;
/// How many lines of a program's own words are passed on.
const QUOTED: usize = 2;

/// Why a program did not do what it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// There is no such program.
    #[error("there is no program `{program}`")]
    Missing {
        /// The program.
        program: String,
    },
    /// It could not be started.
    #[error("cannot run `{program}`: {source}")]
    Start {
        /// The program.
        program: String,
        /// Why not.
        source: io::Error,
    },
    /// Another program held the xtables lock all the while.
    #[error(
        "{program}: another program still held the xtables lock after {} s; \
         table `{table}` was not changed",
        .waited.as_secs()
    )]
    Locked {
        /// The program that waited.
        program: String,
        /// The table that it was to change.
        table: String,
        /// How long it waited.
        waited: Duration,
    },
    /// A signal ended it: whether it was done is not known.
    #[error("{program} was killed while it changed table `{table}`")]
    Killed {
        /// The program.
        program: String,
        /// The table.
        table: String,
    },
    /// It refused a line, or the table as a whole.
    #[error("{program} refused {place}: {words}")]
    Refused {
        /// The program.
        program: String,
        /// What it refused.
        place: Place,
        /// What it said.
        words: String,
    },
    /// It printed nothing that can be read.
    #[error("{program} did not print what stands: {words}")]
    Silent {
        /// The program.
        program: String,
        /// What it said.
        words: String,
    },
    /// It printed something else.
    #[error("{program} printed what palisade cannot read: {source}")]
    Unreadable {
        /// The program.
        program: String,
        /// Where.
        source: ParseError,
    },
    /// It leaves a table out, since that holds what the program cannot say.
    #[error("{program} cannot print table `{table}`{}", because(.rule.as_ref()))]
    Incompatible {
        /// The program.
        program: String,
        /// The table.
        table: String,
        /// The rule that is the reason, if that is known.
        rule: Option<Unprinted>,
    },
    /// What it may leave out could not be read from the kernel.
    #[error("cannot see what iptables-nft-save leaves out of table `{table}`: {source}")]
    Unseen {
        /// The table.
        table: String,
        /// Why not.
        source: Box<dyn Error + Send + Sync>,
    },
}

/// Which part of a table's input was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The table.
    pub table: String,
    /// The line's number from 1 and its text, if the program named one.
    pub line: Option<(usize, String)>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = &self.table;
        match &self.line {
            Some((number, text)) => write!(f, "line {number} for table `{table}` ({text})"),
            None => write!(f, "the change of table `{table}`"),
        }
    }
}

impl Hint for RestoreError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Locked { .. } => ErrorKind::Busy,
            Self::Killed { .. } => ErrorKind::InDoubt,
            Self::Refused { .. } => ErrorKind::Refused,
            Self::Incompatible { .. } => ErrorKind::Foreign,
            Self::Missing { .. }
            | Self::Start { .. }
            | Self::Silent { .. }
            | Self::Unreadable { .. }
            | Self::Unseen { .. } => ErrorKind::Program,
        }
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Missing { program } => format!(
                "install iptables, so that `{program}` is in PATH; or choose other programs with --iptables"
            )
            .into(),
            Self::Start { .. } => "running it takes CAP_NET_ADMIN: run as root".into(),
            Self::Locked { .. } => {
                "try again; `fuser /run/xtables.lock` names the program that holds it".into()
            }
            Self::Killed { .. } => {
                "`palisade verify` compares what stands with what is recorded".into()
            }
            Self::Refused { .. } => {
                "nothing of that table was changed; running as root, and `modprobe` of what it \
                 names, may help"
                    .into()
            }
            Self::Silent { program, .. } | Self::Unreadable { program, .. } => {
                format!("see what `{program} -c` prints as root").into()
            }
            Self::Unseen { .. } => "reading rules takes CAP_NET_ADMIN: run as root".into(),
            Self::Incompatible {
                program,
                table,
                rule,
            } => {
                let family = if program.starts_with("ip6") {
                    "ip6"
                } else {
                    "ip"
                };
                if let Some(rule) = rule {
                    let Unprinted { chain, handle, .. } = rule;
                    return format!("`nft delete rule {family} {table} {chain} handle {handle}`").into();
                }
                format!("`nft list table {family} {table}` shows what another program put there").into()
            }
        }
    }
}

fn because(rule: Option<&Unprinted>) -> String {
    rule.map_or_else(String::new, |rule| {
        let whose = if is_chain(&rule.chain) {
            "palisade did not put it there"
        } else {
            "in a chain that is not ours"
        };
        let Unprinted { chain, text, .. } = rule;
        format!(": chain `{chain}` has the rule `{text}` ({whose})")
    })
}

/// A change of a table, for a program to do.
pub(crate) struct Restore<'a> {
    pub(crate) program: &'a str,
    pub(crate) variant: Variant,
    pub(crate) table: &'a str,
    pub(crate) text: &'a str,
}

/// Changes a table: as a whole, or not at all. The process that did it.
pub(crate) fn restore(
    runner: &mut dyn CommandRunner,
    restore: &Restore<'_>,
) -> Result<Option<u32>, RestoreError> {
    restore.run(runner, &[])
}

/// Lets a program do all of a change but its end.
pub(crate) fn try_out(
    runner: &mut dyn CommandRunner,
    restore: &Restore<'_>,
) -> Result<(), RestoreError> {
    restore.run(runner, &["--test"]).map(drop)
}

impl Restore<'_> {
    fn run(
        &self,
        runner: &mut dyn CommandRunner,
        besides: &[&str],
    ) -> Result<Option<u32>, RestoreError> {
        let seconds = PATIENCE.as_secs().to_string();
        let arguments = ["--noflush", "--counters", "-w", &seconds];
        let answer = answer(
            runner,
            self.program,
            &[&arguments, besides].concat(),
            self.text,
        )?;
        let (program, table) = (self.program.to_owned(), self.table.to_owned());
        match answer.code {
            Some(0) => Ok(answer.process),
            None => Err(RestoreError::Killed { program, table }),
            // The same code says that the lock could not be opened, which takes no time.
            Some(NO_RESOURCE) if self.variant == Variant::Legacy && answer.took >= PATIENCE => {
                Err(RestoreError::Locked {
                    program,
                    table,
                    waited: PATIENCE,
                })
            }
            Some(_) => {
                let said = String::from_utf8_lossy(&answer.stderr);
                Err(RestoreError::Refused {
                    program,
                    place: Place {
                        table,
                        line: line(self.text, &said),
                    },
                    words: words(&answer),
                })
            }
        }
    }
}

/// The tables that stand, or only the one of this name.
pub(crate) fn save(
    runner: &mut dyn CommandRunner,
    program: &str,
    table: Option<&str>,
) -> Result<Vec<Table>, RestoreError> {
    let mut arguments = vec!["-c"];
    if let Some(table) = table {
        arguments.extend(["-t", table]);
    }
    let answer = answer(runner, program, &arguments, "")?;
    let program = program.to_owned();
    if answer.code != Some(0) {
        let words = words(&answer);
        return Err(RestoreError::Silent { program, words });
    }
    let text = String::from_utf8_lossy(&answer.stdout);
    parse(&text).map_err(|source| RestoreError::Unreadable { program, source })
}

/// Runs a program.
pub(super) fn answer(
    runner: &mut dyn CommandRunner,
    program: &str,
    arguments: &[&str],
    input: &str,
) -> Result<Answer, RestoreError> {
    let command = Command {
        program: program.to_owned(),
        arguments: arguments.iter().map(ToString::to_string).collect(),
        input: input.to_owned(),
    };
    runner.run(&command).map_err(|source| {
        let program = program.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => RestoreError::Missing { program },
            _ => RestoreError::Start { program, source },
        }
    })
}

/// The line that a message is about: the first number in it that can be one of the input's. All
/// versions name the line so, each in other words around it.
fn line(input: &str, message: &str) -> Option<(usize, String)> {
    let lines: Vec<&str> = input.lines().collect();
    let number = message
        .split_whitespace()
        .filter_map(|word| word.trim_end_matches(':').parse().ok())
        .find(|number| (1..=lines.len()).contains(number))?;
    let text = lines.get(number - 1)?;
    Some((number, (*text).to_owned()))
}

/// What a program said, without remarks and in one line.
fn words(answer: &Answer) -> String {
    let said = String::from_utf8_lossy(&answer.stderr);
    let lines = said.lines().map(str::trim);
    let lines: Vec<&str> = lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .take(QUOTED)
        .collect();
    match (lines.is_empty(), answer.code) {
        (false, _) => lines.join("; "),
        (true, Some(code)) => format!("it ended with code {code} and said nothing"),
        (true, None) => "it was killed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program that answers the same to everything.
    struct Always(Answer);

    impl CommandRunner for Always {
        fn hold(&mut self, _: Option<std::os::fd::OwnedFd>) {}

        fn run(&mut self, _command: &Command) -> io::Result<Answer> {
            Ok(self.0.clone())
        }
    }

    fn always(code: Option<i32>, stderr: &str, took: Duration) -> Always {
        Always(Answer {
            code,
            stderr: stderr.as_bytes().to_vec(),
            took,
            ..Answer::default()
        })
    }

    const TEXT: &str = "*nat\n-N PALISADE_PRT\n-I PALISADE_PRT -j RETURN\nCOMMIT\n";

    fn refusal(runner: &mut Always, variant: Variant) -> RestoreError {
        let change = Restore {
            program: "iptables-restore",
            variant,
            table: "nat",
            text: TEXT,
        };
        restore(runner, &change).unwrap_err()
    }

    #[test]
    fn a_refused_line_is_shown_whatever_words_are_around_its_number() {
        for (said, number, text) in [
            (
                "iptables-restore: line 3 failed\n",
                3,
                "-I PALISADE_PRT -j RETURN",
            ),
            (
                "\niptables-restore v1.8.9 (nf_tables): \nline 2: CHAIN_ADD failed (No such file or directory): chain PALISADE_PRT\n",
                2,
                "-N PALISADE_PRT",
            ),
            ("Fehler in Zeile: 4\n", 4, "COMMIT"),
        ] {
            let error = refusal(&mut always(Some(1), said, Duration::ZERO), Variant::Legacy);
            let RestoreError::Refused { place, .. } = &error else {
                panic!("{error}")
            };
            assert_eq!(place.line, Some((number, text.to_owned())), "{said}");
        }
        let said = "# Warning: iptables-legacy tables present\n\niptables-restore: line 3 failed\n";
        let error = refusal(&mut always(Some(1), said, Duration::ZERO), Variant::Nft);
        assert_eq!(
            error.to_string(),
            "iptables-restore refused line 3 for table `nat` (-I PALISADE_PRT -j RETURN): \
             iptables-restore: line 3 failed"
        );
        let error = refusal(&mut always(Some(3), "", Duration::ZERO), Variant::Nft);
        assert_eq!(
            error.to_string(),
            "iptables-restore refused the change of table `nat`: it ended with code 3 and said nothing"
        );
    }

    #[test]
    fn the_lock_is_told_by_code_and_time() {
        let waited = PATIENCE + Duration::from_millis(3);
        let locked = refusal(&mut always(Some(4), "busy", waited), Variant::Legacy);
        assert!(matches!(locked, RestoreError::Locked { .. }), "{locked}");
        for (variant, took) in [(Variant::Legacy, Duration::ZERO), (Variant::Nft, waited)] {
            let other = refusal(&mut always(Some(4), "busy", took), variant);
            assert!(matches!(other, RestoreError::Refused { .. }), "{other}");
        }
        let killed = refusal(&mut always(None, "", Duration::ZERO), Variant::Nft);
        assert!(matches!(killed, RestoreError::Killed { .. }), "{killed}");
    }

    #[test]
    fn what_does_not_stand_in_the_grammar_is_not_taken_for_tables() {
        let mut garbage = always(Some(0), "", Duration::ZERO);
        garbage.0.stdout = b"*nat\nhello\nCOMMIT\n".to_vec();
        let error = save(&mut garbage, "iptables-save", None).unwrap_err();
        assert!(matches!(error, RestoreError::Unreadable { .. }), "{error}");
        let mut refusing = always(Some(1), "permission denied", Duration::ZERO);
        let error = save(&mut refusing, "iptables-save", None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "iptables-save did not print what stands: permission denied"
        );
    }
}
