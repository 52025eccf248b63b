//! From what is wished to what runs: compare, plan, write down, change the kernel, write down.
//!
//! Before the kernel is touched, the journal has all that it takes to finish or to undo the
//! change; only when it is done are the records replaced. What a process that died left is seen to
//! before anything else: see [`recover`](Engine::recover).

mod confirm;
mod difference;
mod recover;
mod report;
mod rewrite;
mod undo;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::backend::{Backend, Change, Discrepancy, DiscrepancyKind, Plan, RunError, Step};
use crate::journal::{Begin, Planned, transaction_id};
use crate::network::Name;
use crate::state::{Record, State, StateError};
use crate::storage::{Lock, PATIENCE};

pub use difference::{Coming, Difference, Goal, Wish};
pub use recover::Recovered;
pub use report::{Action, Changed, EngineError, Report};

/// How long to try again while others change the ruleset.
const TRY_FOR: Duration = Duration::from_secs(5);

/// What changes the networks that run in one network namespace.
pub struct Engine<'a> {
    /// What is remembered of them.
    pub state: &'a State,
    /// Everybody who can install rules.
    pub backends: &'a mut [Box<dyn Backend>],
}

/// One backend's part of a change.
struct Part<'a> {
    /// Which backend, by its place among all.
    backend: usize,
    change: Change<'a>,
    plan: Plan,
}

/// A step that was done, and by which backend.
type Done<'p> = (usize, &'p Step);

