//! What went wrong with a file.

use std::borrow::Cow;
use std::io;

use thiserror::Error;

use super::lock::LockError;
use super::trust::Distrusted;
use crate::error_kind::ErrorKind;
use crate::hint::Hint;
use crate::words::in_words;

/// What went wrong with a file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The operating system refused.
    #[error("cannot {action} {path}: {}", in_words(.source))]
    File {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// Another of our processes is at work.
    #[error(transparent)]
    Lock(#[from] LockError),
}

impl StorageError {
    /// Whether another of our processes is at work.
    #[must_use]
    pub(crate) fn is_held(&self) -> bool {
        matches!(self, Self::Lock(LockError::Held { .. }))
    }
}

impl Hint for StorageError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Lock(LockError::Held { .. }) => ErrorKind::Busy,
            Self::File { source, .. } | Self::Lock(LockError::File { source, .. })
                if source.kind() == io::ErrorKind::PermissionDenied =>
            {
                ErrorKind::Permission
            }
            Self::File { .. } | Self::Lock(_) => ErrorKind::State,
        }
    }

    fn hint(&self) -> Cow<'_, str> {
        let error = match self {
            Self::File { source, .. } | Self::Lock(LockError::File { source, .. }) => source,
            Self::Lock(LockError::Held { .. }) => {
                return "wait for it, or see what it is doing".into();
            }
        };
        if let Some(distrusted) = Distrusted::behind(error) {
            return distrusted.hint();
        }
        match error.kind() {
            io::ErrorKind::PermissionDenied => {
                "run as root, or name a folder of your own with --state-dir"
            }
            io::ErrorKind::StorageFull => "make room, and try again",
            _ => "see to the folder, or name another one with --state-dir",
        }
        .into()
    }
}
