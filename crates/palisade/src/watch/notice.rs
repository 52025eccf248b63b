//! What a watch tells.

use std::fmt::{self, Write};
use std::time::Duration;

use palisade_core::Hint;
use palisade_core::backend::{Discrepancy, Line};
use palisade_core::engine::{Action, EngineError, Report};
use palisade_core::network::Name;
use palisade_core::state::Record;
use palisade_core::words::shown;
use serde::Serialize;

/// The time of day, as notices are told with: RFC 3339, to the second.
#[must_use]
pub fn now() -> String {
    format!("{:.0}", jiff::Timestamp::now())
}

/// Something that happened. As text, a line or some; in JSON, one object with the key `event`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
#[non_exhaustive]
pub enum Notice {
    /// Somebody changed what concerns us.
    Changed(Change),
    /// What stands otherwise than it is recorded, where that is another than when it was last told;
    /// none if all is as it shall be again.
    #[serde(serialize_with = "as_differences")]
    Differs(Vec<Discrepancy>),
    /// It was put back.
    Healed(Report),
    /// Something went wrong; it is tried again.
    Failed {
        /// What, where and why.
        message: String,
        /// The way out.
        hint: String,
    },
    /// The state directory was deleted or emptied. Nothing is put back until networks are recorded again.
    Vanished {
        /// What is gone, and where.
        message: String,
        /// The way out.
        hint: String,
        /// The networks that were recorded.
        networks: Vec<Name>,
    },
    /// Another program keeps taking away what is put back: for so long, nothing is.
    Restless {
        /// How long.
        #[serde(rename = "pause_seconds", serialize_with = "as_seconds")]
        pause: Duration,
    },
    /// There were more changes than could be heard: everything is looked at.
    Overrun,
    /// A change that nobody confirmed in time was taken back.
    #[serde(rename = "undone")]
    TakenBack(Report),
}

/// A commit of somebody's that changed what concerns us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The ruleset's generation that it made.
    pub generation: u32,
    /// Who asked for it, if the kernel says so.
    pub process: Option<Process>,
    /// Whether it is a transaction of palisade's.
    pub own: bool,
    /// The transaction's name, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<String>,
    /// The networks that it is about.
    pub networks: Vec<Name>,
    /// What came and what went.
    #[serde(serialize_with = "as_lines")]
    pub lines: Vec<Line>,
}

/// A process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Process {
    /// Its number.
    pub id: u32,
    /// Its name.
    pub name: String,
}

/// How many lines of a change are told to people.
const TOLD: usize = 8;

impl Notice {
    pub(super) fn failed(error: &EngineError) -> Self {
        Self::Failed {
            message: error.to_string(),
            hint: error.hint().into_owned(),
        }
    }

    pub(super) fn vanished(error: &EngineError, records: &[Record]) -> Self {
        Self::Vanished {
            message: error.to_string(),
            hint: error.hint().into_owned(),
            networks: records.iter().map(|it| it.network.name().clone()).collect(),
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(change) => change.fmt(f),
            Self::Differs(differences) if differences.is_empty() => {
                f.write_str("the kernel is as it is recorded")
            }
            Self::Differs(differences) => {
                let mut lines = Lines::new(f);
                for found in differences {
                    let network = found.network.as_ref();
                    let network = network.map_or(String::new(), |name| format!("network {name}: "));
                    let (object, detail) = (shown(&found.object), shown(&found.detail));
                    lines.line(format_args!("{}: {network}{object}: {detail}", found.kind))?;
                }
                Ok(())
            }
            Self::Healed(report) => {
                write!(f, "put back{}", of_networks(report))?;
                report
                    .notes
                    .iter()
                    .try_for_each(|note| write!(f, "\n  {note}"))
            }
            Self::Vanished { message, hint, .. } => {
                write!(f, "error: {message}\n  hint: {hint}")
            }
            Self::Failed { message, hint } if hint.is_empty() => write!(f, "error: {message}"),
            Self::Failed { message, hint } => write!(f, "error: {message}\n  hint: {hint}"),
            Self::Restless { pause } => write!(
                f,
                "another program keeps taking away what is put back: nothing is put back for {} \
                 seconds",
                pause.as_secs_f64().ceil()
            ),
            Self::Overrun => {
                f.write_str("more changed at once than could be heard: everything is looked at")
            }
            Self::TakenBack(report) => write!(
                f,
                "nobody confirmed the last change in time: it is taken back{}",
                of_networks(report)
            ),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.process {
            Some(Process { id, name }) => write!(f, "{}[{id}]", shown(name))?,
            None => f.write_str("somebody")?,
        }
        match &self.transaction {
            Some(transaction) => write!(f, ": transaction {transaction} of palisade")?,
            None if self.own => f.write_str(": a transaction of palisade")?,
            None => {}
        }
        if !self.networks.is_empty() {
            let names: Vec<&str> = self.networks.iter().map(Name::as_str).collect();
            let word = if names.len() == 1 {
                "network"
            } else {
                "networks"
            };
            write!(f, ": {word} {}", names.join(", "))?;
        }
        let told = if self.own { 0 } else { TOLD };
        for line in self.lines.iter().take(told) {
            let sign = match line.sign {
                palisade_core::backend::Sign::Comes => '+',
                palisade_core::backend::Sign::Goes => '-',
            };
            write!(f, "\n  {sign} {}", shown(&line.text))?;
        }
        match self.lines.len().saturating_sub(told) {
            _ if self.own => Ok(()),
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

fn of_networks(report: &Report) -> String {
    let mut text = String::new();
    for change in &report.changes {
        let word = match change.action {
            Action::Add => "started",
            Action::Replace => "replaced",
            Action::Remove => "removed",
            Action::Restore => "restored",
        };
        let separator = if text.is_empty() { ": " } else { ", " };
        // Writing to a String does not fail.
        let _ = write!(text, "{separator}{} {word}", change.network);
    }
    text
}

/// Lines with line ends between them.
struct Lines<'a, 'f> {
    f: &'a mut fmt::Formatter<'f>,
    is_first: bool,
}

impl<'a, 'f> Lines<'a, 'f> {
    fn new(f: &'a mut fmt::Formatter<'f>) -> Self {
        Self { f, is_first: true }
    }

    fn line(&mut self, text: fmt::Arguments<'_>) -> fmt::Result {
        if !std::mem::replace(&mut self.is_first, false) {
            self.f.write_char('\n')?;
        }
        self.f.write_fmt(text)
    }
}

fn as_seconds<S: serde::Serializer>(pause: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(pause.as_secs_f64())
}

fn as_differences<S: serde::Serializer>(
    differences: &[Discrepancy],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Differences<'a> {
        clean: bool,
        differences: &'a [Discrepancy],
    }
    let clean = differences.is_empty();
    Differences { clean, differences }.serialize(serializer)
}

fn as_lines<S: serde::Serializer>(lines: &[Line], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct OfNetwork<'a> {
        network: Option<&'a Name>,
        #[serde(flatten)]
        line: &'a Line,
    }
    serializer.collect_seq(lines.iter().map(|line| OfNetwork {
        network: line.network.as_ref(),
        line,
    }))
}
