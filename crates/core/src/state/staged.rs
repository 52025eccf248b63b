//! Records that a transaction will put in place once the kernel is changed. They are written before,
//! beside the old ones, so that a disk without room for them is noticed in time: to put them in
//! place takes a new name for each, and no room.

use std::io;

use super::error::StateError;
use super::files::{NETWORKS, STAGED};
use super::folder::{State, path};
use super::record_file;
use crate::network::Name;
use crate::record::{Record, Written};
use crate::storage::file_error;

/// So many are put in place one by one sooner than the folder is read.
const ONE_BY_ONE: usize = 16;

impl State {
    /// Writes records to be put in place later, and makes the folder for them.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub(crate) fn stage(&self, records: &[Written<'_>]) -> Result<(), StateError> {
        let storage = self.storage.as_ref();
        let made = storage.make_folder(NETWORKS);
        made.map_err(file_error("make", storage, NETWORKS))?;
        let now = self.origin()?;
        for written in records {
            let path = staged(written.record.network.name());
            let written = storage.write(&path, &record_file::encode(written, &now));
            written.map_err(file_error("write", storage, &path))?;
        }
        Ok(())
    }

    /// Puts these records, which were staged, in place of the old ones. Those that are in place
    /// already stay; those that are neither there nor staged are written.
    ///
    /// # Errors
    /// If a file cannot be renamed or written. Each record is then either the old or the new one.
    pub(crate) fn put_in_place(&self, records: &[Record]) -> Result<(), StateError> {
        if records.len() > ONE_BY_ONE && self.put_all_in_place(records.len()) {
            return Ok(());
        }
        let storage = self.storage.as_ref();
        for record in records {
            let staged = staged(record.network.name());
            match storage.rename(&staged, &path(record.network.name())) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    if !self.is_in_place(record)? {
                        self.write([record])?;
                    }
                }
                renamed => renamed.map_err(file_error("rename", storage, &staged))?,
            }
        }
        Ok(())
    }

    /// Puts all in place at once, if all are staged and nothing is recorded yet: their folder gets
    /// the other one's name, which no system allows where something is in the other. For 1,000
    /// networks 1,000 new names were 8 % of the whole call.
    fn put_all_in_place(&self, count: usize) -> bool {
        let storage = self.storage.as_ref();
        let are_all_staged = || {
            let staged = storage.names(STAGED);
            staged.is_ok_and(|staged| staged.len() == count)
        };
        are_all_staged() && storage.rename(STAGED, NETWORKS).is_ok()
    }

    /// Deletes what was staged and will not be put in place. What cannot be deleted does no harm:
    /// nobody reads it, and the next transaction tries again.
    pub(crate) fn unstage(&self) {
        let storage = self.storage.as_ref();
        for name in storage.names(STAGED).unwrap_or_default() {
            let path = format!("{STAGED}/{name}");
            if let Err(error) = storage.remove(&path) {
                log::warn!("{}", file_error("delete", storage, &path)(error));
            }
        }
    }

    /// Whether this is what is recorded of a network.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(crate) fn is_in_place(&self, record: &Record) -> Result<bool, StateError> {
        let storage = self.storage.as_ref();
        let name = record.network.name();
        let path = path(name);
        let read = storage.read(&path);
        let read = read.map_err(file_error("read", storage, &path))?;
        let now = self.origin()?;
        let there = read.and_then(|bytes| record_file::decode(name.as_str(), &bytes, &now).ok());
        Ok(there.is_some_and(|there| there == *record))
    }
}

fn staged(name: &Name) -> String {
    format!("{STAGED}/{name}.json")
}
