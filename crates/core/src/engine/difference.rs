//! What differs between the desired networks and those that run. Pure.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::error::EngineError;
use crate::backend::{Addition, BackendId, Change, Foreign, Placement};
use crate::network::{Name, Network, conflicts};
use crate::network_owner::NetworkOwner;
use crate::record::Record;
use crate::state::{Running, StateError};
use crate::uses::Uses;

/// Which networks must run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Goal {
    /// These networks run, as they are defined here.
    Run(Vec<Desired>),
    /// These networks run, and no others of this owner.
    Exactly {
        /// The networks.
        desired: Vec<Desired>,
        /// On whose behalf.
        owner: NetworkOwner,
    },
    /// These networks, which run, are elsewhere: each keeps its rank, and since when it runs.
    Moved(Vec<Desired>),
    /// The networks of these names do not run.
    Gone(Vec<Name>),
    /// The networks of these names stand as they are recorded, and nothing else beside them where
    /// they have rules; without names, all of them.
    Repaired(Vec<Name>),
    /// A change is taken back: networks run as they did before it.
    Back {
        /// The records of networks that it replaced or removed.
        before: Vec<Record>,
        /// The networks that it started or replaced.
        came: Vec<Name>,
    },
}

/// A network that must run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desired {
    /// The network.
    pub network: Network,
    /// On whose behalf it runs.
    pub owner: NetworkOwner,
    /// Where its rules go.
    pub placement: Arc<Placement>,
    /// Why there, for people. One that stays where it is keeps what was said of that.
    pub why: Arc<str>,
}

impl Desired {
    /// A network at a placement, with packets of known flows accepted as that says.
    #[must_use]
    pub fn new(
        network: &Network,
        owner: &NetworkOwner,
        placement: Arc<Placement>,
        why: Arc<str>,
    ) -> Self {
        // What is no time there, a backend tells.
        let established = placement.established().unwrap_or_default();
        Self {
            network: network.clone().with_established(established),
            owner: owner.clone(),
            placement,
            why,
        }
    }
}

/// A network that comes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Added<'a> {
    /// Its desired state.
    pub desired: &'a Desired,
    /// The record of the network that it replaces.
    pub replaced: Option<&'a Record>,
    /// Its rank among the networks: the highest, unless it only moves.
    pub order: u64,
    /// Since when it runs, if it only moves: then it does not count as started anew.
    pub since: Option<Timestamp>,
}

/// A running network that is desired as it is recorded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unchanged<'a> {
    /// Its name. Its record need not have been read.
    pub name: &'a Name,
    /// Who installed its rules.
    pub backend: &'a BackendId,
    /// Its rank among the networks.
    pub order: u64,
}

/// How the running networks must change.
#[derive(Debug)]
pub(crate) struct Difference<'a> {
    running: &'a Running<'a>,
    /// Running networks that are desired as they are recorded, by rank.
    pub unchanged: Vec<Unchanged<'a>>,
    /// Running networks that go.
    pub remove: Vec<&'a Record>,
    /// Networks that come, by rank.
    pub add: Vec<Added<'a>>,
    /// Networks that run again as they did, as these records say.
    pub back: Vec<&'a Record>,
    /// Unchanged networks are looked at, whatever the generation says.
    pub mend: bool,
    /// What becomes of what others put where only ours belongs.
    pub foreign: Foreign,
}

