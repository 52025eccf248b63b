//! A change that is taken back unless somebody confirms it in time.
//!
//! What it takes to do so is in the state, so that whoever opens it next can, should the process
//! that waits for the confirmation be gone.

use std::time::Duration;

use jiff::Timestamp;
use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use super::error::StateError;
use super::files::UNCONFIRMED;
use super::folder::State;
use super::record_file::SCHEMA;
use crate::network::Name;
use crate::origin::Origin;
use crate::record::Record;
use crate::storage::{StorageError, file_error};

/// A change that waits for its confirmation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unconfirmed {
    schema: u32,
    origin: Origin,
    /// The name of its transaction.
    pub transaction: String,
    /// Until when it waits, for people.
    pub until: Timestamp,
    /// The same in milliseconds since the machine was started, asleep or not: nobody sets that clock.
    deadline: u64,
    /// What became of it, once that is known.
    pub settled: Option<Settled>,
    /// The records of networks that it replaced or removed.
    pub before: Vec<Record>,
    /// The networks that it started or replaced.
    pub came: Vec<Name>,
}

/// What became of a change that waited for its confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Settled {
    /// Somebody confirmed it: it stays.
    Confirmed,
    /// Nobody did: it is taken back.
    Undone,
}

/// What a change replaces and what it brings.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The name of the change's transaction.
    pub transaction: String,
    /// The records of networks that it replaces or removes.
    pub before: Vec<Record>,
    /// The networks that it starts or replaces.
    pub came: Vec<Name>,
}

impl Unconfirmed {
    /// A change that waits from now on.
    #[must_use]
    pub fn new(exchange: Exchange, patience: Duration, now: Origin) -> Self {
        let millis = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        let until = Timestamp::now().checked_add(patience);
        Self {
            schema: SCHEMA,
            origin: now,
            transaction: exchange.transaction,
            until: until.unwrap_or(Timestamp::MAX),
            deadline: since_boot().saturating_add(millis),
            settled: None,
            before: exchange.before,
            came: exchange.came,
        }
    }

    /// It does not wait any more, and nobody will want to go back behind it.
    #[must_use]
    pub fn settled(self, settled: Settled) -> Self {
        Self {
            settled: Some(settled),
            before: Vec::new(),
            ..self
        }
    }

    /// How long it waits still; zero if its time is over.
    #[must_use]
    pub fn left(&self) -> Duration {
        Duration::from_millis(self.deadline.saturating_sub(since_boot()))
    }
}

impl State {
    /// The last change that waited for a confirmation, settled or not. One of another boot does not
    /// count: what it changed is gone.
    ///
    /// # Errors
    /// If the file cannot be read at all.
    pub fn unconfirmed(&self) -> Result<Option<Unconfirmed>, StateError> {
        let storage = self.storage.as_ref();
        let read = storage.read(UNCONFIRMED);
        let Some(text) = read.map_err(file_error("read", storage, UNCONFIRMED))? else {
            return Ok(None);
        };
        let now = self.origin()?;
        let parsed: Result<Unconfirmed, _> = serde_json::from_slice(&text);
        match parsed {
            Ok(found) => Ok((found.origin == now).then_some(found)),
            Err(error) => {
                // It is replaced as a whole: this is nobody's but who edits it.
                log::error!("{}/{UNCONFIRMED} cannot be believed: {error}", self.place());
                Ok(None)
            }
        }
    }

    /// Remembers a change that waits, or what became of it.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(crate) fn set_unconfirmed(&self, change: &Unconfirmed) -> Result<(), StateError> {
        let storage = self.storage.as_ref();
        let text = serde_json::to_vec_pretty(change).map_err(std::io::Error::from);
        let replaced = text.and_then(|text| storage.replace(UNCONFIRMED, &text));
        Ok(replaced.map_err(file_error("write", storage, UNCONFIRMED))?)
    }

    /// Forgets it: what should have waited did not happen.
    ///
    /// # Errors
    /// If the file cannot be deleted.
    pub(crate) fn forget_unconfirmed(&self) -> Result<(), StorageError> {
        let storage = self.storage.as_ref();
        storage
            .remove(UNCONFIRMED)
            .map_err(file_error("delete", storage, UNCONFIRMED))
    }
}

/// Milliseconds since the machine was started.
fn since_boot() -> u64 {
    // This clock is there since Linux 2.6.39. Without it, every wait would be over at once.
    let now = clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from);
    let millis = now.map_or(u128::MAX, |now| now.as_millis());
    u64::try_from(millis).unwrap_or(u64::MAX)
}
