//! Why a goal was not reached.

use std::borrow::Cow;

use jiff::Timestamp;
use thiserror::Error;

use crate::backend::{BackendError, BackendId, Discrepancy};
use crate::error_kind::ErrorKind;
use crate::hint::Hint;
use crate::host_action::{HostActionError, HostActionId};
use crate::network::{BlockError, Conflict, Name, told};
use crate::state::StateError;
use crate::storage::StorageError;
use crate::words::WITH_RIGHTS;

/// Why a goal was not reached.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The state directory.
    #[error(transparent)]
    State(#[from] StateError),
    /// The journal.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A record that JSON cannot say, or a journal's record that is none.
    #[error("a record in the journal is not what palisade writes: {0}")]
    Unwritable(serde_json::Error),
    /// An interrupted transaction of a backend that this build has not.
    #[error("a transaction of backend `{0}` was interrupted, which is not in this build")]
    LostBackend(BackendId),
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
        failed: Vec<EngineError>,
    },
    /// Networks that cannot run side by side.
    #[error("{}", told(.0))]
    Conflicts(Vec<Conflict>),
    /// A guest that cannot be blocked, or let in again.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// Networks that were named, but do not run.
    #[error("{}; nothing was done", none_named(.names))]
    Unknown {
        /// Their names.
        names: Vec<Name>,
    },
    /// Exactly no networks were to run.
    #[error("a sync to no networks would remove all networks of this owner; nothing was changed")]
    SyncToNothing,
    /// Networks that were named, whose rules are installed and that no record names.
    #[error("{} installed and not recorded in this state directory; nothing was done", installed(.names))]
    WithoutRecord {
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
        backend: BackendId,
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
    /// The host cannot do what a network needs beside rules.
    #[error("network `{network}`: {source}")]
    Host {
        /// The network.
        network: Name,
        /// Why not.
        source: HostActionError,
    },
    /// An action on the host failed.
    #[error(transparent)]
    HostAction(#[from] HostActionError),
    /// An action on the host of a kind that this build lacks.
    #[error("an action of kind `{0}` is recorded, which this build cannot undo")]
    LostHostAction(HostActionId),
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

fn installed(names: &[Name]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [one] => format!("network {one} is"),
        several => format!("networks {} are", several.join(", ")),
    }
}

impl Hint for EngineError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::State(error) => error.kind(),
            Self::Storage(error) => error.kind(),
            Self::Block(error) => error.kind(),
            Self::Unwritable(_) => ErrorKind::State,
            Self::Host { source, .. } | Self::HostAction(source) => source.kind(),
            Self::LostBackend(_) | Self::LostHostAction(_) | Self::NoSuchBackend { .. } => {
                ErrorKind::Unsupported
            }
            Self::NotThere(_) => ErrorKind::Refused,
            Self::InDoubt { .. } => ErrorKind::InDoubt,
            Self::NotUndone { .. } => ErrorKind::NotUndone,
            Self::Conflicts(_) => ErrorKind::Conflict,
            Self::SyncToNothing => ErrorKind::Definition,
            Self::Unconfirmed { .. } => ErrorKind::Unconfirmed,
            Self::NothingToConfirm => ErrorKind::NothingToConfirm,
            Self::Unknown { .. } | Self::WithoutRecord { .. } => ErrorKind::UnknownNetwork,
            Self::NotAllowed | Self::NotReadable => ErrorKind::Permission,
            Self::NoBackend { tried } if tried.iter().any(|t| t.contains("CAP_NET_ADMIN")) => {
                ErrorKind::Permission
            }
            Self::NoBackend { .. } => ErrorKind::Unsupported,
            Self::Backend(error) => error.kind(),
            Self::Restless { .. } => ErrorKind::Busy,
            Self::Unrecorded { .. } => ErrorKind::State,
        }
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::State(error) => error.hint(),
            Self::Storage(error) => error.hint(),
            Self::Block(error) => error.hint(),
            Self::Unwritable(_) => {
                "move the journal away; `palisade repair` makes the kernel as it is recorded".into()
            }
            Self::Host { source, .. } | Self::HostAction(source) => source.hint(),
            Self::LostBackend(_) | Self::LostHostAction(_) => "use a build that has it".into(),
            Self::NotThere(found) => found.detail.as_str().into(),
            Self::InDoubt { .. } => "run `palisade recover`: it asks the kernel again".into(),
            Self::NotUndone { .. } => "mend the cause, then run `palisade recover`".into(),
            Self::Conflicts(conflicts) => conflicts.first().map_or("".into(), Hint::hint),
            Self::SyncToNothing => {
                "name the right files; `palisade remove --all` removes all networks".into()
            }
            Self::Unconfirmed { .. } => {
                "`palisade confirm` keeps it; without that, try again later".into()
            }
            Self::NothingToConfirm => {
                "`palisade apply --confirm SECONDS` makes a change that is taken back unless it is \
                 confirmed; one that nobody confirmed in time is taken back already"
                    .into()
            }
            Self::WithoutRecord { .. } => {
                "`palisade recover --adopt` records it here; if another state directory records \
                 it, `--state-dir` names that"
                    .into()
            }
            Self::Unknown { .. } => "`palisade list` names those that run".into(),
            Self::NoSuchBackend { .. } => "there are nftables, iptables and none".into(),
            Self::NotAllowed | Self::NotReadable => WITH_RIGHTS.into(),
            Self::NoBackend { tried } if tried.iter().any(|t| t.contains("CAP_NET_ADMIN")) => {
                WITH_RIGHTS.into()
            }
            Self::NoBackend { .. } => {
                "load what is missing, or choose one with --backend to see what it says".into()
            }
            Self::Backend(error) => error.hint(),
            Self::Restless { .. } => {
                "`nft monitor` shows which program it is; try again when it rests".into()
            }
            Self::Unrecorded { source } => {
                format!("{}; then apply the network again", source.hint()).into()
            }
        }
    }
}
