//! The records of running networks, each in its file.

use super::error::StateError;
use super::files::NETWORKS;
use super::folder::{State, path};
use super::mark::Told;
use super::record_file::{self, RecordError};
use crate::network::Name;
use crate::record::{Record, Written};
use crate::storage::{Lock, file_error};

impl State {
    /// All records, in the order in which the networks were started. Records of another boot do
    /// not count: their rules are gone. A file that cannot be believed is told in the log and
    /// passed over; with the `lock`, it is set aside.
    ///
    /// # Errors
    /// If the folder or a file cannot be read at all, or an earlier build wrote one in another form.
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
        let storage = self.storage.as_ref();
        let names = storage.names(NETWORKS);
        let names = names.map_err(file_error("read", storage, NETWORKS))?;
        let mut records = Vec::with_capacity(names.len());
        let mut older = None;
        for file in names {
            let Some(name) = file.strip_suffix(".json") else {
                continue;
            };
            let path = format!("{NETWORKS}/{file}");
            let read = storage.read(&path);
            let Some(bytes) = read.map_err(file_error("read", storage, &path))? else {
                continue; // Forgotten since the folder was read.
            };
            match record_file::decode(name, &bytes, &now) {
                Ok(record) => records.push(record),
                Err(RecordError::Older { found }) => {
                    older = Some(StateError::Older { path, found });
                }
                Err(error) => self.doubt(&file, &error, lock)?,
            }
        }
        if let Some(older) = older {
            return Err(older);
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
            let written = Written::new(record).map_err(|source| StateError::Unwritable {
                path: path.clone(),
                source,
            })?;
            let content = record_file::encode(&written, &now);
            let storage = self.storage.as_ref();
            let replaced = storage.replace(&path, &content);
            replaced.map_err(file_error("write", storage, &path))?;
        }
        Ok(())
    }

    /// Rewrites the records that an earlier build wrote ([`StateError::Older`]), without what it had
    /// installed, which `repair` finds and replaces.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub fn renew(&self, _lock: &Lock) -> Result<(), StateError> {
        let now = self.origin()?;
        let storage = self.storage.as_ref();
        let names = storage.names(NETWORKS);
        for file in names.map_err(file_error("read", storage, NETWORKS))? {
            let path = format!("{NETWORKS}/{file}");
            let read = storage.read(&path);
            let bytes = read.map_err(file_error("read", storage, &path))?;
            let (Some(name), Some(bytes)) = (file.strip_suffix(".json"), bytes) else {
                continue;
            };
            let Err(RecordError::Older { .. }) = record_file::decode(name, &bytes, &now) else {
                continue;
            };
            match record_file::decode_older(&bytes) {
                Some(record) => self.write([&record])?,
                None => log::warn!("{}/{path} cannot be renewed", self.place()),
            }
        }
        self.forget_index()
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
}
