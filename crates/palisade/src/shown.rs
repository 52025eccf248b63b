//! One network, as people look at it.

use palisade_core::backend::{Backend, Standing};
use palisade_core::host_action::{Effect, HostAction, HostActionError, HostActionKind};
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
    /// What is done on the host for it beside rules.
    pub actions: Vec<ShownAction>,
}

/// Something that is done on the host for a network beside rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownAction {
    /// What is recorded of it.
    #[serde(flatten)]
    pub action: HostAction,
    /// What it brings about, in words.
    pub text: String,
    /// Whether it is in effect.
    pub state: ActionState,
}

/// Whether an action on the host is in effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ActionState {
    /// It is.
    Active,
    /// It is recorded, and not in effect.
    Missing,
    /// It waits for its bridge, or for the service that does it.
    Waiting,
    /// The host cannot do it.
    Omitted,
    /// This build does not know such actions.
    Unknown,
}

/// The actions of a network, as they are now.
pub(crate) fn actions(
    kinds: &mut [Box<dyn HostActionKind>],
    record: &Record,
) -> Result<Vec<ShownAction>, HostActionError> {
    let mut shown = |action: &HostAction| {
        let kind = kinds.iter_mut().find(|kind| kind.id() == action.kind);
        let (text, state) = match kind {
            None => (action.kind.to_string(), ActionState::Unknown),
            Some(kind) if action.omitted.is_some() => (kind.words(action), ActionState::Omitted),
            Some(kind) => {
                let state = match kind.effect(action)? {
                    Effect::Present => ActionState::Active,
                    Effect::Missing => ActionState::Missing,
                    Effect::Moot => ActionState::Waiting,
                };
                (kind.words(action), state)
            }
        };
        let action = action.clone();
        Ok(ShownAction {
            action,
            text,
            state,
        })
    };
    record.actions.iter().map(&mut shown).collect()
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
