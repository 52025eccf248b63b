//! The journal: what a transaction will do, before it does it.
//!
//! A transaction writes [`Begin`] with all that it takes to finish or to undo it, and waits for the
//! disk; changes the kernel; writes a commit, and waits for the disk. Then the records are replaced
//! and the journal is deleted. So a journal that is there on opening was left by a process that
//! died, and says how far it came.

use std::borrow::Cow;
use std::io;

use serde::{Deserialize, Serialize};

use crate::backend::{BackendId, Step};
use crate::frame::{self, Form};
use crate::origin::Origin;
use crate::record::{Record, Written};
use crate::storage::{Storage, StorageError, file_error, free_name};

/// The journal's file.
pub(crate) const FILE: &str = "journal";
const FORM: Form = Form {
    magic: *b"PLSJ",
    schema: 2,
};

/// What is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Entry<'a> {
    Begin(Begin<'a>),
    Commit(String),
    /// Where and when it is written. The first version wrote none.
    Origin(Origin),
}

/// A transaction, before its first step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begin<'a> {
    /// Its name: 15 hexadecimal digits.
    pub transaction: String,
    /// What it does to the kernel, in this order.
    pub steps: Vec<Planned<'a>>,
    /// The records that it replaces or deletes, in JSON.
    before: Vec<String>,
    /// The records that it makes, in JSON.
    after: Vec<Cow<'a, str>>,
}

/// A step, and who does it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned<'a> {
    /// The backend.
    pub backend: BackendId,
    /// What it does, for people.
    pub what: String,
    /// What to do, in the backend's own form.
    #[serde(serialize_with = "frame::at_once")]
    pub payload: Cow<'a, [u8]>,
    /// What takes it back; empty where the backend plans that anew.
    #[serde(serialize_with = "frame::at_once")]
    pub undo: Cow<'a, [u8]>,
}

impl Planned<'_> {
    /// The step as the backend knows it.
    #[must_use]
    pub fn step(&self) -> Step {
        Step {
            what: self.what.clone(),
            payload: self.payload.to_vec(),
            undo: self.undo.to_vec(),
        }
    }
}

impl<'a> Begin<'a> {
    /// A transaction from the records `before` to those `after`, which are written already.
    ///
    /// # Errors
    /// If a record cannot be written in JSON, which none of ours is.
    pub fn new<'r>(
        transaction: String,
        steps: Vec<Planned<'a>>,
        before: impl IntoIterator<Item = &'r Record>,
        after: &'a [Written<'_>],
    ) -> Result<Self, serde_json::Error> {
        let json = |record| serde_json::to_string(record);
        Ok(Self {
            transaction,
            steps,
            before: before.into_iter().map(json).collect::<Result<_, _>>()?,
            after: after.iter().map(|w| Cow::from(w.json.as_str())).collect(),
        })
    }

    /// The records that it replaces or deletes.
    ///
    /// # Errors
    /// If one cannot be read.
    pub(crate) fn before(&self) -> Result<Vec<Record>, serde_json::Error> {
        self.before
            .iter()
            .map(|text| serde_json::from_str(text))
            .collect()
    }

    /// The records that it makes.
    ///
    /// # Errors
    /// If one cannot be read.
    pub fn after(&self) -> Result<Vec<Record>, serde_json::Error> {
        self.after
            .iter()
            .map(|text| serde_json::from_str(text))
            .collect()
    }
}

/// What a process that died left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// Nothing: the last transaction ended.
    Nothing,
    /// A journal that cannot be read, and has another name now.
    SetAside,
    /// A transaction that began, and may have been done in part.
    Begun(Begin<'static>),
    /// A transaction that was done, but perhaps not recorded.
    Committed(Begin<'static>),
}

/// The journal of a state.
#[derive(Debug)]
pub struct Journal<'a> {
    storage: &'a dyn Storage,
}

impl<'a> Journal<'a> {
    /// The journal in this storage.
    #[must_use]
    pub fn of(storage: &'a dyn Storage) -> Self {
        Self { storage }
    }

