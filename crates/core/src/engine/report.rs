//! What became of a wish.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::Serialize;
use thiserror::Error;

use super::{Difference, Part};
use crate::backend::{BackendError, Discrepancy, Line};
use crate::network::{Conflict, Name, told};
use crate::state::StateError;
use crate::storage::StorageError;
use crate::words::WITH_RIGHTS;

/// What changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The networks that changed, in the order in which they were named.
    pub changes: Vec<Changed>,
    /// The networks that were as they shall be.
    pub unchanged: Vec<Name>,
    /// What people should know besides.
    pub notes: Vec<String>,
    /// What would come and go for all networks together, where a change was only foreseen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shared: Vec<Line>,
}

/// A network that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// The network.
    pub network: Name,
    /// What happened to it.
    pub action: Action,
    /// What would come and go for it, where the change was only foreseen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<Line>,
}

impl Changed {
    fn new(network: &Name, action: Action) -> Self {
        Self {
            network: network.clone(),
            action,
            lines: Vec::new(),
        }
    }
}

/// What happens to a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It starts.
    Add,
    /// It runs otherwise than before.
    Replace,
    /// It stops.
    Remove,
    /// What others broke is put back.
    Restore,
}

pub(super) fn of(difference: &Difference<'_>, parts: &[Part<'_>]) -> Report {
    let mut report = Report::default();
    let mut tell = |network: &Name, action| report.changes.push(Changed::new(network, action));
    let is_back = |name: &Name| {
        let mut back = difference.back.iter();
        back.any(|then| then.network.name() == name)
    };
    for record in &difference.remove {
        let name = record.network.name();
        if !is_back(name) {
            tell(name, Action::Remove);
        }
    }
    for then in &difference.back {
        let name = then.network.name();
        let mut replaced = difference.remove.iter();
        let action = match replaced.any(|record| record.network.name() == name) {
            true => Action::Replace,
            false => Action::Add,
        };
        tell(name, action);
    }
    for coming in &difference.add {
        let action = match coming.replaced {
            Some(_) => Action::Replace,
            None => Action::Add,
        };
        tell(coming.wish.network.name(), action);
    }
    let restored: HashSet<&Name> = parts.iter().flat_map(restored).collect();
    for unchanged in &difference.unchanged {
        let name = unchanged.name;
        if restored.contains(name) {
            tell(name, Action::Restore);
        } else {
            report.unchanged.push(name.clone());
        }
    }
    // One that nobody asked for, in a place that was made anew as a whole.
    let is_told = |name: &&Name| {
        let changed = report.changes.iter().map(|change| &change.network);
        changed.chain(&report.unchanged).any(|told| told == *name)
    };
    let mut beside: Vec<&Name> = restored.into_iter().filter(|n| !is_told(n)).collect();
    beside.sort();
    for name in beside {
        report.changes.push(Changed::new(name, Action::Restore));
    }
    let notes = parts
        .iter()
        .flat_map(|part| part.plan.notes.iter().cloned());
    report.notes.extend(notes);
    for line in parts.iter().flat_map(|part| &part.plan.lines) {
        let mut changes = report.changes.iter_mut();
        let of = changes.find(|change| line.network.as_ref() == Some(&change.network));
        let lines = of.map_or(&mut report.shared, |change| &mut change.lines);
        lines.push(line.clone());
    }
    report
}

/// The networks that a part puts back something of.
fn restored<'p>(part: &'p Part<'_>) -> Vec<&'p Name> {
    let each = part.change.restore.iter().zip(&part.plan.restored);
    let mended = each.filter(|(_, items)| items.is_some());
    match &part.plan.broken {
        Some(broken) => broken.iter().collect(),
        None => mended.map(|(record, _)| record.network.name()).collect(),
    }
}

