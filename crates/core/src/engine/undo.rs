//! Taking back what was done of a change that failed.

use super::error::EngineError;
use super::host::Deeds;
use super::parts::{Done, Engine};
use crate::backend::{BackendError, BackendId, Change, Done as Ran, RunError, Step};
use crate::journal::transaction_id;
use crate::network::Name;
use crate::record::Record;
use crate::storage::Lock;
use crate::uses::Uses;

impl Engine<'_> {
    /// Takes back the steps that were done, in reverse. Returns the error to tell: the cause, with
    /// what could not be taken back, for which the journal stays.
    pub(super) fn take_back(
        &mut self,
        records: &[&Record],
        before: &[&Record],
        after: &[Record],
        (done, deeds): (&[Done<'_>], &Deeds),
        cause: EngineError,
        lock: &Lock,
    ) -> EngineError {
        let mut failed = Vec::new();
        if let Err(error) = self.undo_deeds(deeds) {
            failed.push(error);
        }
        for &(backend, step) in done.iter().rev() {
            if let Err(error) = self.undo(records, before, after, (backend, step), lock) {
                failed.push(error.into());
            }
        }
        if !failed.is_empty() {
            return EngineError::NotUndone {
                cause: Box::new(cause),
                failed,
            };
        }
        if let Err(error) = self.state.journal().end() {
            // Opened again, the journal says that nothing of it stands.
            log::warn!("{error}");
        }
        self.state.unstage();
        cause
    }

    /// Takes back one step that has landed.
    pub(super) fn undo(
        &mut self,
        records: &[&Record],
        before: &[&Record],
        after: &[Record],
        (backend, step): (usize, &Step),
        lock: &Lock,
    ) -> Result<(), BackendError> {
        let (state, backend) = (self.state, &mut self.backends[backend]);
        let note = |done: Ran| done.process.into_iter().for_each(|p| state.note_process(p));
        if !step.undo.is_empty() {
            return only_failures(backend.run(&step.undo, lock).map(note), backend.id());
        }
        // Back to the records from before, from whatever stands now.
        let is_its = |record: &Record| record.placement.backend == backend.id();
        let is_touched = |name: &Name| {
            let mut names = before.iter().map(|record| record.network.name());
            names.any(|touched| touched == name)
        };
        let its = records.iter().copied().filter(|record| is_its(record));
        let (restore, keep): (Vec<_>, Vec<&Record>) =
            its.partition(|record| is_touched(record.network.name()));
        let mut kept = Uses::default();
        kept.extend(keep.iter().flat_map(|record| &record.installed));
        let change = Change {
            keep,
            kept,
            restore,
            remove: after.iter().filter(|record| is_its(record)).collect(),
            transaction: transaction_id(),
            ..Change::default()
        };
        // Others may change the ruleset meanwhile.
        for _ in 0..100 {
            let plan = backend.plan(&change)?;
            let mut stale = false;
            for step in &plan.steps {
                match backend.run(&step.payload, lock) {
                    Err(RunError::Stale) => stale = true,
                    result => only_failures(result.map(note), backend.id())?,
                }
            }
            if !stale {
                return Ok(());
            }
        }
        only_failures(Err(RunError::Stale), backend.id())
    }
}

fn only_failures(result: Result<(), RunError>, backend: BackendId) -> Result<(), BackendError> {
    match result {
        Ok(()) => Ok(()),
        Err(RunError::Failed(error) | RunError::Unknown(error)) => Err(error),
        Err(error @ RunError::Stale) => Err(BackendError::new(backend, error)),
    }
}
