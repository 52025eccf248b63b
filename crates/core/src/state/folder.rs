//! The folder of one network namespace.

use std::cell::{Cell, OnceCell, RefCell};
use std::path::Path;

use serde::Serialize;

use super::error::StateError;
use super::files::{CONTENTS, NETWORKS};
use super::remembered::Remembered;
use crate::journal::Journal;
use crate::network::Name;
use crate::origin::Origin;
use crate::storage::{Directory, Storage, Version, file_error};

/// The part of the state directory that belongs to one network namespace.
#[derive(Debug)]
pub struct State {
    pub(super) storage: Box<dyn Storage>,
    cookie: u64,
    /// Read once: no process sees two boots.
    origin: OnceCell<Origin>,
    /// The version in which the mark was found to be of here and now.
    pub(super) mark: Cell<Option<Version>>,
    /// Whether the mark was seen: it stays as long as the state does.
    pub(super) was_seen: Cell<bool>,
    /// What runs, after our last change.
    pub(super) remembered: RefCell<Option<Remembered>>,
}

impl State {
    /// The state of the network namespace with this cookie (`SO_NETNS_COOKIE`), below `directory`.
    #[must_use]
    pub fn of(directory: &Path, cookie: u64) -> Self {
        let name = format!("netns-{cookie}");
        let folder = Directory::below(directory.to_owned(), name, CONTENTS);
        Self::in_storage(Box::new(folder), cookie)
    }

    /// The state of a network namespace in some other storage.
    #[must_use]
    pub fn in_storage(storage: Box<dyn Storage>, cookie: u64) -> Self {
        Self {
            storage,
            cookie,
            origin: OnceCell::new(),
            mark: Cell::default(),
            was_seen: Cell::default(),
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
        let origin = Origin::now(self.cookie).map_err(StateError::Boot)?;
        Ok(self.origin.get_or_init(|| origin).clone())
    }

    /// Whether nothing was ever written here.
    pub(crate) fn is_untouched(&self) -> bool {
        // A daemon that changed something need not look.
        let is_empty = || {
            let names = self.storage.names("");
            names.is_ok_and(|names| names.is_empty())
        };
        !self.is_remembered() && !self.was_seen.get() && is_empty()
    }

    /// Takes a state that vanished for one that never was, so that another can begin in its place.
    pub fn begin_anew(&self) {
        if !self.has_vanished() {
            return;
        }
        self.was_seen.set(false);
        self.mark.take();
        self.remembered.take();
    }

    /// The journal of its transactions.
    #[must_use]
    pub fn journal(&self) -> Journal<'_> {
        Journal::of(self.storage.as_ref())
    }

    pub(super) fn write_json(&self, path: &str, value: &impl Serialize) -> Result<(), StateError> {
        let storage = self.storage.as_ref();
        let text = serde_json::to_vec_pretty(value).map_err(|source| StateError::Unwritable {
            path: path.to_owned(),
            source,
        })?;
        let replaced = storage.replace(path, &text);
        Ok(replaced.map_err(file_error("write", storage, path))?)
    }
}

/// The file of a network's record.
pub(super) fn path(name: &Name) -> String {
    format!("{NETWORKS}/{name}.json")
}
