//! Where state is kept: eleven operations, and no more, on files of one folder.
//!
//! One implementation is a directory; tests have one that fails, or stops for good, at its n-th
//! operation.

mod directory;
mod lock;
#[cfg(any(test, feature = "test-doubles"))]
pub mod memory;

use std::fmt;
use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::words::in_words;

pub use directory::Directory;
pub use lock::{Lock, LockError, PATIENCE};

/// The files of one network namespace's state. Paths are relative, with `/` between a folder and a
/// file.
pub trait Storage: fmt::Debug + Send {
    /// Where it is, for messages.
    fn place(&self) -> String;

    /// What is in a file; none if there is no such file.
    ///
    /// # Errors
    /// If it cannot be read.
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>>;

    /// The names of the files in a folder, in no order. None if there is no such folder.
    ///
    /// # Errors
    /// If it cannot be read.
    fn names(&self, folder: &str) -> io::Result<Vec<String>>;

    /// Writes a file that nobody reads yet. It is not waited for: what is written can be read by
    /// the next process, but is lost with the power.
    ///
    /// # Errors
    /// If it cannot be written. A part of it may have been written.
    fn write(&self, path: &str, content: &[u8]) -> io::Result<()>;

    /// Replaces a file as a whole: a reader sees the old one or the new one.
    ///
    /// # Errors
    /// If it cannot be written. The old file stands then.
    fn replace(&self, path: &str, content: &[u8]) -> io::Result<()>;

    /// Writes a file, whatever it held before. When this returns, it is on the disk.
    ///
    /// # Errors
    /// If it cannot be written or synced. A part of it may have been written.
    fn write_through(&self, path: &str, content: &[u8]) -> io::Result<()>;

    /// Appends to a file that is there. When this returns, it is on the disk.
    ///
    /// # Errors
    /// If it cannot be written or synced. A part of it may have been written.
    fn append(&self, path: &str, content: &[u8]) -> io::Result<()>;

    /// Appends to a file, and makes it if need be. It is not waited for. Says which version of the
    /// file this made.
    ///
    /// # Errors
    /// If it cannot be written. A part of it may have been written.
    fn add(&self, path: &str, content: &[u8]) -> io::Result<Version>;

    /// Which version of a file or of a folder's list of files there is; none if there is neither.
    ///
    /// # Errors
    /// If that cannot be seen.
    fn version(&self, path: &str) -> io::Result<Option<Version>>;

    /// Deletes a file, if there is one.
    ///
    /// # Errors
    /// If it cannot be deleted.
    fn remove(&self, path: &str) -> io::Result<()>;

    /// Gives a file or a folder another name, in place of a file or an empty folder that has it. That
    /// needs no room.
    ///
    /// # Errors
    /// If it cannot.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Makes the folders that the state needs, and keeps our other processes out until the lock is
    /// dropped.
    ///
    /// # Errors
    /// If a folder cannot be made, or another process holds the lock for longer than `patience`.
    fn lock(&self, patience: Duration) -> Result<Lock, StorageError>;
}

/// A version of a file, or of a folder's list of files: another one as soon as it changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The number of the file.
    pub inode: u64,
    /// Its length.
    pub length: u64,
    /// When it changed, in seconds and nanoseconds.
    pub changed: (i64, i64),
}

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
    pub fn is_held(&self) -> bool {
        matches!(self, Self::Lock(LockError::Held { .. }))
    }

    /// The way out, in one line.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::File { source, .. } | Self::Lock(LockError::File { source, .. }) => {
                match source.kind() {
                    io::ErrorKind::PermissionDenied => {
                        "run as root, or name a folder of your own with --state-dir"
                    }
                    io::ErrorKind::StorageFull => "make room, and try again",
                    _ => "see to the folder, or name another one with --state-dir",
                }
            }
            Self::Lock(LockError::Held { .. }) => "wait for it, or see what it is doing",
        }
    }
}

/// Names the file in an error.
pub(crate) fn file_error<'a>(
    action: &'static str,
    storage: &'a dyn Storage,
    path: &'a str,
) -> impl FnOnce(io::Error) -> StorageError + use<'a> {
    move |source| StorageError::File {
        action,
        path: format!("{}/{path}", storage.place()),
        source,
    }
}
