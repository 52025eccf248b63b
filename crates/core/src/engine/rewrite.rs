//! The records that a change replaces, and those that it makes.

use std::collections::HashMap;

use jiff::Timestamp;

use super::difference::Coming;
use super::{Difference, Part};
use crate::backend::Installed;
use crate::network::Name;
use crate::state::Record;

/// The records that are replaced or go.
pub(super) fn before<'a>(difference: &Difference<'a>, parts: &[Part<'a>]) -> Vec<&'a Record> {
    let replaced = difference.add.iter().filter_map(|coming| coming.replaced);
    let removed = difference.remove.iter().copied();
    removed
        .chain(replaced)
        .chain(restored(parts).map(|(old, _)| old))
        .collect()
}

/// The records that come.
pub(super) fn after(difference: &Difference<'_>, parts: &[Part<'_>]) -> Vec<Record> {
    let mut installed: HashMap<&Name, &Vec<Installed>> = HashMap::new();
    for Part { change, plan, .. } in parts {
        let added = change.add.iter().map(|addition| addition.network.name());
        installed.extend(added.zip(&plan.added));
    }
    let restored = restored(parts).map(|(old, installed)| Record {
        installed: installed.clone(),
        ..old.clone()
    });
    let now = Timestamp::now();
    let added = difference.add.iter().map(|&coming| {
        let Coming {
            wish, order, since, ..
        } = coming;
        let name = wish.network.name();
        Record {
            network: wish.network.clone(),
            placement: wish.placement.clone(),
            why: wish.why.clone(),
            since: since.unwrap_or(now),
            order,
            installed: installed.get(name).copied().cloned().unwrap_or_default(),
        }
    });
    restored.chain(added).collect()
}

/// The networks of which something was put back, with what stands for them now.
fn restored<'p, 'a>(
    parts: &'p [Part<'a>],
) -> impl Iterator<Item = (&'a Record, &'p Vec<Installed>)> {
    parts.iter().flat_map(|Part { change, plan, .. }| {
        let each = change.restore.iter().zip(&plan.restored);
        each.filter_map(|(&old, installed)| Some((old, installed.as_ref()?)))
    })
}
