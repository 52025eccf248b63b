//! The records that a change replaces, and those that it makes.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::difference::{Added, Difference};
use super::host::HostPlan;
use super::parts::Part;
use crate::installed::{Installed, Placement};
use crate::network::Name;
use crate::record::Record;

/// The records that are replaced or go.
pub(super) fn before<'a>(
    difference: &Difference<'a>,
    parts: &[Part<'a>],
    host: &HostPlan<'a>,
) -> Vec<&'a Record> {
    let replaced = difference.add.iter().filter_map(|coming| coming.replaced);
    let removed = difference.remove.iter().copied();
    removed
        .chain(replaced)
        .chain(mended(difference, parts).map(|(old, _)| old))
        .chain(of_host_alone(difference, parts, host))
        .collect()
}

/// The records that come. What is installed for them is taken out of the plans.
pub(super) fn after(
    difference: &Difference<'_>,
    parts: &mut [Part<'_>],
    host: &mut HostPlan<'_>,
) -> Vec<Record> {
    let mut installed: HashMap<&Name, Vec<Installed>> = HashMap::new();
    for Part { change, plan, .. } in parts.iter_mut() {
        let added = change.add.iter().map(|addition| addition.network.name());
        installed.extend(added.zip(std::mem::take(&mut plan.added)));
    }
    let restored = mended(difference, parts).map(|(old, installed)| Record {
        installed: installed.clone(),
        ..old.clone()
    });
    // Those that run again as they did are recorded so, whatever of them stood still.
    let installed_again: HashMap<&Name, &Vec<Installed>> = restored_in(parts)
        .map(|(old, installed)| (old.network.name(), installed))
        .collect();
    let back = difference.back.iter().map(|&then| {
        let installed = installed_again.get(then.network.name());
        Record {
            installed: installed
                .map_or(&then.installed, |installed| installed)
                .clone(),
            ..then.clone()
        }
    });
    let now = Timestamp::now();
    let added = difference.add.iter().map(|&coming| {
        let Added {
            desired,
            order,
            since,
            replaced,
        } = coming;
        let name = desired.network.name();
        let stays = replaced.filter(|old| old.placement == *desired.placement);
        Record {
            network: desired.network.clone(),
            owner: desired.owner.clone(),
            placement: Placement::clone(&desired.placement),
            why: stays.map_or_else(|| desired.why.to_string(), |old| old.why.clone()),
            since: since.unwrap_or(now),
            order,
            installed: installed.remove(name).unwrap_or_default(),
            actions: Vec::new(),
        }
    });
    let of_host = of_host_alone(difference, parts, host).into_iter().cloned();
    let mut after: Vec<Record> = restored.chain(of_host).chain(back).chain(added).collect();
    for record in &mut after {
        if let Some(actions) = host.take(record.network.name()) {
            record.actions = actions;
        }
    }
    after
}

/// The networks that stay of which only the actions on the host change.
fn of_host_alone<'a>(
    difference: &Difference<'a>,
    parts: &[Part<'a>],
    host: &HostPlan<'a>,
) -> Vec<&'a Record> {
    let mended: HashSet<&Name> = mended(difference, parts)
        .map(|(record, _)| record.network.name())
        .collect();
    let rewritten = host.rewritten();
    rewritten
        .filter(|record| !mended.contains(record.network.name()))
        .collect()
}

/// The networks that stay of which something was put back, with what stands for them now.
fn mended<'p, 'a>(
    difference: &'p Difference<'a>,
    parts: &'p [Part<'a>],
) -> impl Iterator<Item = (&'a Record, &'p Vec<Installed>)> {
    let stays = |record: &Record| {
        let mut back = difference.back.iter();
        !back.any(|then| then.network.name() == record.network.name())
    };
    restored_in(parts).filter(move |(record, _)| stays(record))
}

fn restored_in<'p, 'a>(
    parts: &'p [Part<'a>],
) -> impl Iterator<Item = (&'a Record, &'p Vec<Installed>)> {
    parts.iter().flat_map(|Part { change, plan, .. }| {
        let each = change.restore.iter().zip(&plan.restored);
        each.filter_map(|(&old, installed)| Some((old, installed.as_ref()?)))
    })
}

/// The networks that go and do not come again.
pub(super) fn gone(before: &[&Record], after: &[Record]) -> Vec<Name> {
    let after: HashSet<&Name> = after.iter().map(|r| r.network.name()).collect();
    let names = before.iter().map(|record| record.network.name());
    names
        .filter(|name| !after.contains(name))
        .cloned()
        .collect()
}