impl<'a> Difference<'a> {
    /// Compares. Running networks that nobody speaks of are not looked at.
    ///
    /// # Errors
    /// If a network that is named does not run, or networks would conflict that would run then.
    pub(crate) fn between(running: &'a Running<'_>, goal: &'a Goal) -> Result<Self, EngineError> {
        let named = |names: &'a [Name]| {
            let records = running.of(names)?;
            let known: HashSet<&Name> = records.iter().map(|r| r.network.name()).collect();
            check_known(|name| known.contains(name), names)?;
            Ok::<_, EngineError>(records)
        };
        let mut difference = Self::of(running);
        match goal {
            Goal::Run(desired) => difference.run(desired)?,
            Goal::Moved(desired) => {
                difference.run(desired)?;
                difference.keep_ranks();
            }
            Goal::Exactly { desired, owner } => {
                let named = names(desired);
                let others = running.names().into_iter();
                let others = others.filter(|name| !named.contains(name));
                difference.remove = running.of(others)?;
                difference.remove.retain(|record| record.owner == *owner);
                difference.run(desired)?;
            }
            Goal::Gone(names) => difference.remove = in_order(named(names)?),
            Goal::Repaired(names) => {
                difference.mend = true;
                difference.foreign = Foreign::Remove;
                difference.unchanged = match names.as_slice() {
                    [] => unchanged(&running.all()?),
                    names => unchanged(&in_order(named(names)?)),
                };
            }
            Goal::Back { before, came } => difference.go_back(running, before, came)?,
        }
        Ok(difference)
    }

    /// Nothing changes.
    fn of(running: &'a Running<'_>) -> Self {
        Self {
            running,
            unchanged: Vec::new(),
            remove: Vec::new(),
            add: Vec::new(),
            back: Vec::new(),
            mend: false,
            foreign: Foreign::default(),
        }
    }

    /// Networks that a change touched run again as they did before it, and the others go that came.
    fn go_back(
        &mut self,
        running: &'a Running<'_>,
        before: &'a [Record],
        came: &'a [Name],
    ) -> Result<(), EngineError> {
        self.mend = true;
        let all = running.all()?;
        let stands = |then: &&Record| all.iter().any(|record| is_as(record, then));
        self.back = before.iter().filter(|then| !stands(then)).collect();
        let stays = |record: &&Record| {
            !is_touched(record.network.name(), before, came)
                || before.iter().any(|then| is_as(record, then))
        };
        let (kept, removed): (Vec<&Record>, _) = all.into_iter().partition(stays);
        self.remove = removed;
        let again = kept.into_iter().chain(self.back.iter().copied());
        let conflicts = conflicts(again.map(|record| &record.network));
        if conflicts.is_empty() {
            Ok(())
        } else {
            Err(EngineError::Conflicts(conflicts))
        }
    }

    /// These shall run, beside those that are not removed.
    fn run(&mut self, all: &'a [Desired]) -> Result<(), EngineError> {
        for desired in all {
            let name = desired.network.name();
            match self.running.rank_as(&desired.network, &desired.placement)? {
                Some(order) => self.unchanged.push(Unchanged {
                    name,
                    backend: &desired.placement.backend,
                    order,
                }),
                None => self.add.push(Added {
                    desired,
                    replaced: self.running.get(name)?,
                    order: 0,
                    since: None,
                }),
            }
        }
        self.unchanged.sort_by_key(|u| (u.order, u.name));
        self.check_conflicts(all)?;
        let next = self.running.next_order();
        for (coming, order) in self.add.iter_mut().zip(next..=u64::MAX) {
            coming.order = order;
        }
        Ok(())
    }

    /// Networks that run and are replaced keep their ranks, and since when they run. Those that
    /// stay where they are are looked at: others find their places among their rules.
    fn keep_ranks(&mut self) {
        for coming in &mut self.add {
            if let Some(record) = coming.replaced {
                coming.order = record.order;
                coming.since = Some(record.since);
            }
        }
        self.add.sort_by_key(|coming| coming.order);
        self.mend = !self.add.is_empty();
    }

    /// Networks that run already do not conflict: only those that come are looked at.
    fn check_conflicts(&self, desired: &[Desired]) -> Result<(), EngineError> {
        let mut neighbours = self.unchanged.windows(2);
        let is_once = neighbours.all(|pair| pair[0].name != pair[1].name);
        if self.add.is_empty() && is_once {
            return Ok(()); // All of them run already, each once.
        }
        let running = self.running;
        let leaving = self.remove.iter().map(|record| record.network.name());
        let leaving: HashSet<&Name> = leaving.chain(names(desired)).collect();
        let mut coming = self.add.iter().map(|coming| &coming.desired.network);
        let wanted = desired.iter().map(|desired| &desired.network);
        let is_free = conflicts(wanted.clone()).is_empty()
            && !coming.any(|network| running.conflicts_with(network, &leaving));
        if is_free {
            return Ok(());
        }
        // People are told of all of them, in the order of all networks.
        let kept = running.all()?.into_iter().map(|record| &record.network);
        let kept = kept.filter(|network| !leaving.contains(network.name()));
        Err(EngineError::Conflicts(conflicts(kept.chain(wanted))))
    }

    /// Whether networks come or go, or run otherwise than before.
    #[must_use]
    pub(crate) fn is_change(&self) -> bool {
        !(self.remove.is_empty() && self.add.is_empty())
    }

    /// Whether anything of it is a backend's affair.
    pub(super) fn concerns(&self, backend: &BackendId) -> bool {
        let is_its = |record: &&Record| record.placement.backend == *backend;
        let comes = |coming: &Added<'_>| {
            let replaced = coming.replaced.as_ref();
            coming.desired.placement.backend == *backend || replaced.is_some_and(is_its)
        };
        self.unchanged.iter().any(|u| u.backend == backend)
            || self.add.iter().any(comes)
            || self.remove.iter().chain(&self.back).any(is_its)
    }

    /// The part of it that is one backend's affair. `left_at` is the ruleset's generation if it is
    /// still the one in which our last change left it; otherwise unchanged networks are looked at.
    ///
    /// # Errors
    /// If a record cannot be read any more.
    pub(crate) fn change(
        &self,
        backend: &BackendId,
        left_at: Option<u64>,
        transaction: &str,
    ) -> Result<Change<'a>, StateError> {
        let left_at = left_at.filter(|_| !self.mend);
        let ours = |record: &&&'a Record| record.placement.backend == *backend;
        let mut restore = Vec::new();
        if left_at.is_none() {
            let unchanged = self.unchanged.iter().filter(|u| u.backend == backend);
            restore.extend(self.running.of(unchanged.map(|u| u.name))?);
        }
        restore.extend(self.back.iter().filter(ours));
        restore.sort_by_key(|record| record.order);
        let replaced = self
            .add
            .iter()
            .filter_map(|coming| coming.replaced.as_ref());
        Ok(Change {
            keep: Vec::new(),
            kept: Uses::default(),
            restore,
            remove: self
                .remove
                .iter()
                .chain(replaced)
                .filter(ours)
                .copied()
                .collect(),
            add: self
                .add
                .iter()
                .filter(|coming| coming.desired.placement.backend == *backend)
                .map(|&Added { desired, order, .. }| Addition {
                    network: &desired.network,
                    placement: &desired.placement,
                    order,
                })
                .collect(),
            left_at,
            foreign: self.foreign,
            transaction: transaction.to_owned(),
        })
    }
}

