//! Changes that are taken back unless somebody confirms them in time.
//!
//! The deadline is in the state before the kernel is touched. Whoever opens the state after it takes
//! the change back first, in one transaction: so it need not be the process that made the change.

use std::time::Duration;

use super::adopt::Adoption;
use super::difference::{Difference, Goal};
use super::error::EngineError;
use super::parts::Engine;
use super::report::Report;
use crate::state::{Exchange, Running, Settled, Unconfirmed};
use crate::storage::{Lock, PATIENCE};

impl Engine<'_> {
    /// Reaches the goal, and goes back unless that is [confirmed](Self::confirm) in time. None where
    /// nothing changed, so that there is nothing to confirm. Networks without a record are adopted first,
    /// and stay so.
    ///
    /// # Errors
    /// As for [`reach`](Self::reach).
    pub fn reach_unconfirmed(
        &mut self,
        goal: impl Fn(&Running<'_>) -> Result<Goal, EngineError>,
        adoption: Option<&Adoption<'_>>,
        patience: Duration,
    ) -> Result<(Report, Option<Unconfirmed>), EngineError> {
        let lock = self.state.lock(PATIENCE)?;
        let earlier = self.waiting()?;
        self.recover_under(&lock)?;
        match self.reach_beside_lost(goal, adoption, Some(patience), &lock) {
            Ok(report) => Ok((report, self.waiting()?)),
            // It may have happened: then the deadline holds.
            Err(error @ (EngineError::InDoubt { .. } | EngineError::NotUndone { .. })) => {
                Err(error)
            }
            Err(error) => {
                if earlier.is_none()
                    && let Err(unwritten) = self.state.forget_unconfirmed()
                {
                    log::warn!("{unwritten}");
                }
                Err(error)
            }
        }
    }

    /// The change that waits for its confirmation, if there is one.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn waiting(&self) -> Result<Option<Unconfirmed>, EngineError> {
        let found = self.state.unconfirmed()?;
        Ok(found.filter(|found| found.settled.is_none()))
    }

    /// Keeps what was changed.
    ///
    /// # Errors
    /// [`EngineError::NothingToConfirm`] if nothing waits, or not any more.
    pub fn confirm(&mut self) -> Result<Unconfirmed, EngineError> {
        if self.state.is_untouched() {
            return Err(EngineError::NothingToConfirm);
        }
        let lock = self.state.lock(PATIENCE)?;
        self.recover_under(&lock)?;
        match self.undo_if_due(&lock)? {
            Due::Waits(change) => self.settle(*change, Settled::Confirmed),
            Due::Nothing | Due::Undone(_) => Err(EngineError::NothingToConfirm),
        }
    }

    /// Rolls a change back before its time is over. None if it does not wait any more.
    ///
    /// # Errors
    /// If it cannot be rolled back: it is tried again when its time is over.
    pub fn undo_now(&mut self, change: &Unconfirmed) -> Result<Option<Report>, EngineError> {
        let lock = self.state.lock(PATIENCE)?;
        self.recover_under(&lock)?;
        let waiting = self.waiting()?;
        match waiting.filter(|waiting| waiting.transaction == change.transaction) {
            Some(waiting) => Ok(Some(self.roll_back(waiting, &lock)?)),
            None => Ok(None),
        }
    }

    /// Takes back what nobody confirmed in time. What that changed; none if nothing was due.
    ///
    /// # Errors
    /// If it cannot be taken back: whoever opens the state next tries again.
    pub fn undo_due(&mut self) -> Result<Option<Report>, EngineError> {
        if !self
            .waiting()?
            .is_some_and(|change| change.left().is_zero())
        {
            return Ok(None);
        }
        let lock = self.state.lock(PATIENCE)?;
        self.recover_under(&lock)?;
        match self.undo_unconfirmed(&lock)? {
            Due::Undone(report) => Ok(Some(report)),
            Due::Nothing | Due::Waits(_) => Ok(None),
        }
    }

    /// The same for those who want something else, and would not tell.
    pub(super) fn undo_if_due(&mut self, lock: &Lock) -> Result<Due, EngineError> {
        let due = self.undo_unconfirmed(lock)?;
        if matches!(due, Due::Undone(_)) {
            log::warn!("nobody confirmed the last change in time: it was taken back");
        }
        Ok(due)
    }

    fn undo_unconfirmed(&mut self, lock: &Lock) -> Result<Due, EngineError> {
        let change = match self.waiting()? {
            None => return Ok(Due::Nothing),
            Some(change) if !change.left().is_zero() => return Ok(Due::Waits(Box::new(change))),
            Some(change) => change,
        };
        Ok(Due::Undone(self.roll_back(change, lock)?))
    }

    fn roll_back(&mut self, change: Unconfirmed, lock: &Lock) -> Result<Report, EngineError> {
        let running = self.state.running_reread(lock)?;
        let goal = Goal::Back {
            before: change.before.clone(),
            came: change.came.clone(),
        };
        let report = self.attempt_until_quiet(running, &goal, None, lock)?;
        self.settle(change, Settled::Undone)?;
        Ok(report)
    }

    /// Writes down what a change replaces, before it happens.
    pub(super) fn make_wait(
        &self,
        transaction: &str,
        difference: &Difference<'_>,
        patience: Duration,
    ) -> Result<(), EngineError> {
        let replaced = difference.add.iter().filter_map(|coming| coming.replaced);
        let before = difference.remove.iter().copied().chain(replaced);
        let exchange = Exchange {
            transaction: transaction.to_owned(),
            before: before.cloned().collect(),
            came: difference
                .add
                .iter()
                .map(|coming| coming.desired.network.name().clone())
                .collect(),
        };
        let change = Unconfirmed::new(exchange, patience, self.state.origin()?);
        Ok(self.state.set_unconfirmed(&change)?)
    }

    fn settle(
        &mut self,
        change: Unconfirmed,
        settled: Settled,
    ) -> Result<Unconfirmed, EngineError> {
        let change = change.settled(settled);
        self.state.set_unconfirmed(&change)?;
        Ok(change)
    }
}

/// What became of a change that waited for its confirmation.
pub(super) enum Due {
    /// None waits.
    Nothing,
    /// It still waits.
    Waits(Box<Unconfirmed>),
    /// It was taken back just now.
    Undone(Report),
}

impl Due {
    /// Refuses to change what waits for its confirmation: nobody could say what to go back to.
    pub(super) fn check(&self, goal: &Goal) -> Result<(), EngineError> {
        let is_change = match goal {
            Goal::Run(_) | Goal::Exactly { .. } | Goal::Moved(_) | Goal::Gone(_) => true,
            Goal::Repaired(_) | Goal::Back { .. } => false,
        };
        match self {
            Self::Waits(change) if is_change => Err(EngineError::Unconfirmed {
                until: change.until,
            }),
            _ => Ok(()),
        }
    }
}
