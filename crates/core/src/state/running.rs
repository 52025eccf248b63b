//! What runs, as a change sees it: an index of all networks, and the records of those that it is
//! about, read when they are asked for.

use std::cell::RefCell;
use std::collections::HashSet;

use super::error::StateError;
use super::files::{INDEX, NETWORKS};
use super::folder::{State, path};
use super::index::Index;
use super::mark::Told;
use super::record_file;
use super::remembered::Remembered;
use crate::backend_id::BackendId;
use crate::installed::Placement;
use crate::network::{Name, Network};
use crate::record::Record;
use crate::storage::Lock;
use crate::uses::Uses;

/// The running networks.
#[derive(Debug)]
pub struct Running<'s> {
    state: &'s State,
    index: Index,
    /// The networks whose records were read.
    read: RefCell<Vec<Name>>,
}

impl Running<'_> {
    /// The record of a network; none if the network does not run.
    ///
    /// # Errors
    /// [`StateError::Misled`] if the index names a record that cannot be read: then nothing that it
    /// said before counts.
    pub fn get(&self, name: &Name) -> Result<Option<&Record>, StateError> {
        let Some(entry) = self.index.get(name) else {
            return Ok(None);
        };
        if let Some(record) = entry.record.get() {
            return Ok(Some(record));
        }
        let record = self.state.record(name).ok_or(StateError::Misled)?;
        self.read.borrow_mut().push(name.clone());
        Ok(Some(entry.record.get_or_init(|| Box::new(record))))
    }

    /// Where a network's rules are, if it runs. No record is read.
    #[must_use]
    pub fn placement(&self, name: &Name) -> Option<&Placement> {
        self.index.placement(self.index.get(name)?)
    }

    /// The rank of a network that runs as desired; none if it does not. A record is read only where
    /// the index does not decide.
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub(crate) fn rank_as(
        &self,
        network: &Network,
        placement: &Placement,
    ) -> Result<Option<u64>, StateError> {
        let Some(entry) = self.index.get(network.name()) else {
            return Ok(None);
        };
        if self.index.placement(entry) != Some(placement) {
            return Ok(None);
        }
        let is_recorded = || {
            let record = self.get(network.name())?;
            Ok::<_, StateError>(record.is_some_and(|record| record.network == *network))
        };
        let is_same = self.index.is(entry, network) || is_recorded()?;
        Ok(is_same.then(|| entry.order()))
    }

    /// A network with the guests blocked that are blocked while it runs, as far as it may still have them.
    /// A record is read only where the index does not say that the network runs as it is.
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub fn with_blocked(&self, network: Network) -> Result<Network, StateError> {
        let Some(entry) = self.index.get(network.name()) else {
            return Ok(network);
        };
        if self.index.is(entry, &network) {
            return Ok(network);
        }
        let record = self.get(network.name())?;
        let Some(before) = record.map(|record| record.network.blocked()) else {
            return Ok(network);
        };
        Ok(network.with_more_blocked(before.iter().copied()))
    }

    /// The names of all networks that run, in the order in which they were started.
    #[must_use]
    pub fn names(&self) -> Vec<&Name> {
        self.index.names()
    }

    /// Whether no network runs.
    pub(crate) fn is_empty(&self) -> bool {
        // One that is found at once spares looking for all.
        self.index.any().is_none() && self.index.names().is_empty()
    }

    /// All records, in the order in which the networks were started.
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub fn all(&self) -> Result<Vec<&Record>, StateError> {
        self.of(self.index.names())
    }

    /// The records of these networks, as far as they run.
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub fn of<'n>(
        &self,
        names: impl IntoIterator<Item = &'n Name>,
    ) -> Result<Vec<&Record>, StateError> {
        let records = names.into_iter().map(|name| self.get(name));
        records.filter_map(Result::transpose).collect()
    }

    /// The record of one that runs, whichever, as a hint: nobody misses it if it cannot be read.
    #[must_use]
    pub fn any(&self) -> Option<Record> {
        self.state.record(self.index.any()?)
    }

    /// What is recorded for the networks of a backend, by place.
    #[must_use]
    pub(crate) fn uses(&self, backend: &BackendId) -> Uses {
        self.index.uses(backend).cloned().unwrap_or_default()
    }

    /// The rank of the next network that starts.
    #[must_use]
    pub(crate) fn next_order(&self) -> u64 {
        self.index.next_order()
    }

    /// Whether a network that comes has a bridge or addresses of one that runs and does not leave.
    #[must_use]
    pub(crate) fn conflicts_with(&self, network: &Network, leaving: &HashSet<&Name>) -> bool {
        self.index.conflicts_with(network, leaving)
    }

    /// The ruleset's generation after our last change by this backend, if it is known.
    #[must_use]
    pub fn generation(&self, backend: &BackendId) -> Option<u64> {
        self.index.generation(backend)
    }
}

