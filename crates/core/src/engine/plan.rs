//! From a difference to what each backend shall do.

use std::collections::HashSet;

use super::adopted::named;
use super::difference::{Added, Difference};
use super::error::EngineError;
use super::parts::{Engine, Part};
use crate::backend::{Backend, BackendId, Change, Foreign};
use crate::installed::Installed;
use crate::network::Name;
use crate::record::Record;
use crate::rules::read_back;
use crate::state::{Running, StateError};
use crate::unrecorded::Unrecorded;

impl Engine<'_> {
    /// What each backend shall do for a difference; nothing is done yet.
    pub(super) fn plan<'d>(
        &mut self,
        running: &'d Running<'_>,
        difference: &Difference<'d>,
        transaction: &str,
    ) -> Result<Vec<Part<'d>>, EngineError> {
        for Added { desired, .. } in &difference.add {
            let backend = &desired.placement.backend;
            if !self.backends.iter().any(|known| known.id() == *backend) {
                return Err(EngineError::NoSuchBackend {
                    network: desired.network.name().clone(),
                    backend: backend.clone(),
                });
            }
        }
        let mut parts = Vec::new();
        for (backend, implementation) in self.backends.iter_mut().enumerate() {
            let id = implementation.id();
            // A backend that nobody wants anything of is not asked anything.
            if !difference.concerns(&id) {
                continue;
            }
            let now = implementation.generation()?;
            let recorded = running.generation(&id);
            let left_at = now.filter(|&now| Some(now) == recorded);
            let mut change = difference.change(&id, left_at, transaction)?;
            if change.is_empty() {
                continue;
            }
            change.kept = running.uses(&id);
            // Those that come back are not among those that run.
            let runs =
                |record: &&&Record| !difference.back.iter().any(|b| std::ptr::eq(*b, **record));
            for record in change
                .remove
                .iter()
                .chain(change.restore.iter().filter(runs))
            {
                change.kept.take_all(&record.installed);
            }
            if implementation.looks_at_kept(&change) {
                change.keep = kept(running, &change, &id)?;
            }
            let unrecorded = match change.foreign {
                Foreign::Keep => Vec::new(),
                Foreign::Remove => unrecorded_beside(&mut **implementation, running, &change)?,
            };
            if !unrecorded.is_empty() {
                change.foreign = Foreign::Keep;
            }
            let mut plan = implementation.plan(&change)?;
            if !unrecorded.is_empty() {
                plan.notes.push(stays(&unrecorded));
            }
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
}

/// The networks that no record names and that have rules where networks are looked at: what is foreign
/// there may protect them.
fn unrecorded_beside(
    backend: &mut dyn Backend,
    running: &Running<'_>,
    change: &Change<'_>,
) -> Result<Vec<Name>, EngineError> {
    let mut places = Vec::new();
    for record in &change.restore {
        let place = backend.location(&record.placement);
        if !places.contains(&place) {
            places.push(place);
        }
    }
    let recorded: HashSet<&Name> = running.names().into_iter().collect();
    let mut records = running.all()?;
    records.retain(|record| record.placement.backend == backend.id());
    // An element that is recorded is its network's, whatever its comment says.
    let mut found = backend.unrecorded(&records)?;
    found.retain(|it| {
        !recorded.contains(&it.network)
            && places.contains(&backend.location(&it.placement))
            && is_mostly_installed(backend, it)
    });
    let mut names: Vec<Name> = found.into_iter().map(|it| it.network).collect();
    names.sort();
    names.dedup();
    Ok(names)
}

/// Whether more is installed of a network than is missing: a rule or an element of another program does not make a
/// network of the name in its comment.
fn is_mostly_installed(backend: &dyn Backend, found: &Unrecorded) -> bool {
    let installed: HashSet<&Installed> = found.installed.iter().collect();
    let mut networks = read_back(&found.network, &found.rules).into_iter();
    networks.any(|network| {
        let placement = found.placement.clone();
        let placement = placement.with_established(network.established());
        let items = backend.items(&network, &placement);
        let present = items.iter().filter(|it| installed.contains(&it.installed));
        present.count() * 2 > items.len()
    })
}

fn stays(unrecorded: &[Name]) -> String {
    let unrecorded: Vec<&Name> = unrecorded.iter().collect();
    format!(
        "foreign rules stay beside those of {}, which no record names: adopt or apply first, then \
         repair again",
        named(&unrecorded)
    )
}

/// The records of a backend's networks that a change leaves alone.
fn kept<'r>(
    running: &'r Running<'_>,
    change: &Change<'_>,
    backend: &BackendId,
) -> Result<Vec<&'r Record>, StateError> {
    let touched: HashSet<&Name> = [&change.remove[..], &change.restore[..]]
        .concat()
        .into_iter()
        .map(|record| record.network.name())
        .collect();
    let mut kept = running.all()?;
    kept.retain(|record| {
        record.placement.backend == *backend && !touched.contains(record.network.name())
    });
    Ok(kept)
}