/// Why a wish did not come true.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The state directory.
    #[error(transparent)]
    State(#[from] StateError),
    /// A record was gone, or could not be read any more, when it was needed.
    #[error("a record of a running network changed while it was looked at")]
    Misled,
    /// The journal.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A record that JSON cannot say, or a journal's record that is none.
    #[error("a record in the journal is not what palisade writes: {0}")]
    Unwritable(serde_json::Error),
    /// An interrupted transaction of a backend that this build has not.
    #[error("a transaction of backend `{0}` was interrupted, which is not in this build")]
    LostBackend(String),
    /// New rules were not there when the old ones were to go.
    #[error("the new rules were not there before the old ones were to go: {} is {}", .0.object, .0.kind)]
    NotThere(Box<Discrepancy>),
    /// It is not known whether a step happened, and the kernel could not be asked.
    #[error("{cause}; and whether it happened cannot be seen now: {unread}")]
    InDoubt {
        /// What went wrong.
        cause: Box<BackendError>,
        /// Why the kernel could not be asked.
        unread: Box<BackendError>,
    },
    /// It failed, and what was done of it could not be taken back.
    #[error(
        "{cause}; and what was done before could not be taken back: {}",
        .failed.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    )]
    NotUndone {
        /// Why it failed.
        cause: Box<EngineError>,
        /// Why it could not be undone.
        failed: Vec<BackendError>,
    },
    /// Networks that cannot run side by side.
    #[error("{}", told(.0))]
    Conflicts(Vec<Conflict>),
    /// Networks that were named, but do not run.
    #[error("{}; nothing was done", none_named(.names))]
    Unknown {
        /// Their names.
        names: Vec<Name>,
    },
    /// A change waits for its confirmation, and others must wait for that.
    #[error(
        "the last change waits to be confirmed until {until:.0}, and is taken back then; nothing \
         else was changed"
    )]
    Unconfirmed {
        /// Until when.
        until: Timestamp,
    },
    /// No change waits for a confirmation.
    #[error("there is nothing to confirm")]
    NothingToConfirm,
    /// This build has no backend of that name.
    #[error("network `{network}`: there is no backend `{backend}` in this build")]
    NoSuchBackend {
        /// The network.
        network: Name,
        /// The backend that was asked for.
        backend: String,
    },
    /// This process may not change rules.
    #[error(
        "changing rules takes CAP_NET_ADMIN in the network namespace, which this process lacks; \
         nothing was tried"
    )]
    NotAllowed,
    /// This process may not read rules.
    #[error("reading rules takes CAP_NET_ADMIN in the network namespace, which this process lacks")]
    NotReadable,
    /// No backend works here.
    #[error("no backend works on this host: {}", .tried.join("; "))]
    NoBackend {
        /// What was tried, and why it does not work.
        tried: Vec<String>,
    },
    /// A backend could not do it.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// Others changed the ruleset all the while.
    #[error("other programs changed the ruleset between all of {tries} tries; nothing was changed")]
    Restless {
        /// How often it was tried.
        tries: u32,
    },
    /// The kernel was changed, but the records are not exact.
    #[error("the rules were changed, but not recorded exactly: {source}")]
    Unrecorded {
        /// Why not.
        source: StateError,
    },
}

fn none_named(names: &[Name]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [one] => format!("no network named {one} is running"),
        several => format!("no networks named {} are running", several.join(", ")),
    }
}

impl EngineError {
    /// The way out, in one line.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::State(error) => error.hint().to_owned(),
            Self::Storage(error) => error.hint().to_owned(),
            Self::Unwritable(_) => {
                "move the journal away; `palisade repair` makes the kernel as it is recorded"
                    .to_owned()
            }
            Self::LostBackend(_) => "use a build that has it".to_owned(),
            Self::NotThere(found) => found.detail.clone(),
            Self::InDoubt { .. } => "run `palisade recover`: it asks the kernel again".to_owned(),
            Self::NotUndone { .. } => "mend the cause, then run `palisade recover`".to_owned(),
            Self::Conflicts(conflicts) => conflicts.first().map_or("", Conflict::hint).to_owned(),
            Self::Unconfirmed { .. } => {
                "`palisade confirm` keeps it; without that, try again later".to_owned()
            }
            Self::NothingToConfirm => {
                "`palisade apply --confirm SECONDS` makes a change that is taken back unless it is \
                 confirmed; one that nobody confirmed in time is taken back already"
                    .to_owned()
            }
            Self::Unknown { .. } => "`palisade list` names those that run".to_owned(),
            Self::NoSuchBackend { .. } => "there are nftables, iptables and none".to_owned(),
            Self::NotAllowed | Self::NotReadable => WITH_RIGHTS.to_owned(),
            Self::NoBackend { tried } if tried.iter().any(|t| t.contains("CAP_NET_ADMIN")) => {
                WITH_RIGHTS.to_owned()
            }
            Self::NoBackend { .. } => {
                "load what is missing, or choose one with --backend to see what it says".to_owned()
            }
            Self::Backend(error) => error.hint(),
            Self::Misled => "try again".to_owned(),
            Self::Restless { .. } => {
                "`nft monitor` shows which program it is; try again when it rests".to_owned()
            }
            Self::Unrecorded { source } => {
                format!("{}; then apply the network again", source.hint())
            }
        }
    }
}
