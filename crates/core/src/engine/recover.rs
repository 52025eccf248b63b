//! Seeing to what a process that died left.

use std::time::Duration;

use serde::Serialize;

use super::confirm::Due;
use super::error::EngineError;
use super::host::Deeds;
use super::parts::Engine;
use super::rewrite::gone;
use crate::backend::BackendId;
use crate::journal::{Begin, Left};
use crate::record::Record;
use crate::state::Aside;
use crate::storage::{Lock, PATIENCE};

/// What became of a transaction that was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Recovered {
    /// There was none.
    Nothing,
    /// It had been done, and is recorded now.
    Finished,
    /// It had been done in part or not at all, and is undone now.
    Undone,
}

impl Engine<'_> {
    /// Finishes or undoes what a process that died left. Everything that changes networks does so
    /// first. Records that could not be believed are kept, and told no more.
    ///
    /// # Errors
    /// If that fails. The journal stays, and the next one tries again.
    pub fn recover(&mut self) -> Result<Recovered, EngineError> {
        if self.state.is_untouched() {
            return Ok(Recovered::Nothing);
        }
        let lock = self.state.lock(PATIENCE)?;
        let recovered = self.see_to(&lock)?;
        // Somebody looks: what cannot be believed has been told.
        self.state.running_reread(&lock)?;
        self.state.settle(Aside::All)?;
        Ok(recovered)
    }

    /// The same for those who only read: where another process is at work, or they may not write,
    /// they take what there is.
    ///
    /// # Errors
    /// As for [`recover`](Self::recover).
    pub fn recover_if_idle(&mut self) -> Result<Recovered, EngineError> {
        let is_due = self
            .waiting()?
            .is_some_and(|change| change.left().is_zero());
        if !is_due && !self.state.journal().is_there()? {
            return Ok(Recovered::Nothing);
        }
        match self.state.lock(Duration::ZERO) {
            // Whoever only reads shall see what there is all the same.
            Ok(lock) => self.see_to(&lock).or_else(|error| {
                log::warn!("{error}; run `palisade recover`");
                Ok(Recovered::Nothing)
            }),
            Err(error) => {
                log::info!("a transaction is under way, or was left: {error}");
                Ok(Recovered::Nothing)
            }
        }
    }

    pub(super) fn see_to(&mut self, lock: &Lock) -> Result<Recovered, EngineError> {
        let recovered = self.recover_under(lock)?;
        match self.undo_if_due(lock)? {
            Due::Undone(_) => Ok(Recovered::Undone),
            Due::Nothing | Due::Waits(_) => Ok(recovered),
        }
    }

    /// Finishes or undoes what a process that died left, for a caller that has the lock.
    ///
    /// # Errors
    /// As for [`recover`](Self::recover).
    pub fn recover_under(&mut self, lock: &Lock) -> Result<Recovered, EngineError> {
        let (begin, committed) = match self.state.journal().left()? {
            Left::SetAside => {
                // What it did, nobody knows.
                self.state.forget_index()?;
                self.state.unstage();
                return Ok(Recovered::Nothing);
            }
            Left::Nothing => {
                if !self.state.is_remembered() {
                    self.state.unstage(); // Of one that did not come to begin.
                }
                return Ok(Recovered::Nothing);
            }
            Left::Begun(begin) => (begin, false),
            Left::Committed(begin) => (begin, true),
        };
        let before = begin.before().map_err(EngineError::Unwritable)?;
        let after = begin.after().map_err(EngineError::Unwritable)?;
        let before: Vec<&Record> = before.iter().collect();
        // Records are put in place only when all is done, the first one first.
        let is_new = |new: &&Record| !before.contains(new);
        let first_new = after.iter().find(is_new);
        let is_done = committed
            || match first_new {
                Some(new) => self.state.is_in_place(new)?,
                None => false,
            };
        let landed = if is_done {
            vec![true; begin.steps.len()]
        } else {
            self.landed(&begin)?
        };
        self.state.forget_index()?;
        let deeds = Deeds::between(before.iter().copied(), &after);
        let mut is_complete = landed.iter().all(|&landed| landed);
        let mut refused = Vec::new();
        if is_complete && !is_done {
            match self.do_deeds(&deeds) {
                Ok(not_done) => refused = not_done,
                Err(error) => {
                    log::warn!("{error}");
                    is_complete = false;
                }
            }
        }
        if is_complete {
            self.record(&gone(&before, &after), after, &refused)
                .map_err(|source| EngineError::Unrecorded { source })?;
            log::warn!(
                "finished transaction {}, which was interrupted",
                begin.transaction
            );
            return Ok(Recovered::Finished);
        }
        self.undo_deeds(&deeds)?;
        let records = self.state.records(Some(lock))?;
        let records: Vec<&Record> = records.iter().collect();
        for (planned, _) in begin
            .steps
            .iter()
            .zip(landed)
            .rev()
            .filter(|&(_, landed)| landed)
        {
            let backend = self.backend(&planned.backend)?;
            let step = planned.step();
            self.undo(&records, &before, &after, (backend, &step), lock)?;
        }
        self.state.journal().end()?;
        self.state.unstage();
        log::warn!(
            "undid transaction {}, which was interrupted",
            begin.transaction
        );
        Ok(Recovered::Undone)
    }

    /// Which steps have happened, seen from the kernel. Each is asked for: a process that died while
    /// it took steps back may have left any of them.
    fn landed(&mut self, begin: &Begin<'_>) -> Result<Vec<bool>, EngineError> {
        let mut landed = Vec::with_capacity(begin.steps.len());
        for planned in &begin.steps {
            let backend = self.backend(&planned.backend)?;
            landed.push(self.backends[backend].has_landed(&planned.step())?);
        }
        Ok(landed)
    }

    fn backend(&self, id: &BackendId) -> Result<usize, EngineError> {
        let found = self.backends.iter().position(|backend| backend.id() == *id);
        found.ok_or_else(|| EngineError::LostBackend(id.clone()))
    }
}