impl State {
    /// What runs: as remembered if no other process changed it, else by the index, else by reading
    /// all records.
    ///
    /// # Errors
    /// As for [`records`](Self::records).
    pub fn running(&self, lock: &Lock) -> Result<Running<'_>, StateError> {
        let Some(index) = self.believed_index() else {
            return self.running_reread(lock);
        };
        Ok(self.running_by(index))
    }

    /// What runs, by reading all records, of which a new index is made.
    ///
    /// # Errors
    /// As for [`records`](Self::records).
    pub(crate) fn running_reread(&self, lock: &Lock) -> Result<Running<'_>, StateError> {
        let mut index = Index::of(self.records(Some(lock))?);
        self.write_index(&mut index);
        Ok(self.running_by(index))
    }

    /// What runs, for those who change nothing and hold no lock: by the index, else by reading all
    /// records.
    ///
    /// # Errors
    /// As for [`records`](Self::records).
    pub(crate) fn running_unlocked(&self) -> Result<Running<'_>, StateError> {
        let index = match self.told(&self.origin()?)? {
            Told::Ours => self.index_of_file(),
            _ => None,
        };
        match index {
            Some(index) => Ok(self.running_by(index)),
            None => Ok(self.running_as_read(self.records(None)?)),
        }
    }

    /// What runs, as it was read by somebody who changes nothing.
    #[must_use]
    pub(crate) fn running_as_read(&self, records: Vec<Record>) -> Running<'_> {
        self.running_by(Index::of(records))
    }

    fn running_by(&self, index: Index) -> Running<'_> {
        Running {
            state: self,
            index,
            read: RefCell::default(),
        }
    }

    /// Remembers what runs now that these went and those came, and the rulesets' generations. Of
    /// records only those are kept in memory that came. What fails here only costs the next one time.
    pub(crate) fn remember<'r>(
        &self,
        running: Running<'_>,
        gone: impl IntoIterator<Item = &'r Name>,
        came: impl IntoIterator<Item = Record>,
        generations: &[(BackendId, Option<u64>)],
    ) {
        let mut index = running.index;
        let mut read = running.read.into_inner();
        read.append(&mut index.take_fresh());
        let has_moved = index.note_generations(generations);
        let gone: Vec<&Name> = gone.into_iter().collect();
        for name in &gone {
            index.drop(name);
        }
        let mut names = Vec::new();
        for record in came {
            names.push(record.network.name().clone());
            index.put(record);
        }
        let kept: HashSet<&Name> = names.iter().collect();
        for name in read.iter().filter(|name| !kept.contains(name)) {
            index.forget_record(name);
        }
        let storage = self.storage.as_ref();
        let records = storage.version(NETWORKS).ok().flatten();
        let file = if has_moved || !gone.is_empty() || !names.is_empty() {
            let names: Vec<&Name> = names.iter().collect();
            let addition = index.addition(&gone, &names, records);
            let added = addition.and_then(|bytes| storage.add(INDEX, &bytes).ok());
            added.or_else(|| {
                self.write_index(&mut index);
                storage.version(INDEX).ok()?
            })
        } else {
            storage.version(INDEX).ok().flatten()
        };
        if let (Some(file), Some(records)) = (file, records) {
            *self.remembered.borrow_mut() = Some(Remembered {
                index,
                file,
                records,
            });
        }
    }

    /// Shows the records of these networks, as far as they run, after our last change.
    pub fn recall<'n>(
        &self,
        names: impl IntoIterator<Item = &'n Name>,
        mut see: impl FnMut(&Record),
    ) {
        let remembered = self.remembered.borrow();
        for name in names {
            let entry = remembered.as_ref().and_then(|then| then.index.get(name));
            match entry.and_then(|entry| entry.record.get()) {
                Some(record) => see(record),
                None => self.record(name).iter().for_each(&mut see),
            }
        }
    }

    /// Whether this process knows what runs from a change of its own.
    pub(crate) fn is_remembered(&self) -> bool {
        self.remembered.borrow().is_some()
    }

    /// Makes the next one read all records.
    ///
    /// # Errors
    /// If the file cannot be deleted.
    pub(crate) fn forget_index(&self) -> Result<(), StateError> {
        self.remembered.take();
        let storage = self.storage.as_ref();
        let removed = storage.remove(INDEX);
        Ok(removed.map_err(crate::storage::file_error("delete", storage, INDEX))?)
    }

    /// The record of a network, as it is in its file.
    fn record(&self, name: &Name) -> Option<Record> {
        let now = self.origin().ok()?;
        let bytes = self.storage.read(&path(name)).ok()??;
        record_file::decode(name.as_str(), &bytes, &now).ok()
    }

    /// The index in its file, if it is of the records as they are.
    fn index_of_file(&self) -> Option<Index> {
        let storage = self.storage.as_ref();
        let records = storage.version(NETWORKS).ok()??;
        Index::read(&storage.read(INDEX).ok()??, records)
    }

    fn believed_index(&self) -> Option<Index> {
        let remembered = self.remembered.take();
        let storage = self.storage.as_ref();
        let is_current = |then: &Remembered| {
            let is =
                |path, version| matches!(storage.version(path), Ok(Some(now)) if now == version);
            is(INDEX, then.file) && is(NETWORKS, then.records)
        };
        match remembered.filter(is_current) {
            Some(then) => Some(then.index),
            None => self.index_of_file(),
        }
    }

    fn write_index(&self, index: &mut Index) {
        let storage = self.storage.as_ref();
        let records = storage.version(NETWORKS).ok().flatten();
        let written = match index.file(records) {
            Some(bytes) => storage.replace(INDEX, &bytes),
            None => storage.remove(INDEX),
        };
        // One that stays as it was lacks what changed, and whoever adds to it would be believed.
        let written = written.or_else(|error| {
            log::warn!("{}/{INDEX}: {error}", self.place());
            storage.remove(INDEX)
        });
        if let Err(error) = written {
            log::warn!("{}/{INDEX}: {error}", self.place());
        }
    }
}
