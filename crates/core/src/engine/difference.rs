//! What differs between the networks that are wished for and those that run. Pure.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::confirm::{is_as, is_touched};
use crate::backend::{Addition, Change, Foreign, Placement};
use crate::network::{Conflict, Name, Network, conflicts};
use crate::state::Record;

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
    /// The networks of these names stand as they are recorded; without names, all of them, and
    /// nothing else stands beside them.
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
    /// Running networks that nobody speaks of.
    pub keep: Vec<&'a Record>,
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
    /// Compares.
    ///
    /// # Errors
    /// The conflicts among the networks that would run then.
    pub fn between(records: &'a [Record], goal: &'a Goal) -> Result<Self, Vec<Conflict>> {
        let wishes = match goal {
            Goal::Run(wishes) | Goal::Exactly(wishes) | Goal::Moved(wishes) => wishes.as_slice(),
            Goal::Gone(_) | Goal::Mended(_) | Goal::Renewed(_) | Goal::Back { .. } => &[],
        };
        let wished: HashSet<&Name> = wishes.iter().map(|wish| wish.network.name()).collect();
        let gone: HashSet<&Name> = match goal {
            Goal::Gone(names) => names.iter().collect(),
            _ => HashSet::new(),
        };
        let is_mended = |record: &Record| match goal {
            Goal::Mended(names) => names.is_empty() || names.contains(record.network.name()),
            Goal::Renewed(backend) => record.placement.backend == *backend,
            _ => false,
        };
        let (before, came) = match goal {
            Goal::Back { before, came } => (before.as_slice(), came.as_slice()),
            _ => (&[][..], &[][..]),
        };
        let stands = |then: &&Record| records.iter().any(|record| is_as(record, then));
        let mut difference = Self {
            back: before.iter().filter(|then| !stands(then)).collect(),
            mend: matches!(goal, Goal::Mended(_) | Goal::Renewed(_) | Goal::Back { .. }),
            foreign: match goal {
                Goal::Mended(names) if names.is_empty() => Foreign::Remove,
                Goal::Renewed(_) => Foreign::CarryOver,
                _ => Foreign::Keep,
            },
            ..Self::default()
        };
        for record in records {
            let name = record.network.name();
            if wished.contains(name) {
                continue;
            } else if matches!(goal, Goal::Exactly(_))
                || gone.contains(name)
                || is_touched(name, before, came) && !before.iter().any(|then| is_as(record, then))
            {
                difference.remove.push(record);
            } else if is_mended(record) {
                difference.unchanged.push(record);
            } else {
                difference.keep.push(record);
            }
        }
        let running: HashMap<&Name, &Record> =
            records.iter().map(|r| (r.network.name(), r)).collect();
        let last = records.iter().map(|record| record.order).max();
        let mut free = last.map_or(0, |last| last + 1)..;
        for wish in wishes {
            match running.get(wish.network.name()) {
                Some(&record)
                    if record.network == wish.network && record.placement == wish.placement =>
                {
                    difference.unchanged.push(record);
                }
                running => {
                    let replaced = running.copied();
                    let moved = replaced.filter(|_| matches!(goal, Goal::Moved(_)));
                    let order = moved.map(|record| record.order).or_else(|| free.next());
                    difference.add.push(Coming {
                        wish,
                        replaced,
                        order: order.unwrap_or(u64::MAX),
                        since: moved.map(|record| record.since),
                    });
                }
            }
        }
        difference.add.sort_by_key(|coming| coming.order);
        let kept = difference.keep.iter().chain(&difference.back);
        let kept = kept.map(|record| &record.network);
        let conflicts = conflicts(kept.chain(wishes.iter().map(|wish| &wish.network)));
        if conflicts.is_empty() {
            // One that is wished for twice would be a conflict, so that this is in one order.
            difference.unchanged.sort_by_key(|record| record.order);
            Ok(difference)
        } else {
            Err(conflicts)
        }
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
        let mut keep: Vec<&Record> = self.keep.iter().filter(ours).copied().collect();
        let unchanged = self.unchanged.iter().filter(ours).copied();
        let mut restore = Vec::new();
        if left_at.is_none() {
            restore.extend(unchanged);
        } else {
            keep.extend(unchanged);
            keep.sort_by_key(|record| record.order);
        }
        restore.extend(self.back.iter().filter(ours));
        restore.sort_by_key(|record| record.order);
        let replaced = self
            .add
            .iter()
            .filter_map(|coming| coming.replaced.as_ref());
        Change {
            keep,
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
