//! From what is wished to what runs: compare, write down, change the kernel, write down.
//!
//! At every moment the records name at least all that is installed: what will stand is recorded
//! before the kernel is touched, and what no longer stands is forgotten after. So whatever
//! happens in between, nothing of ours is left that no record names.

mod difference;
mod report;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::backend::{Backend, Change, Installed, Plan, RunError};
use crate::network::Name;
use crate::state::{PATIENCE, Record, State};

pub use difference::{Difference, Goal, Wish};
pub use report::{Action, Changed, EngineError, Report};

/// How long to try again while others change the ruleset.
const TRY_FOR: Duration = Duration::from_secs(5);

/// What changes the networks that run in one network namespace.
pub struct Engine<'a> {
    /// What is remembered of them.
    pub state: &'a State,
    /// The namespace's cookie.
    pub cookie: u64,
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

/// A record that a change makes or replaces.
struct Rewrite<'a> {
    old: Option<&'a Record>,
    new: Record,
}

impl Engine<'_> {
    /// Reaches the goal that is made of what runs. All or nothing.
    ///
    /// # Errors
    /// If the goal contradicts itself or what runs, or could not be reached: nothing has changed
    /// then.
    pub fn reach(&mut self, goal: impl FnOnce(&[Record]) -> Goal) -> Result<Report, EngineError> {
        let _lock = self.state.lock(self.cookie, PATIENCE)?;
        let records = self.state.records()?;
        let goal = goal(&records);
        let deadline = Instant::now() + TRY_FOR;
        for tries in 1_u32.. {
            match self.attempt(&records, &goal) {
                Err(EngineError::Restless { .. }) if Instant::now() < deadline => {
                    std::thread::sleep(pause(tries));
                }
                Err(EngineError::Restless { .. }) => return Err(EngineError::Restless { tries }),
                done => return done,
            }
        }
        Err(EngineError::Restless { tries: u32::MAX })
    }

    fn attempt(&mut self, records: &[Record], goal: &Goal) -> Result<Report, EngineError> {
        if let Goal::Gone(names) = goal {
            check_known(records, names)?;
        }
        let difference = Difference::between(records, goal).map_err(EngineError::Conflicts)?;
        let parts = self.plan(&difference)?;
        let report = report::of(&difference, &parts);
        let rewrites = rewrites(records, &difference, &parts);
        self.write_before(&parts, &rewrites)?;
        if let Err(error) = self.run(&parts) {
            self.write_back(&rewrites);
            return Err(error);
        }
        self.write_after(&difference, rewrites)
            .map_err(|source| EngineError::Unrecorded { source })?;
        Ok(report)
    }

    fn plan<'d>(&mut self, difference: &Difference<'d>) -> Result<Vec<Part<'d>>, EngineError> {
        for (wish, _) in &difference.add {
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
            if difference.change(name, None).is_empty() {
                continue;
            }
            let recorded = self.state.generation(name);
            let left_at = implementation
                .generation()?
                .filter(|&now| Some(now) == recorded);
            let change = difference.change(name, left_at);
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
        Ok(parts)
    }

    /// Records what will stand, beside what still stands.
    fn write_before(
        &self,
        parts: &[Part<'_>],
        rewrites: &[Rewrite<'_>],
    ) -> Result<(), EngineError> {
        for part in parts {
            if !part.plan.steps.is_empty() {
                // Until the steps are done, nothing is known of what stands.
                let name = self.backends[part.backend].name();
                self.state.set_generation(name, None)?;
            }
        }
        let both: Vec<Record> = rewrites.iter().map(Rewrite::both).collect();
        self.state.write(&both).map_err(|error| {
            self.write_back(rewrites);
            error.into()
        })
    }

    fn run(&mut self, parts: &[Part<'_>]) -> Result<(), EngineError> {
        for part in parts {
            let backend = &mut self.backends[part.backend];
            let mut generation = part.plan.generation;
            for step in &part.plan.steps {
                generation = match backend.run(&step.payload) {
                    Ok(done) => done.generation,
                    Err(RunError::Stale) => return Err(EngineError::Restless { tries: 0 }),
                    Err(RunError::Failed(error)) => return Err(error.into()),
                };
            }
            if let Err(error) = self.state.set_generation(backend.name(), generation) {
                log::warn!("{error}"); // It costs a look at the kernel next time, no more.
            }
        }
        Ok(())
    }

    /// Puts the old records back: the change did not happen.
    fn write_back(&self, rewrites: &[Rewrite<'_>]) {
        let old = rewrites.iter().filter_map(|rewrite| rewrite.old);
        let new = rewrites
            .iter()
            .filter(|rewrite| rewrite.old.is_none())
            .map(|rewrite| rewrite.new.network.name());
        for result in [self.state.write(old), self.state.forget(new)] {
            if let Err(error) = result {
                // The records name more than what stands, which a later change mends.
                log::error!("the records could not be put back: {error}");
            }
        }
    }

    /// Records what stands, and nothing else.
    fn write_after(
        &mut self,
        difference: &Difference<'_>,
        rewrites: Vec<Rewrite<'_>>,
    ) -> Result<(), crate::state::StateError> {
        let written: Vec<Record> = rewrites.iter().map(Rewrite::both).collect();
        let mut exact: Vec<Record> = rewrites.into_iter().map(|rewrite| rewrite.new).collect();
        for backend in self.backends.iter_mut() {
            let is_its = |record: &Record| record.placement.backend == backend.name();
            if exact.iter().any(is_its)
                && let Err(error) = backend.note_handles(&mut exact)
            {
                // Without handles, rules are found by what they say.
                log::warn!("{error}");
            }
        }
        let differing = exact.iter().zip(&written).filter(|(new, old)| new != old);
        self.state.write(differing.map(|(new, _)| new))?;
        let removed = difference.remove.iter();
        self.state
            .forget(removed.map(|record| record.network.name()))
    }
}

impl Rewrite<'_> {
    /// The record while the change happens: it names what was installed and what will be.
    fn both(&self) -> Record {
        let mut record = self.new.clone();
        if let Some(old) = self.old {
            let is_new = |item: &&Installed| self.new.installed.contains(item);
            let beside = old.installed.iter().filter(|item| !is_new(item));
            record.installed.extend(beside.cloned());
        }
        record
    }
}

/// The records that the change makes or replaces.
fn rewrites<'a>(
    records: &[Record],
    difference: &Difference<'a>,
    parts: &[Part<'a>],
) -> Vec<Rewrite<'a>> {
    let mut installed: HashMap<&Name, &Vec<Installed>> = HashMap::new();
    let mut rewrites = Vec::new();
    for Part { change, plan, .. } in parts {
        let added = change.add.iter().map(|addition| addition.network.name());
        installed.extend(added.zip(&plan.added));
        for (&old, installed) in change.restore.iter().zip(&plan.restored) {
            if let Some(installed) = installed.clone() {
                let new = Record {
                    installed,
                    ..old.clone()
                };
                rewrites.push(Rewrite {
                    old: Some(old),
                    new,
                });
            }
        }
    }
    let now = Timestamp::now();
    let last = records.iter().map(|record| record.order).max();
    let first_free = last.map_or(0, |last| last + 1);
    for ((wish, old), order) in difference.add.iter().zip(first_free..) {
        let name = wish.network.name();
        rewrites.push(Rewrite {
            old: *old,
            new: Record {
                network: wish.network.clone(),
                placement: wish.placement.clone(),
                since: now,
                order,
                installed: installed.get(name).copied().cloned().unwrap_or_default(),
            },
        });
    }
    rewrites
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
