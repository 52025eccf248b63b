//! Actions on the host: which of them a change takes, and doing them.
//!
//! They follow from the records before and after a change, so that the journal needs no more than
//! these. Doing or undoing an action that is done or undone already changes nothing: whoever
//! recovers does all of them again.

use std::collections::HashMap;

use super::difference::Difference;
use super::error::EngineError;
use super::parts::{Engine, Part};
use crate::backend::{Discrepancy, DiscrepancyKind, Line, Sign};
use crate::hint::Hint;
use crate::host_action::{Effect, HostAction, HostActionId, HostActionKind, Need};
use crate::network::Name;
use crate::record::Record;

/// What a change means for the host beside rules.
#[derive(Debug, Default)]
pub(super) struct HostPlan<'a> {
    /// The actions of networks that start, or that were looked at.
    after: HashMap<&'a Name, Vec<HostAction>>,
    /// Networks that stay although their actions changed, or are not in effect.
    restored: Vec<&'a Record>,
    /// What to do.
    pub(super) deeds: Deeds,
    /// The same in words, each with the network that it is for.
    pub(super) lines: Vec<Line>,
    /// What the host cannot do for networks that start, although they need it.
    pub(super) notes: Vec<String>,
}

/// Actions to undo, and then actions to do.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Deeds {
    undo: Vec<HostAction>,
    apply: Vec<HostAction>,
    /// Actions that were recorded before, and are to be in effect again.
    again: Vec<HostAction>,
}

/// An action that the host refused, and why.
pub(super) struct Refused {
    action: HostAction,
    reason: String,
}

impl<'a> HostPlan<'a> {
    /// Whether nothing is to be done or recorded.
    pub(super) fn is_empty(&self) -> bool {
        self.restored.is_empty() && self.deeds == Deeds::default()
    }

    /// Takes the actions of a network, if it starts or was looked at.
    pub(super) fn take(&mut self, network: &Name) -> Option<Vec<HostAction>> {
        self.after.remove(network)
    }

    /// Networks that stay and whose actions are recorded otherwise from now on, or done again.
    pub(super) fn restored(&self) -> impl Iterator<Item = &'a Record> {
        self.restored.iter().copied()
    }

    /// The same that are recorded otherwise.
    pub(super) fn rewritten(&self) -> impl Iterator<Item = &'a Record> {
        let is_changed = |record: &&'a Record| {
            let after = self.after.get(record.network.name());
            after.is_some_and(|after| *after != record.actions)
        };
        self.restored().filter(is_changed)
    }
}

impl Deeds {
    /// From the actions of these records to those of the others.
    pub(super) fn between<'r>(
        before: impl IntoIterator<Item = &'r Record>,
        after: impl IntoIterator<Item = &'r Record>,
    ) -> Self {
        let of = |record: &'r Record| &record.actions;
        let before: Vec<&HostAction> = before.into_iter().flat_map(of).collect();
        let after: Vec<&HostAction> = after.into_iter().flat_map(of).collect();
        Self::of(&before, &after)
    }

    fn of(before: &[&HostAction], after: &[&HostAction]) -> Self {
        let done = |all: &[&HostAction]| -> Vec<HostAction> {
            let done = all.iter().filter(|action| action.omitted.is_none());
            done.copied().cloned().collect()
        };
        let (before, after) = (done(before), done(after));
        let undo = before.iter().filter(|action| !after.contains(action));
        let undo = undo.cloned().collect();
        let (again, apply) = after.into_iter().partition(|it| before.contains(it));
        Self { undo, apply, again }
    }

    /// What takes it back.
    fn reversed(&self) -> Self {
        Self {
            undo: self.apply.clone(),
            apply: self.undo.clone(),
            again: Vec::new(),
        }
    }
}

