//! Changes that are taken back unless somebody confirms them in time.

use std::thread;
use std::time::Duration;

use palisade_core::engine::{EngineError, Goal, Report};
use palisade_core::network::Network;
use palisade_core::state::{Settled, Unconfirmed};

use super::Firewall;
use crate::flows::came;

/// How often to look whether somebody confirmed.
const PAUSE: Duration = Duration::from_millis(100);
/// How often to try again to take a change back.
const TRIES: u32 = 60;

impl Firewall {
    /// Starts or replaces networks as [`apply`](Self::apply) does, and takes that back after
    /// `patience` unless it is [confirmed](Self::confirm) till then. Somebody must
    /// [wait](Self::wait_for_confirmation) for it; if that process dies, whoever opens the state
    /// next takes the change back. None where nothing changed, so that there is nothing to confirm.
    ///
    /// # Errors
    /// As for `apply`.
    pub fn apply_unconfirmed(
        &mut self,
        networks: &[Network],
        patience: Duration,
    ) -> Result<(Report, Option<Unconfirmed>), EngineError> {
        self.check_rights_for(EngineError::NotAllowed, networks)?;
        let goal = self.goal(networks, Goal::Run);
        let recovered = self.engine().recover()?;
        let notes = self.end_flows_of(recovered);
        let is_meant = self.chosen_table();
        let adoption = Self::adoption(networks, &is_meant);
        let (mut report, waits) =
            self.engine()
                .reach_unconfirmed(goal, Some(&adoption), patience)?;
        report.notes.extend(notes);
        self.see_after(&mut report, came);
        self.note_shortcomings(&mut report);
        Ok((report, waits))
    }

    /// The change that waits for its confirmation, if there is one.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn unconfirmed(&mut self) -> Result<Option<Unconfirmed>, EngineError> {
        self.engine().waiting()
    }

    /// Keeps what was changed.
    ///
    /// # Errors
    /// [`EngineError::NothingToConfirm`] if nothing waits, or not any more.
    pub fn confirm(&mut self) -> Result<Unconfirmed, EngineError> {
        self.check_rights(EngineError::NotAllowed, |_| true)?;
        self.engine().confirm()
    }

    /// Takes back what nobody confirmed in time; a daemon calls it now and then. What that changed,
    /// if anything was due.
    ///
    /// # Errors
    /// If it cannot be taken back: whoever opens the state next tries again.
    pub fn undo_due(&mut self) -> Result<Option<Report>, EngineError> {
        let Some(mut report) = self.engine().undo_due()? else {
            return Ok(None);
        };
        self.see_after(&mut report, came);
        Ok(Some(report))
    }

    /// Rolls a change back that waits for its confirmation, before its time is over. Nothing happens if it does not wait
    /// any more.
    ///
    /// # Errors
    /// If it cannot be rolled back: it is tried again when its time is over.
    pub fn undo_unconfirmed(&mut self, change: &Unconfirmed) -> Result<(), EngineError> {
        self.check_rights(EngineError::NotAllowed, |_| true)?;
        if let Some(mut report) = self.engine().undo_now(change)? {
            self.see_after(&mut report, came);
        }
        Ok(())
    }

    /// Waits until a change is settled: confirmed by anybody, or taken back, by this call if nobody
    /// else did. Any number of processes may wait for the same change.
    ///
    /// # Errors
    /// If the state cannot be read, or the change could not be taken back for a minute.
    pub fn wait_for_confirmation(&mut self, change: &Unconfirmed) -> Result<Settled, EngineError> {
        let mut tries = 0;
        loop {
            if let Some(settled) = self.settled(change)? {
                return Ok(settled);
            }
            thread::sleep(change.left().min(PAUSE));
            if !change.left().is_zero() {
                continue;
            }
            match self.undo_due() {
                Ok(_) => {}
                Err(error) if tries < TRIES => {
                    log::warn!("{error}; it is tried again");
                    tries += 1;
                    thread::sleep(Duration::from_secs(1));
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// What became of a change. One of which the state knows nothing any more is settled: another
    /// one came after it.
    fn settled(&self, change: &Unconfirmed) -> Result<Option<Settled>, EngineError> {
        let found = self.state.unconfirmed()?;
        let same = found.filter(|found| found.transaction == change.transaction);
        Ok(same.map_or(Some(Settled::Confirmed), |found| found.settled))
    }
}
