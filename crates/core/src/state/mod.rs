//! What is running: the state directory.
//!
//! ```text
//! /run/palisade/                   lives as long as the kernel's rules do
//!     netns-4242/                  a folder for each network namespace, named by its cookie
//!         namespace.json           the boot that the cookie belongs to
//!         lock                     held by the process that changes something
//!         journal                  the transaction that is under way
//!         unconfirmed.json         the last change that waited for a confirmation
//!         networks/default.json    a file for each running network
//!         staged/default.json      what a transaction that is under way will put there
//!         index                    of all of them what a change must know, made from those files
//!         processes                who changed the ruleset last and left no mark in it
//!         unreadable/              what was found there and could not be believed
//! ```

mod digest;
mod index;
mod origin;
mod processes;
mod record;
mod running;
mod staged;
mod unbelieved;
mod unconfirmed;
mod uses;

use std::cell::{Cell, OnceCell, RefCell};
use std::path::Path;

use serde::Serialize;
use thiserror::Error;

use crate::journal::Journal;
use crate::network::Name;
use crate::storage::{Directory, Lock, Storage, StorageError, Version, file_error};
use crate::words::in_words;

pub use origin::Origin;
pub use record::{Record, RecordError, SCHEMA, Written};
pub use running::Running;
pub use unbelieved::{Aside, Unbelieved};
pub use unconfirmed::{Exchange, Settled, Unconfirmed};
pub use uses::Uses;

use running::Remembered;

use origin::Told;
use record::Witness;

/// The folder of records.
const NETWORKS: &str = "networks";

/// The part of the state directory that belongs to one network namespace.
#[derive(Debug)]
pub struct State {
    storage: Box<dyn Storage>,
    cookie: u64,
    /// Read once: no process sees two boots.
    origin: OnceCell<Origin>,
    /// The version in which the mark was found to be of here and now.
    mark: Cell<Option<Version>>,
    /// What runs, after our last change.
    remembered: RefCell<Option<Remembered>>,
}

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
    /// The kernel does not say which boot this is.
    #[error("cannot read /proc/sys/kernel/random/boot_id: {}", in_words(.0))]
    Boot(std::io::Error),
}

impl StateError {
    /// Whether another of our processes is at work.
    #[must_use]
    pub fn is_held(&self) -> bool {
        matches!(self, Self::Storage(error) if error.is_held())
    }

    /// The way out, in one line.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Storage(error) => error.hint(),
            Self::Unwritable { .. } => "please report it: it is a mistake in palisade",
            Self::Boot(_) => "palisade needs /proc",
        }
    }
}

impl State {
    /// The state of the network namespace with this cookie (`SO_NETNS_COOKIE`), below `directory`.
    #[must_use]
    pub fn of(directory: &Path, cookie: u64) -> Self {
        let folder = directory.join(format!("netns-{cookie}"));
        Self::in_storage(Box::new(Directory::at(folder)), cookie)
    }

    /// The state of a network namespace in some other storage.
    #[must_use]
    pub fn in_storage(storage: Box<dyn Storage>, cookie: u64) -> Self {
        Self {
            storage,
            cookie,
            origin: OnceCell::new(),
            mark: Cell::default(),
            remembered: RefCell::default(),
        }
    }

    /// Where it is, for messages.
    #[must_use]
    pub fn place(&self) -> String {
        self.storage.place()
    }

    /// Where and when what is written now is written.
    ///
    /// # Errors
    /// If the kernel does not say which boot this is.
    pub fn origin(&self) -> Result<Origin, StateError> {
        if let Some(origin) = self.origin.get() {
            return Ok(origin.clone());
        }
        let origin = Origin::now(self.cookie)?;
        Ok(self.origin.get_or_init(|| origin).clone())
    }

    /// Whether nothing was ever written here.
    pub(crate) fn is_untouched(&self) -> bool {
        // A daemon that changed something need not look.
        let is_empty = || {
            let names = self.storage.names("");
            names.is_ok_and(|names| names.is_empty())
        };
        !self.is_remembered() && is_empty()
    }

    /// The journal of its transactions.
    #[must_use]
    pub fn journal(&self) -> Journal<'_> {
        Journal::of(self.storage.as_ref())
    }

    /// All records, in the order in which the networks were started. Records of another boot do
    /// not count: their rules are gone. A file that cannot be believed is told in the log and
    /// passed over; with the `lock`, it is set aside.
    ///
    /// # Errors
    /// If the folder or a file cannot be read at all.
    pub fn records(&self, lock: Option<&Lock>) -> Result<Vec<Record>, StateError> {
        let now = self.origin()?;
        let told = self.told(&now)?;
        if told == Told::Another {
            log::warn!(
                "{} was written before the last boot: it does not count",
                self.place()
            );
            return Ok(Vec::new());
        }
        let witness = Witness::new(&now, &told);
        let storage = self.storage.as_ref();
        let names = storage.names(NETWORKS);
        let names = names.map_err(file_error("read", storage, NETWORKS))?;
        let mut records = Vec::with_capacity(names.len());
        for file in names {
            let Some(name) = file.strip_suffix(".json") else {
                continue;
            };
            let path = format!("{NETWORKS}/{file}");
            let read = storage.read(&path);
            let Some(bytes) = read.map_err(file_error("read", storage, &path))? else {
                continue; // Forgotten since the folder was read.
            };
            match record::decode(name, &bytes, witness) {
                Ok(record) => records.push(record),
                Err(error) => self.doubt(&file, &error, lock)?,
            }
        }
        records.sort_by(|a, b| (a.order, a.network.name()).cmp(&(b.order, b.network.name())));
        Ok(records)
    }

    /// Writes records that stand already, anew. They are as safe as the journal that says the same.
    ///
    /// # Errors
    /// If a file cannot be written. Each record is then either the old or the new one.
    pub fn write<'r>(
        &self,
        records: impl IntoIterator<Item = &'r Record>,
    ) -> Result<(), StateError> {
        let now = self.origin()?;
        for record in records {
            let path = path(record.network.name());
            let content = Written::new(record)?.file(&now);
            let storage = self.storage.as_ref();
            let replaced = storage.replace(&path, &content);
            replaced.map_err(file_error("write", storage, &path))?;
        }
        Ok(())
    }

    /// Forgets networks; those that are not recorded are passed over.
    ///
    /// # Errors
    /// If a file cannot be deleted.
    pub fn forget<'n>(&self, names: impl IntoIterator<Item = &'n Name>) -> Result<(), StateError> {
        for name in names {
            let path = path(name);
            let storage = self.storage.as_ref();
            let removed = storage.remove(&path);
            removed.map_err(file_error("delete", storage, &path))?;
        }
        Ok(())
    }

    fn write_json(&self, path: &str, value: &impl Serialize) -> Result<(), StateError> {
        let storage = self.storage.as_ref();
        let text = serde_json::to_vec_pretty(value).map_err(|source| StateError::Unwritable {
            path: path.to_owned(),
            source,
        })?;
        let replaced = storage.replace(path, &text);
        Ok(replaced.map_err(file_error("write", storage, path))?)
    }
}

fn path(name: &Name) -> String {
    format!("{NETWORKS}/{name}.json")
}

/// `name-1`, or with the first number that is not among these names.
pub(crate) fn free_name(name: &str, there: &[String]) -> String {
    let mut numbered = (1..).map(|number: u64| format!("{name}-{number}"));
    let free = numbered.find(|numbered| !there.contains(numbered));
    free.unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests;
