//! The steps of a plan, one after the other.

use std::time::Instant;

use super::error::EngineError;
use super::parts::{Done, Engine, Part};
use super::retry::{TRY_FOR, pause};
use crate::backend::{RunError, Step};
use crate::network::Name;
use crate::record::Record;
use crate::storage::Lock;

impl Engine<'_> {
    /// Does all steps; says which were done when one was not. Knows the generation that each
    /// backend's last step left.
    #[allow(clippy::type_complexity)] // The pairs are named in the line above.
    pub(super) fn run<'p>(
        &mut self,
        parts: &'p [Part<'_>],
        after: &[Record],
        lock: &Lock,
    ) -> Result<Vec<(usize, Option<u64>)>, (Vec<Done<'p>>, EngineError)> {
        let mut done: Vec<Done<'p>> = Vec::new();
        let mut generations = Vec::new();
        for part in parts {
            if let Some(&(earlier, _)) = done.last()
                && let Err(error) = self.check_moved(earlier, after)
            {
                return Err((done, error));
            }
            for (number, step) in part.plan.steps.iter().enumerate() {
                let mut ran = self.run_step(part.backend, step, lock);
                // What our own earlier steps changed may have made the plan of this part stale.
                if number == 0 && !done.is_empty() && is_restless(&ran) {
                    ran = self.run_anew(part, lock);
                }
                match ran {
                    Ok(generation) => generations.push((part.backend, generation)),
                    Err(error) => return Err((done, error)),
                }
                done.push((part.backend, step));
            }
        }
        Ok(generations)
    }

    /// Plans a part of one step again, and does it. The journal's step stands for it: both carry
    /// the same marker, and do the same.
    fn run_anew(&mut self, part: &Part<'_>, lock: &Lock) -> Result<Option<u64>, EngineError> {
        let deadline = Instant::now() + TRY_FOR;
        loop {
            let plan = self.backends[part.backend].plan(&part.change)?;
            let [step] = plan.steps.as_slice() else {
                return Err(EngineError::Restless { tries: 0 });
            };
            let ran = self.run_step(part.backend, step, lock);
            if !is_restless(&ran) || Instant::now() > deadline {
                return ran;
            }
            std::thread::sleep(pause(1));
        }
    }

    pub(super) fn run_step(
        &mut self,
        backend: usize,
        step: &Step,
        lock: &Lock,
    ) -> Result<Option<u64>, EngineError> {
        let backend = &mut self.backends[backend];
        match backend.run(&step.payload, lock) {
            Ok(done) => {
                // A watch shall know it for ours.
                if let Some(process) = done.process {
                    self.state.note_process(process);
                }
                Ok(done.generation)
            }
            Err(RunError::Stale) => Err(EngineError::Restless { tries: 0 }),
            Err(RunError::Failed(error)) => Err(error.into()),
            Err(RunError::Unknown(error)) => match backend.has_landed(step) {
                Ok(true) => Ok(None),
                Ok(false) => Err(error.into()),
                Err(unread) => Err(EngineError::InDoubt {
                    cause: Box::new(error),
                    unread: Box::new(unread),
                }),
            },
        }
    }

    /// Before the old rules of networks that move go, the new ones are looked at.
    fn check_moved(&mut self, backend: usize, after: &[Record]) -> Result<(), EngineError> {
        let backend = &mut self.backends[backend];
        let is_its = |record: &&Record| record.placement.backend == backend.id();
        let new: Vec<&Record> = after.iter().filter(is_its).collect();
        let names: Vec<&Name> = new.iter().map(|record| record.network.name()).collect();
        let found = backend.verify(&new, &new)?;
        let missing = found.into_iter().find(|found| {
            found
                .network
                .as_ref()
                .is_some_and(|name| names.contains(&name))
        });
        match missing {
            None => Ok(()),
            Some(found) => Err(EngineError::NotThere(Box::new(found))),
        }
    }
}

fn is_restless<T>(ran: &Result<T, EngineError>) -> bool {
    matches!(ran, Err(EngineError::Restless { .. }))
}
