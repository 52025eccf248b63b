//! What differs between the networks that are wished for and those that run. Pure.

use std::collections::HashSet;

use jiff::Timestamp;

use super::confirm::{is_as, is_touched};
use super::{EngineError, check_known};
use crate::backend::{Addition, Change, Foreign, Placement};
use crate::network::{Name, Network, conflicts};
use crate::state::{Record, Running, Uses};

/// What somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Goal {
    /// These networks run, as they are defined here.
    Run(Vec<Wish>),
    /// These networks run, and no others.
    Exactly(Vec<Wish>),
    /// These networks, which run, are elsewhere: each keeps its rank, and since when it runs.
    Moved(Vec<Wish>),
    /// The networks of these names do not run.
    Gone(Vec<Name>),
    /// The networks of these names stand as they are recorded, and nothing else beside them where
    /// they have rules; without names, all of them.
    Mended(Vec<Name>),
    /// What an older build made in this backend is made anew.
    Renewed(String),
    /// A change is taken back: networks run as they did before it.
    Back {
        /// The records of networks that it replaced or removed.
        before: Vec<Record>,
        /// The networks that it started or replaced.
        came: Vec<Name>,
    },
}

/// A network that shall run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The network.
    pub network: Network,
    /// Where its rules shall be.
    pub placement: Placement,
    /// Why there, for people.
    pub why: String,
}

/// A network that comes.
#[derive(Debug, Clone, Copy)]
pub struct Coming<'a> {
    /// What is wished for it.
    pub wish: &'a Wish,
    /// The record of the network that it replaces.
    pub replaced: Option<&'a Record>,
    /// Its rank among the networks: the highest, unless it only moves.
    pub order: u64,
    /// Since when it runs, if it only moves: then it does not count as started anew.
    pub since: Option<Timestamp>,
}

/// How the running networks must change.
#[derive(Debug, Default)]
pub struct Difference<'a> {
    /// Running networks that are wished for as they are recorded.
    pub unchanged: Vec<&'a Record>,
    /// Running networks that go.
    pub remove: Vec<&'a Record>,
    /// Networks that come, by rank.
    pub add: Vec<Coming<'a>>,
    /// Networks that run again as they did, as these records say.
    pub back: Vec<&'a Record>,
    /// Unchanged networks are looked at, whatever the generation says.
    pub mend: bool,
    /// What becomes of what others put where only ours belongs.
    pub foreign: Foreign,
    /// Whether the backends shall say in words what they would do.
    pub in_words: bool,
}