    /// Whether there is one: a transaction is under way, or was left.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn is_there(&self) -> Result<bool, StorageError> {
        let version = self.storage.version(FILE);
        let found = version.map_err(file_error("read", self.storage, FILE))?;
        Ok(found.is_some())
    }

    /// What is in it. A journal that this build cannot read is set aside under another name. If its
    /// first entry breaks off, its transaction did not get as far as the kernel; if it was damaged
    /// later, `verify` tells what stands otherwise than it is recorded.
    ///
    /// # Errors
    /// If the file cannot be read or renamed.
    pub fn left(&self) -> Result<Left, StorageError> {
        let read = self.storage.read(FILE);
        let Some(bytes) = read.map_err(file_error("read", self.storage, FILE))? else {
            return Ok(Left::Nothing);
        };
        let decoded = frame::decode(FORM, &bytes);
        let mut entries = decoded.entries.into_iter();
        let left = match entries.next() {
            Some(Entry::Begin(begin)) => {
                let commit = entries.find_map(|entry| match entry {
                    Entry::Commit(transaction) => Some(transaction),
                    Entry::Begin(_) | Entry::Origin(_) => None,
                });
                if commit.as_ref() == Some(&begin.transaction) {
                    return Ok(Left::Committed(begin));
                }
                Left::Begun(begin)
            }
            Some(Entry::Commit(_) | Entry::Origin(_)) | None => Left::Nothing,
        };
        if let Some(broken) = decoded.broken {
            // A commit that breaks off is the common case, and no loss.
            log::warn!(
                "the journal in {} is not whole: {broken}",
                self.storage.place()
            );
            if left == Left::Nothing {
                self.set_aside()?;
                return Ok(Left::SetAside);
            }
        }
        Ok(left)
    }

    /// Sets a journal aside that does not say that it is of here and now.
    ///
    /// # Errors
    /// If the file cannot be read or renamed.
    pub(crate) fn doubt_unless_of(&self, now: &Origin) -> Result<(), StorageError> {
        let read = self.storage.read(FILE);
        let Some(bytes) = read.map_err(file_error("read", self.storage, FILE))? else {
            return Ok(());
        };
        let entries = frame::decode(FORM, &bytes).entries;
        let is_of = |entry: &Entry<'_>| matches!(entry, Entry::Origin(origin) if origin == now);
        if entries.iter().any(is_of) {
            Ok(())
        } else {
            self.set_aside()
        }
    }

    /// Writes that a transaction begins; it is on the disk when this returns.
    ///
    /// # Errors
    /// If it cannot be written. Nothing is left of it then.
    pub fn begin(&self, begin: Begin<'_>, now: Origin) -> Result<(), StorageError> {
        // What an earlier transaction left has been seen to, and is written over.
        let frames = frames(&[Entry::Begin(begin), Entry::Origin(now)]);
        let written = frames.and_then(|frames| self.storage.write_through(FILE, &frames));
        written.map_err(|error| {
            if let Err(error) = self.end() {
                log::warn!("{error}");
            }
            file_error("write", self.storage, FILE)(error)
        })
    }

    /// Writes that the kernel is as the transaction wants it; it is on the disk when this returns.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn commit(&self, transaction: &str) -> Result<(), StorageError> {
        let frames = frames(&[Entry::Commit(transaction.to_owned())]);
        let written = frames.and_then(|frames| self.storage.append(FILE, &frames));
        written.map_err(file_error("write", self.storage, FILE))
    }

    /// Forgets the transaction: the records say all now.
    ///
    /// # Errors
    /// If the file cannot be deleted.
    pub fn end(&self) -> Result<(), StorageError> {
        let removed = self.storage.remove(FILE);
        removed.map_err(file_error("delete", self.storage, FILE))
    }

    fn set_aside(&self) -> Result<(), StorageError> {
        let names = self.storage.names("").unwrap_or_default();
        let aside = free_name("journal.unreadable", &names);
        log::error!(
            "{}: {FILE} cannot be read: it is now {aside}",
            self.storage.place()
        );
        let renamed = self.storage.rename(FILE, &aside);
        renamed.map_err(file_error("rename", self.storage, FILE))
    }
}

fn frames(entries: &[Entry<'_>]) -> io::Result<Vec<u8>> {
    let too_large = || io::Error::from(io::ErrorKind::FileTooLarge);
    frame::encode(FORM, entries).ok_or_else(too_large)
}

/// A new name for a transaction: 15 hexadecimal digits, so that it fits where a name of an
/// interface would (an element of a set that `nft` can show). The
/// same only for two of our processes of one number, to the nanosecond 4.8 hours apart.
#[must_use]
pub(crate) fn transaction_id() -> String {
    let now = jiff::Timestamp::now().as_nanosecond().unsigned_abs();
    // 44 bits of nanoseconds are 4.8 hours; the process's number tells apart those that run at once,
    // unless it has more than 16 bits.
    let id = (now & 0xfff_ffff_ffff) << 16 | u128::from(std::process::id() & 0xffff);
    format!("{id:015x}")
}
