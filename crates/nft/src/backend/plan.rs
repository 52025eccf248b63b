//! From a change to one batch, after a look at what it concerns.

use palisade_core::backend::{Change, Plan, Step};

use super::area::{Area, areas};
use super::difference::{Difference, Trust, between};
use super::item::Wanted;
use super::marker::Marker;
use super::observed::Observed;
use super::{Nftables, PlanError, Planned, lines, verify};
use crate::batch::Batch;
use crate::dump::{Depth, DumpError, Reader};
use crate::{layout, object};

impl Nftables {
    pub(super) fn prepare(&mut self, change: &Change<'_>) -> Result<Plan, PlanError> {
        let areas = areas(change)?;
        let trust = match change.left_at {
            Some(_) => Trust::Records,
            None => Trust::Kernel,
        };
        let left_at = change
            .left_at
            .and_then(|left_at| u32::try_from(left_at).ok());
        let is_settled = !change.in_words && areas.iter().all(Area::has_settled);
        let (differences, generation) = match left_at {
            Some(left_at) if is_settled => {
                let settled = |area| Ok(Difference::settled(area));
                (areas.iter().map(settled).collect(), left_at)
            }
            _ => self.reader().at_one_moment(|reader| {
                let look = |area| look(reader, area, trust, change);
                areas.iter().map(look).collect::<Result<Vec<_>, _>>()
            })?,
        };
        let differences: Vec<Difference<'_>> = differences.into_iter().collect::<Result<_, _>>()?;

        let mut batch = Batch::new(Some(generation));
        let rounds = [
            Difference::delete_items,
            Difference::delete_skeleton,
            Difference::add_skeleton,
            Difference::add_items,
        ];
        for round in rounds {
            for (area, difference) in areas.iter().zip(&differences) {
                round(difference, area, &mut batch);
            }
        }
        let mut is_marked = false;
        if !batch.is_empty() {
            // One marker will do; but every table has a place for it.
            let mut remaining = areas.iter().zip(&differences).filter(|(_, d)| d.remains());
            if let Some((area, difference)) = remaining.next() {
                let marker = Marker::of(change, &differences);
                difference.mark(&mut self.reader(), area, marker, &mut batch)?;
                is_marked = true;
            }
            for (area, difference) in remaining {
                difference.make_place_for_mark(area, &mut batch);
            }
        }
        self.planned = Some(Planned {
            generation,
            is_marked,
        });
        let mut plan = Plan {
            added: vec![Vec::new(); change.add.len()],
            restored: vec![None; change.restore.len()],
            generation: Some(u64::from(generation)),
            ..Plan::default()
        };
        if !batch.is_empty() {
            plan.steps.push(step(batch));
        }
        let mended: Vec<usize> = differences
            .iter()
            .flat_map(|d| &d.mended)
            .copied()
            .collect();
        let items = areas.iter().flat_map(|area| &area.restored);
        note_restored(&mut plan, mended, items);
        for difference in differences {
            plan.notes.extend(difference.notes);
            plan.lines.extend(difference.lines);
        }
        for (network, wanted) in areas.into_iter().flat_map(|area| area.added) {
            plan.added[network].push(wanted.installed);
        }
        Ok(plan)
    }
}

/// What to do in an area, after looking at the kernel. The outer error is of reading.
fn look<'a>(
    reader: &mut Reader<'_>,
    area: &'a Area<'_>,
    trust: Trust,
    change: &Change<'_>,
) -> Result<Result<Difference<'a>, PlanError>, DumpError> {
    let between = |observed: Option<&mut Observed>| {
        let mut observed = observed;
        let mut difference = between(area, observed.as_deref_mut(), trust);
        if change.in_words {
            difference.lines = lines::of(area, &difference, observed.as_deref());
        }
        difference
    };
    let family = object::Family::from(area.family);
    let skeletons = area.skeletons();
    let depth = match trust {
        Trust::Records if !skeletons.is_empty() => Depth::Outline,
        // What others may have put there must be known before the table goes.
        _ => Depth::Elements,
    };
    let Some(program) = reader.program(family, area.table.as_str(), depth)? else {
        return Ok(Ok(between(None)));
    };
    if let Err(error) = check_mark(&program.table) {
        return Ok(Err(error));
    }
    let comes = !(area.added.is_empty() && area.restored.is_empty());
    if comes && verify::is_dormant(&program.table) {
        return Ok(Err(PlanError::Dormant {
            family,
            table: area.table.to_string(),
        }));
    }
    let mut observed = Observed::new(program);
    if depth == Depth::Outline {
        // The same for sets that nobody needs any more.
        let needed = |name: &str| {
            let mut sets = skeletons.iter().flat_map(|(_, skeleton)| &skeleton.sets);
            sets.any(|set| set.name == name)
        };
        let names = observed
            .program
            .sets
            .iter()
            .map(|filled| filled.set.name.clone());
        let surplus: Vec<String> = names.filter(|name| !needed(name)).collect();
        for set in surplus {
            let elements = reader.elements(family, area.table.as_str(), &set)?;
            observed.learn(&set, elements);
        }
    }
    if skeletons.is_empty() {
        observed.learn_of_strangers(reader.strangers(family, area.table.as_str())?);
    }
    Ok(Ok(between(Some(&mut observed))))
}

/// A table with our mark is of this build.
pub(super) fn check_mark(table: &object::Table) -> Result<(), PlanError> {
    let (family, name) = (table.family, table.name.clone());
    match layout::version(table) {
        Some(layout::VERSION) => Ok(()),
        Some(found) => Err(PlanError::OtherVersion {
            family,
            table: name,
            found,
        }),
        None => Err(PlanError::NotOurs {
            family,
            table: name,
        }),
    }
}

/// A batch is all or nothing: there is never a part to take back.
pub(super) fn step(batch: Batch) -> Step {
    Step {
        what: "one batch of nf_tables".to_owned(),
        payload: batch.finish(),
        undo: Vec::new(),
    }
}

/// What will stand for each network that is mended. One pass over the items of all: if each network
/// looked for its own, it would be quadratic.
pub(super) fn note_restored<'w>(
    plan: &mut Plan,
    mended: impl IntoIterator<Item = usize>,
    items: impl Iterator<Item = &'w (usize, Wanted)>,
) {
    for network in mended {
        if let Some(restored) = plan.restored.get_mut(network) {
            restored.get_or_insert_default();
        }
    }
    for (network, wanted) in items {
        if let Some(Some(restored)) = plan.restored.get_mut(*network) {
            restored.push(wanted.installed.clone());
        }
    }
}