impl<'a> Difference<'a> {
    /// Compares. Running networks that nobody speaks of are not looked at.
    ///
    /// # Errors
    /// If a network that is named does not run, or networks would conflict that would run then.
    pub fn between(running: &'a Running<'_>, goal: &'a Goal) -> Result<Self, EngineError> {
        let named = |names: &'a [Name]| {
            check_known(|name| running.get(name).is_some(), names)?;
            let records = names.iter().filter_map(|name| running.get(name));
            Ok::<_, EngineError>(records.collect::<Vec<_>>())
        };
        let mut difference = Self::default();
        match goal {
            Goal::Run(wishes) => difference.wish(running, wishes)?,
            Goal::Moved(wishes) => {
                difference.wish(running, wishes)?;
                difference.keep_ranks();
            }
            Goal::Exactly(wishes) => {
                let wished = names(wishes);
                difference.remove = running.all();
                let is_wished = |record: &&Record| wished.contains(record.network.name());
                difference.remove.retain(|record| !is_wished(record));
                difference.wish(running, wishes)?;
            }
            Goal::Gone(names) => difference.remove = in_order(named(names)?),
            Goal::Mended(names) => {
                difference.mend = true;
                difference.foreign = Foreign::Remove;
                difference.unchanged = match names.as_slice() {
                    [] => running.all(),
                    names => in_order(named(names)?),
                };
            }
            Goal::Back { before, came } => difference.go_back(running, before, came)?,
            Goal::Renewed(backend) => {
                difference.mend = true;
                difference.foreign = Foreign::CarryOver;
                difference.unchanged = running.all();
                let is_its = |record: &&Record| record.placement.backend == *backend;
                difference.unchanged.retain(is_its);
            }
        }
        if running.is_misled() {
            return Err(EngineError::Misled);
        }
        Ok(difference)
    }

    /// Networks that a change touched run again as they did before it, and the others go that came.
    fn go_back(
        &mut self,
        running: &'a Running<'_>,
        before: &'a [Record],
        came: &'a [Name],
    ) -> Result<(), EngineError> {
        self.mend = true;
        let all = running.all();
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
    fn wish(&mut self, running: &'a Running<'_>, wishes: &'a [Wish]) -> Result<(), EngineError> {
        for wish in wishes {
            match running.get(wish.network.name()) {
                Some(record)
                    if record.network == wish.network && record.placement == wish.placement =>
                {
                    self.unchanged.push(record);
                }
                replaced => self.add.push(Coming {
                    wish,
                    replaced,
                    order: 0,
                    since: None,
                }),
            }
        }
        self.check_conflicts(running, wishes)?;
        // One that is wished for twice would be a conflict, so that this is in one order.
        self.unchanged.sort_by_key(|record| record.order);
        for (coming, order) in self.add.iter_mut().zip(running.next_order()..) {
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
    fn check_conflicts(&self, running: &Running<'_>, wishes: &[Wish]) -> Result<(), EngineError> {
        let leaving = self.remove.iter().map(|record| record.network.name());
        let leaving: HashSet<&Name> = leaving.chain(names(wishes)).collect();
        if self.add.is_empty() && leaving.len() == self.remove.len() + wishes.len() {
            return Ok(()); // All of them run already, each once.
        }
        let mut coming = self.add.iter().map(|coming| &coming.wish.network);
        let wished = wishes.iter().map(|wish| &wish.network);
        let is_free = conflicts(wished.clone()).is_empty()
            && !coming.any(|network| running.conflicts_with(network, &leaving));
        if is_free {
            return Ok(());
        }
        // People are told of all of them, in the order of all networks.
        let kept = running.all().into_iter().map(|record| &record.network);
        let kept = kept.filter(|network| !leaving.contains(network.name()));
        Err(EngineError::Conflicts(conflicts(kept.chain(wished))))
    }

    /// Whether networks come or go, or run otherwise than before.
    #[must_use]
    pub fn is_change(&self) -> bool {
        !(self.remove.is_empty() && self.add.is_empty())
    }

    /// The part of it that is one backend's affair. `left_at` is the ruleset's generation if it is
    /// still the one in which our last change left it; otherwise unchanged networks are looked at.
    #[must_use]
    pub fn change(&self, backend: &str, left_at: Option<u64>, transaction: &str) -> Change<'a> {
        let left_at = left_at.filter(|_| !self.mend);
        let ours = |record: &&&'a Record| record.placement.backend == backend;
        let mut restore = Vec::new();
        if left_at.is_none() {
            restore.extend(self.unchanged.iter().filter(ours).copied());
        }
        restore.extend(self.back.iter().filter(ours));
        restore.sort_by_key(|record| record.order);
        let replaced = self
            .add
            .iter()
            .filter_map(|coming| coming.replaced.as_ref());
        Change {
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
                .filter(|coming| coming.wish.placement.backend == backend)
                .map(|&Coming { wish, order, .. }| Addition {
                    network: &wish.network,
                    placement: &wish.placement,
                    order,
                })
                .collect(),
            left_at,
            foreign: self.foreign,
            transaction: transaction.to_owned(),
            in_words: self.in_words,
        }
    }
}

fn names(wishes: &[Wish]) -> HashSet<&Name> {
    wishes.iter().map(|wish| wish.network.name()).collect()
}

/// As the networks were started, each once.
fn in_order(mut records: Vec<&Record>) -> Vec<&Record> {
    records.sort_by_key(|record| (record.order, record.network.name()));
    records.dedup_by_key(|record| record.network.name());
    records
}
