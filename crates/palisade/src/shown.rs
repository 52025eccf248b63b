//! One network, as people look at it.

use palisade_core::backend::{Backend, Standing};
use palisade_core::network::Family;
use palisade_core::rules::{Rule, RuleKind};
use palisade_core::state::Record;
use serde::Serialize;

use crate::counters::Counters;
use crate::overview::Bridge;

/// A running network: what is recorded of it, and what stands in the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// What is recorded.
    pub record: Record,
    /// The rules and elements that are recorded, as they stand.
    pub standing: Vec<Standing>,
    /// Its bridge as it is now; none if it has none, or interfaces cannot be seen.
    pub bridge: Option<Bridge>,
    /// What it counted, by family and purpose.
    pub counters: Vec<Counters>,
    /// What the network asks for and its backend does not install.
    pub omitted: Vec<Omitted>,
}

/// Rules that are not installed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Omitted {
    /// The family of packets that they would be about.
    pub family: Family,
    /// What they would be for.
    pub purpose: RuleKind,
    /// Why they are not there.
    pub reason: &'static str,
}

/// What of a network's rules a backend does not install, each purpose once.
pub(crate) fn omitted(backend: &dyn Backend, record: &Record, rules: &[Rule]) -> Vec<Omitted> {
    let omitted = |rule: &Rule| {
        Some(Omitted {
            family: rule.layer.family(),
            purpose: rule.kind,
            reason: backend.omission(record, rule)?,
        })
    };
    let mut all: Vec<Omitted> = rules.iter().filter_map(omitted).collect();
    all.sort();
    // A service's requests and replies are one for people.
    all.dedup_by_key(|omitted| (omitted.family, omitted.purpose.words(), omitted.reason));
    all
}