impl Engine<'_> {
    /// Reaches the goal that is made of what runs. All or nothing.
    ///
    /// # Errors
    /// If the goal contradicts itself or what runs, or could not be reached: nothing has changed
    /// then, unless the error is [`EngineError::NotUndone`].
    pub fn reach(&mut self, goal: impl FnOnce(&[Record]) -> Goal) -> Result<Report, EngineError> {
        let lock = self.state.lock(PATIENCE)?;
        self.reach_with(goal, None, &lock)
    }

    /// With `patience`, the change waits so long for its confirmation.
    fn reach_with(
        &mut self,
        goal: impl FnOnce(&[Record]) -> Goal,
        patience: Option<Duration>,
        lock: &Lock,
    ) -> Result<Report, EngineError> {
        self.recover_with(lock)?;
        self.undo_if_due(lock)?;
        let records = self.state.records(Some(lock))?;
        let goal = goal(&records);
        self.check_confirmed(&goal)?;
        // What others put into an older table goes with it where that is wished.
        let is_remade = matches!(&goal, Goal::Mended(names) if names.is_empty());
        let records = if is_remade || !self.renew(&records, lock)? {
            records
        } else {
            self.state.records(Some(lock))?
        };
        self.attempt_until_quiet(&records, &goal, patience, lock)
    }

    /// Tries again while others change the ruleset.
    fn attempt_until_quiet(
        &mut self,
        records: &[Record],
        goal: &Goal,
        patience: Option<Duration>,
        lock: &Lock,
    ) -> Result<Report, EngineError> {
        let deadline = Instant::now() + TRY_FOR;
        for tries in 1_u32.. {
            match self.attempt(records, goal, patience, lock) {
                Err(EngineError::Restless { .. }) if Instant::now() < deadline => {
                    std::thread::sleep(pause(tries));
                }
                Err(EngineError::Restless { .. }) => return Err(EngineError::Restless { tries }),
                done => return done,
            }
        }
        Err(EngineError::Restless { tries: u32::MAX })
    }

    /// Makes anew what an older build made in its own way, before anything is built on it.
    /// Says whether there was any.
    fn renew(&mut self, records: &[Record], lock: &Lock) -> Result<bool, EngineError> {
        let mut is_renewed = false;
        for backend in 0..self.backends.len() {
            let implementation = &mut self.backends[backend];
            let name = implementation.name();
            let is_its = |record: &&Record| record.placement.backend == name;
            let its: Vec<&Record> = records.iter().filter(is_its).collect();
            // Where nobody touched the ruleset since our last change, it was this build's.
            let recorded = self.state.generation(name);
            let is_known = recorded.is_some() && implementation.generation()? == recorded;
            if !its.is_empty() && !is_known && implementation.is_outdated(&its)? {
                log::warn!("the rules of an older build are made anew in backend {name}");
                self.attempt(records, &Goal::Renewed(name.to_owned()), None, lock)?;
                is_renewed = true;
            }
        }
        Ok(is_renewed)
    }

    /// The records of what runs, after what an interrupted process left has been seen to.
    ///
    /// # Errors
    /// If the state cannot be read, or recovering fails.
    pub fn records(&mut self) -> Result<Vec<Record>, EngineError> {
        self.recover_if_idle()?;
        Ok(self.state.records(None)?)
    }

    /// What `reach` would do, without doing it.
    ///
    /// # Errors
    /// As for [`reach`](Self::reach).
    pub fn foresee(&mut self, goal: impl FnOnce(&[Record]) -> Goal) -> Result<Report, EngineError> {
        let records = self.records()?;
        let goal = goal(&records);
        check_names(&records, &goal)?;
        let difference = Difference::between(&records, &goal).map_err(EngineError::Conflicts)?;
        let difference = Difference {
            in_words: true,
            ..difference
        };
        let parts = self.plan(&difference, "foreseen")?;
        Ok(report::of(&difference, &parts))
    }

    /// What stands otherwise than it is recorded; of these networks, or of all if none is named.
    ///
    /// # Errors
    /// If a network does not run, or the state or the kernel cannot be read.
    pub fn verify(&mut self, names: &[Name]) -> Result<Vec<Discrepancy>, EngineError> {
        let records = self.records()?;
        check_known(&records, names)?;
        let mut found = Vec::new();
        for backend in self.backends.iter_mut() {
            let is_its = |record: &&Record| record.placement.backend == backend.name();
            let its: Vec<&Record> = records.iter().filter(is_its).collect();
            found.extend(backend.verify(&its)?);
        }
        for (path, why) in self.state.unbelieved()? {
            found.push(Discrepancy {
                network: None,
                object: format!("record {path}"),
                kind: DiscrepancyKind::Unreadable,
                detail: format!(
                    "{why}: rules of its network may stand that no record names; apply the \
                     network again, then run `palisade repair`"
                ),
            });
        }
        // What is about no network in particular may be about each.
        let is_asked = |name: &Name| names.is_empty() || names.contains(name);
        found.retain(|found| found.network.as_ref().is_none_or(is_asked));
        Ok(found)
    }

    fn attempt(
        &mut self,
        records: &[Record],
        goal: &Goal,
        patience: Option<Duration>,
        lock: &Lock,
    ) -> Result<Report, EngineError> {
        check_names(records, goal)?;
        let difference = Difference::between(records, goal).map_err(EngineError::Conflicts)?;
        let transaction = transaction_id();
        let parts = self.plan(&difference, &transaction)?;
        let report = report::of(&difference, &parts);
        let before = rewrite::before(&difference, &parts);
        let after = rewrite::after(&difference, &parts);
        let steps: Vec<Done<'_>> = steps(&parts);
        if steps.is_empty() && before.is_empty() && after.is_empty() {
            self.remember_generations(&parts, &[]);
            return Ok(report);
        }
        if let Some(patience) = patience.filter(|_| difference.is_change()) {
            self.make_wait(&transaction, &difference, patience)?;
        }
        self.begin(&transaction, &steps, &before, &after)?;
        let generations = match self.run(&parts, &after, lock) {
            Ok(generations) => generations,
            // Only the kernel knows, and it does not answer: the journal stays, and whoever comes
            // next asks again.
            Err((_, error @ EngineError::InDoubt { .. })) => return Err(error),
            Err((done, error)) => {
                return Err(self.take_back(records, &before, &after, &done, error, lock));
            }
        };
        if let Err(error) = self.state.journal().commit(&transaction) {
            // The records need no room any more, and say the same as the commit.
            log::warn!("{error}");
        }
        self.remember_generations(&parts, &generations);
        self.record(&before, &after)
            .map_err(|source| EngineError::Unrecorded { source })?;
        Ok(report)
    }

    fn plan<'d>(
        &mut self,
        difference: &Difference<'d>,
        transaction: &str,
    ) -> Result<Vec<Part<'d>>, EngineError> {
        for Coming { wish, .. } in &difference.add {
            let backend = &wish.placement.backend;
            if !self.backends.iter().any(|known| known.name() == backend) {
                return Err(EngineError::NoSuchBackend {
                    network: wish.network.name().clone(),
                    backend: backend.clone(),
                });
            }
        }
        let mut parts = Vec::new();
        for (backend, implementation) in self.backends.iter_mut().enumerate() {
            let name = implementation.name();
            // A backend that nobody wants anything of is not asked anything.
            if difference.change(name, None, transaction).is_empty() {
                continue;
            }
            let recorded = self.state.generation(name);
            let left_at = implementation
                .generation()?
                .filter(|&now| Some(now) == recorded);
            let change = difference.change(name, left_at, transaction);
            if change.is_empty() {
                continue;
            }
            let plan = implementation.plan(&change)?;
            parts.push(Part {
                backend,
                change,
                plan,
            });
        }
        // A network that moves stands at its new place before it leaves the old one.
        parts.sort_by_key(|part| part.change.add.is_empty() && part.change.restore.is_empty());
        Ok(parts)
    }

    /// Writes down all that the transaction will need, before the kernel is touched: when it is,
    /// nothing more has to find room on the disk.
    fn begin(
        &self,
        transaction: &str,
        steps: &[Done<'_>],
        before: &[&Record],
        after: &[Record],
    ) -> Result<(), EngineError> {
        let begun = || {
            self.state.stage(after)?;
            // Until the change is done, nothing is known of what stands.
            self.state.forget_generations()?;
            let begin = self.begin_entry(transaction, steps, before, after)?;
            Ok(self.state.journal().begin(begin, self.state.origin()?)?)
        };
        begun().inspect_err(|_| self.state.unstage())
    }

    fn begin_entry(
        &self,
        transaction: &str,
        steps: &[Done<'_>],
        before: &[&Record],
        after: &[Record],
    ) -> Result<Begin, EngineError> {
        let planned = |&(backend, step): &Done<'_>| Planned {
            backend: self.backends[backend].name().to_owned(),
            what: step.what.clone(),
            payload: step.payload.clone(),
            undo: step.undo.clone(),
        };
        let steps = steps.iter().map(planned).collect();
        let before = before.iter().copied();
        Begin::new(transaction.to_owned(), steps, before, after).map_err(EngineError::Unwritable)
    }

    /// Does all steps; says which were done when one was not. Knows the generation that each
    /// backend's last step left.
    #[allow(clippy::type_complexity)] // The pairs are named in the line above.
    fn run<'p>(
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

    fn run_step(
        &mut self,
        backend: usize,
        step: &Step,
        lock: &Lock,
    ) -> Result<Option<u64>, EngineError> {
        let backend = &mut self.backends[backend];
        match backend.run(&step.payload, lock) {
            Ok(done) => Ok(done.generation),
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
        let is_its = |record: &&Record| record.placement.backend == backend.name();
        let new: Vec<&Record> = after.iter().filter(is_its).collect();
        let names: Vec<&Name> = new.iter().map(|record| record.network.name()).collect();
        let found = backend.verify(&new)?;
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

    /// Replaces the records, and forgets the transaction.
    fn record(&mut self, before: &[&Record], after: &[Record]) -> Result<(), StateError> {
        self.state.put_in_place(after)?;
        let after_names: HashSet<&Name> = after.iter().map(|r| r.network.name()).collect();
        let gone = before.iter().map(|record| record.network.name());
        self.state
            .forget(gone.filter(|name| !after_names.contains(name)))?;
        self.note_handles(after);
        if let Err(error) = self.state.journal().end() {
            // The next one finishes once more what is finished.
            log::warn!("{error}");
        }
        Ok(())
    }

    /// Adds the kernel's numbers of new rules to their records, where that can be done: without
    /// them, rules are found by what they say.
    fn note_handles(&mut self, recorded: &[Record]) {
        let mut noted = recorded.to_vec();
        for backend in self.backends.iter_mut() {
            let is_its = |record: &Record| record.placement.backend == backend.name();
            if noted.iter().any(is_its)
                && let Err(error) = backend.note_handles(&mut noted)
            {
                log::warn!("{error}");
            }
        }
        let each = noted.iter().zip(recorded);
        let changed = each.filter(|(noted, recorded)| noted != recorded);
        if let Err(error) = self.state.write(changed.map(|(noted, _)| noted)) {
            log::warn!("{error}");
        }
    }

    fn remember_generations(&self, parts: &[Part<'_>], run: &[(usize, Option<u64>)]) {
        for part in parts {
            let of_part = run
                .iter()
                .rev()
                .find(|(backend, _)| *backend == part.backend);
            let generation = of_part.map_or(part.plan.generation, |&(_, generation)| generation);
            // What stands for networks that were not looked at is only known if nobody had touched
            // the ruleset before.
            let is_known = part.change.left_at.is_some() || part.change.keep.is_empty();
            let generation = generation.filter(|_| is_known);
            let name = self.backends[part.backend].name();
            if let Err(error) = self.state.set_generation(name, generation) {
                log::warn!("{error}"); // It costs a look at the kernel next time, no more.
            }
        }
    }
}

fn is_restless<T>(ran: &Result<T, EngineError>) -> bool {
    matches!(ran, Err(EngineError::Restless { .. }))
}

fn steps<'p>(parts: &'p [Part<'_>]) -> Vec<Done<'p>> {
    let steps = |part: &'p Part<'_>| part.plan.steps.iter().map(|step| (part.backend, step));
    parts.iter().flat_map(steps).collect()
}

fn check_names(records: &[Record], goal: &Goal) -> Result<(), EngineError> {
    match goal {
        Goal::Gone(names) | Goal::Mended(names) => check_known(records, names),
        Goal::Run(_) | Goal::Exactly(_) | Goal::Moved(_) | Goal::Renewed(_) | Goal::Back { .. } => {
            Ok(())
        }
    }
}

fn check_known(records: &[Record], names: &[Name]) -> Result<(), EngineError> {
    let is_known = |name: &&Name| records.iter().any(|record| record.network.name() == *name);
    let unknown: Vec<Name> = names.iter().filter(|n| !is_known(n)).cloned().collect();
    if unknown.is_empty() {
        Ok(())
    } else {
        Err(EngineError::Unknown { names: unknown })
    }
}

/// A few milliseconds, different for each process: two that met once shall not meet again.
fn pause(tries: u32) -> Duration {
    let noise = Timestamp::now().subsec_nanosecond().unsigned_abs() ^ std::process::id();
    Duration::from_micros(u64::from(noise % 1000 * tries.min(16)))
}

#[cfg(test)]
mod tests;
