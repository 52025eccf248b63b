//! From a goal to what runs: compare, plan, write down, change the kernel, write down.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use super::adopt::{Adoption, Found};
use super::adopted::Adopted;
use super::confirm::Due;
use super::difference::{Difference, Goal};
use super::error::EngineError;
use super::host::{Deeds, HostPlan, Refused};
use super::parts::{Done, Engine, Part};
use super::report::{self, Report};
use super::retry::{TRY_FOR, pause};
use super::rewrite::{self, gone};
use crate::backend::BackendId;
use crate::journal::{Begin, Planned, transaction_id};
use crate::network::Name;
use crate::record::{Record, Written};
use crate::state::{Aside, Running, StateError};
use crate::storage::{Lock, PATIENCE};

/// What an attempt came to.
#[derive(Default)]
struct Reached {
    report: Report,
    gone: Vec<Name>,
    came: Vec<Record>,
    /// The rulesets' generations, by backend; none where it is not known.
    generations: Vec<(BackendId, Option<u64>)>,
}

impl Engine<'_> {
    /// Reaches the goal that is made of what runs. All or nothing.
    ///
    /// # Errors
    /// If the goal contradicts itself or what runs, or could not be reached: nothing has changed
    /// then, unless the error is [`EngineError::NotUndone`].
    pub fn reach(
        &mut self,
        goal: impl Fn(&Running<'_>) -> Result<Goal, EngineError>,
    ) -> Result<Report, EngineError> {
        let lock = self.state.lock(PATIENCE)?;
        self.recover_under(&lock)?;
        self.reach_under(goal, None, &lock)
    }

    /// The same for a caller that has the lock, and under it has
    /// [recovered](Self::recover_under) already. Networks without a record are adopted first.
    ///
    /// # Errors
    /// As for [`reach`](Self::reach).
    pub fn reach_under(
        &mut self,
        goal: impl Fn(&Running<'_>) -> Result<Goal, EngineError>,
        adoption: Option<&Adoption<'_>>,
        lock: &Lock,
    ) -> Result<Report, EngineError> {
        self.reach_beside_lost(goal, adoption, None, lock)
    }

    /// With `patience`, the change waits so long for its confirmation.
    pub(super) fn reach_beside_lost(
        &mut self,
        goal: impl Fn(&Running<'_>) -> Result<Goal, EngineError>,
        adoption: Option<&Adoption<'_>>,
        patience: Option<Duration>,
        lock: &Lock,
    ) -> Result<Report, EngineError> {
        let due = self.undo_if_due(lock)?;
        let mut running = self.state.running(lock)?;
        let lost = match adoption {
            Some(adoption) => self.lost(&running, adoption)?,
            None => None,
        };
        let adopted = match lost {
            Some((records, adoption)) => {
                let adopted = self.adopt_beside(&records, &adoption, lock)?;
                running = self.state.running(lock)?;
                adopted
            }
            None => Adopted::default(),
        };
        let reached = self.reach_with(running, goal, &due, patience, lock);
        if adopted.is_incomplete() {
            // The next change looks again: what is installed is not all that is recorded.
            self.state.forget_index()?;
        }
        match reached {
            Ok(mut report) => {
                report.notes.splice(..0, adopted.notes());
                Ok(report)
            }
            Err(error) => {
                let error = adopted.explained(error);
                if !matches!(error, EngineError::WithoutRecord { .. }) {
                    for note in adopted.notes() {
                        log::warn!("{note}");
                    }
                }
                Err(error)
            }
        }
    }

    fn reach_with(
        &mut self,
        running: Running<'_>,
        goal: impl Fn(&Running<'_>) -> Result<Goal, EngineError>,
        due: &Due,
        patience: Option<Duration>,
        lock: &Lock,
    ) -> Result<Report, EngineError> {
        let goal = |running: &Running<'_>| {
            let goal = goal(running)?;
            due.check(&goal)?;
            Ok(goal)
        };
        match goal(&running)
            .and_then(|goal| self.attempt_until_quiet(running, &goal, patience, lock))
        {
            Err(EngineError::State(StateError::Misled)) => {
                let running = self.state.running_reread(lock)?;
                let goal = goal(&running)?;
                self.attempt_until_quiet(running, &goal, patience, lock)
            }
            reached => reached,
        }
    }

    /// Tries again while others change the ruleset.
    pub(super) fn attempt_until_quiet(
        &mut self,
        running: Running<'_>,
        goal: &Goal,
        patience: Option<Duration>,
        lock: &Lock,
    ) -> Result<Report, EngineError> {
        let deadline = Instant::now() + TRY_FOR;
        for tries in 1_u32.. {
            match self.attempt(&running, goal, patience, lock) {
                Err(EngineError::Restless { .. }) if Instant::now() < deadline => {
                    std::thread::sleep(pause(tries));
                }
                Err(EngineError::Restless { .. }) => return Err(EngineError::Restless { tries }),
                reached => {
                    let Reached {
                        report,
                        gone,
                        came,
                        generations,
                    } = reached?;
                    let names: Vec<Name> = came
                        .iter()
                        .map(|record| record.network.name().clone())
                        .collect();
                    self.state.remember(running, &gone, came, &generations);
                    self.settle_aside(goal, &names)?;
                    return Ok(report);
                }
            }
        }
        Err(EngineError::Restless { tries: u32::MAX })
    }

    /// Records that could not be believed are told no more when their networks have come again, or
    /// when all networks go.
    fn settle_aside(&self, goal: &Goal, came: &[Name]) -> Result<(), EngineError> {
        let aside = match goal {
            Goal::Exactly { desired, .. } if desired.is_empty() => Aside::All,
            _ if came.is_empty() => return Ok(()),
            _ => Aside::Of(came),
        };
        Ok(self.state.settle(aside)?)
    }

    /// The records of what runs, after what an interrupted process left has been seen to.
    ///
    /// # Errors
    /// If the state cannot be read, or recovering fails.
    pub fn records(&mut self) -> Result<Vec<Record>, EngineError> {
        self.recover_if_idle()?;
        Ok(self.state.records(None)?)
    }

    /// What `reach` would do, without doing it: it is planned in the same way, and printed. Networks that
    /// would be adopted first count as running.
    ///
    /// # Errors
    /// As for [`reach`](Self::reach).
    pub fn foresee(
        &mut self,
        goal: impl Fn(&Running<'_>) -> Result<Goal, EngineError>,
        adoption: Option<&Adoption<'_>>,
    ) -> Result<Report, EngineError> {
        self.recover_if_idle()?;
        let running = self.state.running_unlocked()?;
        let lost = match adoption {
            Some(adoption) => self.lost(&running, adoption)?,
            None => None,
        };
        if let Some((records, adoption)) = lost {
            let mut found = self.found(&records, &adoption)?;
            found.records.splice(..0, records);
            let running = self.state.running_as_read(found.records);
            let mut foreseen = self.foresee_from(&running, &goal)?;
            foreseen.notes.splice(..0, found.adopted.notes());
            return Ok(foreseen);
        }
        match self.foresee_from(&running, &goal) {
            Err(EngineError::State(StateError::Misled)) => {
                let running = self.state.running_as_read(self.state.records(None)?);
                self.foresee_from(&running, &goal)
            }
            foreseen => foreseen,
        }
    }

    fn foresee_from(
        &mut self,
        running: &Running<'_>,
        goal: impl Fn(&Running<'_>) -> Result<Goal, EngineError>,
    ) -> Result<Report, EngineError> {
        let goal = goal(running)?;
        let difference = Difference::between(running, &goal)?;
        let parts = self.plan(running, &difference, &transaction_id())?;
        let host = self.plan_host(&difference, &parts)?;
        Ok(report::of(&difference, &parts, &host).with_operations(&parts, host.lines))
    }

    /// What reaching a goal comes to where nothing ever ran and nothing is desired: then neither a
    /// folder nor a lock is made to say so. None where there may be something to do, or to adopt.
    ///
    /// # Errors
    /// As for [`reach`](Self::reach).
    pub fn reach_nothing(
        &mut self,
        goal: impl Fn(&Running<'_>) -> Result<Goal, EngineError>,
        adoption: Option<&Adoption<'_>>,
    ) -> Result<Option<Report>, EngineError> {
        if !self.state.is_untouched() {
            return Ok(None);
        }
        let found = match adoption {
            Some(adoption) => self.found(&[], adoption)?,
            None => Found::default(),
        };
        if !found.records.is_empty() {
            return Ok(None);
        }
        let running = self.state.running_as_read(Vec::new());
        let goal = goal(&running).map_err(|error| found.adopted.explained(error))?;
        let difference = Difference::between(&running, &goal);
        let difference = difference.map_err(|error| found.adopted.explained(error))?;
        Ok((!difference.is_change()).then(|| {
            let mut report = report::of(&difference, &[], &HostPlan::default());
            report.notes.extend(found.adopted.notes());
            report
        }))
    }

    fn attempt(
        &mut self,
        running: &Running<'_>,
        goal: &Goal,
        patience: Option<Duration>,
        lock: &Lock,
    ) -> Result<Reached, EngineError> {
        let difference = Difference::between(running, goal)?;
        let transaction = transaction_id();
        let mut parts = self.plan(running, &difference, &transaction)?;
        let mut host = self.plan_host(&difference, &parts)?;
        let mut report = report::of(&difference, &parts, &host);
        let before = rewrite::before(&difference, &parts, &host);
        let after = rewrite::after(&difference, &mut parts, &mut host);
        let steps: Vec<Done<'_>> = steps(&parts);
        if steps.is_empty() && before.is_empty() && after.is_empty() && host.is_empty() {
            return Ok(Reached {
                generations: self.generations_after(&parts, &[]),
                report,
                ..Reached::default()
            });
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
                let done = (&done[..], &Deeds::default());
                return Err(self.take_back(&running.all()?, &before, &after, done, error, lock));
            }
        };
        let refused = match self.do_deeds(&host.deeds) {
            Ok(refused) => refused,
            Err(error) => {
                let done = (&steps[..], &host.deeds);
                return Err(self.take_back(&running.all()?, &before, &after, done, error, lock));
            }
        };
        if let Err(error) = self.state.journal().commit(&transaction) {
            // The records need no room any more, and say the same as the commit.
            log::warn!("{error}");
        }
        let generations = self.generations_after(&parts, &generations);
        let gone = gone(&before, &after);
        let (came, notes) = self
            .record(&gone, after, &refused)
            .map_err(|source| EngineError::Unrecorded { source })?;
        report.notes.extend(notes);
        Ok(Reached {
            report,
            gone,
            came,
            generations,
        })
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
            let written = after.iter().map(Written::new);
            let after: Vec<Written<'_>> = written
                .collect::<Result<_, _>>()
                .map_err(EngineError::Unwritable)?;
            self.state.stage(&after)?;
            let begin = self.begin_entry(transaction, steps, before, &after)?;
            Ok(self.state.journal().begin(begin, self.state.origin()?)?)
        };
        begun().inspect_err(|_| self.state.unstage())
    }

    fn begin_entry<'w>(
        &self,
        transaction: &str,
        steps: &[Done<'w>],
        before: &[&Record],
        after: &'w [Written<'_>],
    ) -> Result<Begin<'w>, EngineError> {
        let planned = |&(backend, step): &Done<'w>| Planned {
            backend: self.backends[backend].id(),
            what: step.what.clone(),
            payload: Cow::from(&step.payload),
            undo: Cow::from(&step.undo),
        };
        let steps = steps.iter().map(planned).collect();
        let before = before.iter().copied();
        Begin::new(transaction.to_owned(), steps, before, after).map_err(EngineError::Unwritable)
    }

    /// Replaces the records, and forgets the transaction. Returns the new records with what the
    /// kernel and the host say of them, and what is to be said of that.
    pub(super) fn record(
        &mut self,
        gone: &[Name],
        after: Vec<Record>,
        refused: &[Refused],
    ) -> Result<(Vec<Record>, Vec<String>), StateError> {
        self.state.put_in_place(&after)?;
        self.state.forget(gone)?;
        let mut noted = self.note_refused(after);
        let notes = self.note_refused_actions(refused, &mut noted);
        if !notes.is_empty()
            && let Err(error) = self.state.write(&noted)
        {
            log::warn!("{error}");
        }
        if let Err(error) = self.state.journal().end() {
            // The next one finishes once more what is finished.
            log::warn!("{error}");
        }
        Ok((noted, notes))
    }

    /// What the kernel refused is not installed: records that spoke of it are written once more.
    fn note_refused(&mut self, recorded: Vec<Record>) -> Vec<Record> {
        let mut noted = recorded;
        for backend in self.backends.iter_mut() {
            let id = backend.id();
            let is_its = |record: &&Record| record.placement.backend == id;
            if !noted.iter().any(|record| is_its(&record)) {
                continue;
            }
            match backend.note_refused(&mut noted) {
                Ok(false) => {}
                Ok(true) => {
                    if let Err(error) = self.state.write(noted.iter().filter(is_its)) {
                        log::warn!("{error}");
                    }
                }
                Err(error) => log::warn!("{error}"),
            }
        }
        noted
    }

    fn generations_after(
        &self,
        parts: &[Part<'_>],
        run: &[(usize, Option<u64>)],
    ) -> Vec<(BackendId, Option<u64>)> {
        let of_part = |part: &Part<'_>| {
            let mut run = run.iter().rev();
            let ran = run.find(|(backend, _)| *backend == part.backend);
            let generation = ran.map_or(part.plan.generation, |&(_, generation)| generation);
            // What stands for networks that were not looked at is only known if nobody had touched
            // the ruleset before.
            let is_known = part.change.left_at.is_some() || part.change.kept.is_empty();
            let id = self.backends[part.backend].id();
            (id, generation.filter(|_| is_known))
        };
        parts.iter().map(of_part).collect()
    }
}

fn steps<'p>(parts: &'p [Part<'_>]) -> Vec<Done<'p>> {
    let steps = |part: &'p Part<'_>| part.plan.steps.iter().map(|step| (part.backend, step));
    parts.iter().flat_map(steps).collect()
}