impl Engine<'_> {
    /// The actions that a difference takes, of which backends made these parts. Nothing is done yet.
    pub(super) fn plan_host<'d>(
        &mut self,
        difference: &Difference<'d>,
        parts: &[Part<'d>],
    ) -> Result<HostPlan<'d>, EngineError> {
        let is_back = |record: &Record| difference.back.iter().any(|&it| std::ptr::eq(it, record));
        let looked_at = parts.iter().flat_map(|part| &part.change.restore).copied();
        let looked_at: Vec<&'d Record> = looked_at.filter(|record| !is_back(record)).collect();
        let replaced = difference.add.iter().filter_map(|coming| coming.replaced);
        let before = difference.remove.iter().copied().chain(replaced);
        let before: Vec<&'d Record> = before.chain(looked_at.iter().copied()).collect();
        let recorded: Vec<&HostAction> = before.iter().flat_map(|it| &it.actions).collect();
        let stays = looked_at.iter().map(|&record| Need {
            network: &record.network,
            placement: &record.placement,
            recorded: None,
            is_start: false,
        });
        let starts = difference.add.iter().map(|coming| Need {
            network: &coming.desired.network,
            placement: &coming.desired.placement,
            recorded: None,
            is_start: coming.since.is_none(),
        });
        let mut plan = HostPlan::default();
        for record in &difference.back {
            let actions = record.actions.clone();
            plan.after.insert(record.network.name(), actions);
        }
        for need in stays.chain(starts) {
            let actions = self.needed(need, &recorded)?;
            if need.is_start {
                plan.notes.extend(self.notes(need.network.name(), &actions));
            }
            plan.after.insert(need.network.name(), actions);
        }
        // Kinds that this build lacks stay as they are.
        for record in &looked_at {
            let unknown = record.actions.iter();
            let unknown = unknown.filter(|action| self.kind(&action.kind).is_err());
            let unknown: Vec<HostAction> = unknown.cloned().collect();
            plan.after
                .entry(record.network.name())
                .or_default()
                .extend(unknown);
        }
        let after: Vec<&HostAction> = plan.after.values().flatten().collect();
        plan.deeds = Deeds::of(&recorded, &after);
        plan.deeds.again = self.missing(std::mem::take(&mut plan.deeds.again))?;
        for action in plan.deeds.undo.iter().chain(&plan.deeds.apply) {
            self.kind(&action.kind)?;
        }
        plan.lines = self.lines(&plan, &before)?;
        let again = &plan.deeds.again;
        plan.restored = looked_at;
        let after = &plan.after;
        plan.restored.retain(|record| {
            after.get(record.network.name()) != Some(&record.actions)
                || record.actions.iter().any(|action| again.contains(action))
        });
        Ok(plan)
    }

    /// The actions of each kind that a network needs.
    fn needed(
        &mut self,
        need: Need<'_>,
        recorded: &[&HostAction],
    ) -> Result<Vec<HostAction>, EngineError> {
        let mut actions = Vec::new();
        for kind in self.host_actions.iter_mut() {
            let id = kind.id();
            let mut recorded = recorded.iter().copied();
            let recorded = recorded
                .find(|action| action.kind == id && Some(&action.bridge) == need.network.bridge());
            let needed = kind.needed(Need { recorded, ..need });
            actions.extend(needed.map_err(|source| EngineError::Host {
                network: need.network.name().clone(),
                source,
            })?);
        }
        Ok(actions)
    }

    /// Those that are not in effect.
    fn missing(&mut self, mut actions: Vec<HostAction>) -> Result<Vec<HostAction>, EngineError> {
        let mut missing = Vec::new();
        for action in actions.drain(..) {
            // One that this build lacks cannot be done again, and `verify` reports it.
            let Ok(kind) = self.kind(&action.kind) else {
                continue;
            };
            if kind.effect(&action)? == Effect::Missing {
                missing.push(action);
            }
        }
        Ok(missing)
    }

    /// What the host cannot do of what a network needs.
    fn notes(&mut self, network: &Name, actions: &[HostAction]) -> Vec<String> {
        let mut notes = Vec::new();
        for action in actions {
            if let (Some(reason), Ok(kind)) = (&action.omitted, self.kind(&action.kind)) {
                notes.push(not_done(network, &kind.words(action), reason));
            }
        }
        notes
    }

    fn lines(&mut self, plan: &HostPlan<'_>, before: &[&Record]) -> Result<Vec<Line>, EngineError> {
        let Deeds { undo, apply, again } = &plan.deeds;
        let gone = undo.iter().map(|action| (Sign::Goes, action));
        let come = apply
            .iter()
            .chain(again)
            .map(|action| (Sign::Comes, action));
        let mut lines = Vec::new();
        for (sign, action) in gone.chain(come) {
            let has = |actions: &Vec<HostAction>| actions.contains(action);
            let before = before.iter().find(|record| has(&record.actions));
            let before = before.map(|record| record.network.name());
            let mut after = plan.after.iter().filter(|(_, actions)| has(actions));
            let network = match sign {
                Sign::Goes => before,
                Sign::Comes => after.next().map(|(name, _)| *name),
            };
            lines.push(Line {
                network: network.cloned(),
                sign,
                text: self.kind(&action.kind)?.line(action),
            });
        }
        Ok(lines)
    }

    /// Undoes and does. Returns what the host refused of that which networks can do without.
    pub(super) fn do_deeds(&mut self, deeds: &Deeds) -> Result<Vec<Refused>, EngineError> {
        let mut refused = Vec::new();
        for action in &deeds.undo {
            let kind = self.kind(&action.kind)?;
            if let Err(error) = kind.undo(action) {
                if !kind.is_optional() {
                    return Err(error.into());
                }
                log::warn!("{} could not be undone: {error}", kind.words(action));
            }
        }
        for action in deeds.apply.iter().chain(&deeds.again) {
            let kind = self.kind(&action.kind)?;
            match kind.apply(action) {
                Err(error) if kind.is_optional() => refused.push(Refused {
                    action: action.clone(),
                    reason: with_hint(&error),
                }),
                done => done?,
            }
        }
        Ok(refused)
    }

    /// Takes back what was done of these, as far as it was done.
    pub(super) fn undo_deeds(&mut self, deeds: &Deeds) -> Result<(), EngineError> {
        self.do_deeds(&deeds.reversed()).map(|_| ())
    }

    /// Writes into the records what the host refused. Returns what is to be said of it.
    pub(super) fn note_refused_actions(
        &mut self,
        refused: &[Refused],
        records: &mut [Record],
    ) -> Vec<String> {
        let mut notes = Vec::new();
        for Refused { action, reason } in refused {
            for record in records.iter_mut() {
                let its = record.actions.iter_mut().find(|it| *it == action);
                let (Some(its), Ok(kind)) = (its, self.kind(&action.kind)) else {
                    continue;
                };
                its.omitted = Some(reason.clone());
                notes.push(not_done(record.network.name(), &kind.words(action), reason));
            }
        }
        notes
    }

    /// Recorded actions of these networks that are not in effect.
    pub(super) fn compare_actions<'r>(
        &mut self,
        records: impl IntoIterator<Item = &'r Record>,
    ) -> Result<Vec<Discrepancy>, EngineError> {
        let mut found = Vec::new();
        for record in records {
            for action in record.actions.iter().filter(|it| it.omitted.is_none()) {
                let differs = |object, kind, detail| Discrepancy {
                    network: Some(record.network.name().clone()),
                    object,
                    kind,
                    detail,
                };
                let Ok(kind) = self.kind(&action.kind) else {
                    found.push(differs(
                        format!("{} of {}", action.kind, action.bridge),
                        DiscrepancyKind::Unreadable,
                        "this build does not know this kind of action".to_owned(),
                    ));
                    continue;
                };
                if kind.effect(action)? == Effect::Missing {
                    found.push(differs(
                        kind.words(action),
                        DiscrepancyKind::Missing,
                        format!("not in effect: {}", kind.line(action)),
                    ));
                }
            }
        }
        Ok(found)
    }

    fn kind(&mut self, id: &HostActionId) -> Result<&mut dyn HostActionKind, EngineError> {
        let mut kinds = self.host_actions.iter_mut();
        match kinds.find(|kind| kind.id() == *id) {
            Some(kind) => Ok(&mut **kind),
            None => Err(EngineError::LostHostAction(id.clone())),
        }
    }
}

fn with_hint(error: &impl Hint) -> String {
    match error.hint().as_ref() {
        "" => error.to_string(),
        hint => format!("{error} ({hint})"),
    }
}

fn not_done(network: &Name, words: &str, reason: &str) -> String {
    format!("network `{network}`: not in effect: {words}: {reason}")
}
