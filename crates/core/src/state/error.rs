//! What went wrong with the state.

use std::borrow::Cow;

use thiserror::Error;

use super::record_file::SCHEMA;
use crate::error_kind::ErrorKind;
use crate::hint::Hint;
use crate::storage::StorageError;
use crate::words::in_words;

/// What went wrong with the state.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StateError {
    /// A file cannot be read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// JSON cannot say what a file shall hold, which none of ours does.
    #[error("cannot write {path} in JSON: {source}")]
    Unwritable {
        /// The file.
        path: String,
        /// Why not.
        source: serde_json::Error,
    },
    /// A record of a running network that the index names is gone or cannot be read.
    #[error("a record of a running network changed while it was read")]
    Misled,
    /// An earlier build wrote it in another form.
    #[error(
        "{path} has schema {found}, this build reads schema {SCHEMA}: an earlier build wrote it"
    )]
    Older {
        /// The file.
        path: String,
        /// The schema it has.
        found: u32,
    },
    /// What was in it is gone, while this process had it open.
    #[error(
        "the state in {place} is gone, which this process has read before: somebody deleted it, or \
         emptied the file system; networks may run that no record names"
    )]
    Vanished {
        /// Where it was.
        place: String,
    },
    /// The kernel does not say which boot this is.
    #[error("cannot read /proc/sys/kernel/random/boot_id: {}", in_words(.0))]
    Boot(std::io::Error),
}

impl StateError {
    /// Whether the state was deleted under this process.
    #[must_use]
    pub fn has_vanished(&self) -> bool {
        matches!(self, Self::Vanished { .. })
    }

    /// Whether another of our processes is at work.
    #[must_use]
    pub(crate) fn is_held(&self) -> bool {
        matches!(self, Self::Storage(error) if error.is_held())
    }
}

impl Hint for StateError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Storage(error) => error.kind(),
            Self::Unwritable { .. } => ErrorKind::Internal,
            Self::Misled | Self::Older { .. } | Self::Vanished { .. } | Self::Boot(_) => {
                ErrorKind::State
            }
        }
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Storage(error) => return error.hint(),
            Self::Unwritable { .. } => "please report it: it is a mistake in palisade",
            Self::Misled => "try again",
            Self::Older { .. } => "`palisade repair` rebuilds it",
            Self::Vanished { .. } => {
                "`palisade recover --adopt` records again what is installed, `palisade sync` what \
                 definitions say"
            }
            Self::Boot(_) => "palisade needs /proc",
        }
        .into()
    }
}