fn unchanged<'a>(records: &[&'a Record]) -> Vec<Unchanged<'a>> {
    let each = records.iter().map(|record| Unchanged {
        name: record.network.name(),
        backend: &record.placement.backend,
        order: record.order,
    });
    each.collect()
}

fn names(desired: &[Desired]) -> HashSet<&Name> {
    desired
        .iter()
        .map(|desired| desired.network.name())
        .collect()
}

/// As the networks were started, each once.
fn in_order(mut records: Vec<&Record>) -> Vec<&Record> {
    records.sort_by_key(|record| (record.order, record.network.name()));
    records.dedup_by_key(|record| record.network.name());
    records
}

/// Refuses names of networks that do not run.
pub(super) fn check_known(
    is_known: impl Fn(&Name) -> bool,
    names: &[Name],
) -> Result<(), EngineError> {
    let unknown: Vec<Name> = names.iter().filter(|n| !is_known(n)).cloned().collect();
    if unknown.is_empty() {
        Ok(())
    } else {
        Err(EngineError::Unknown { names: unknown })
    }
}

/// Whether a network runs as this record says.
fn is_as(record: &Record, then: &Record) -> bool {
    let of = |record: &'_ Record| -> (Network, Placement, u64) {
        (
            record.network.clone(),
            record.placement.clone(),
            record.order,
        )
    };
    of(record) == of(then) && record.since == then.since
}

/// Whether a change has to do with this network.
fn is_touched(name: &Name, before: &[Record], came: &[Name]) -> bool {
    came.contains(name) || before.iter().any(|record| record.network.name() == name)
}
