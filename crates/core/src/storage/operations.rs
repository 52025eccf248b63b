//! What can be done with files.

use std::fmt;
use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::StorageError;
use super::lock::Lock;

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

    /// Makes a folder, unless it is there.
    ///
    /// # Errors
    /// If it cannot be made.
    fn make_folder(&self, folder: &str) -> io::Result<()>;

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
