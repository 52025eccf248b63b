//! From a change to one batch: a plan for each table that it concerns.

use std::collections::{BTreeSet, HashSet};

use palisade_core::backend::{Change, Foreign, Installed, Line, Operations, Plan, Step};
use palisade_core::network::Name;

use super::area::{Area, areas};
use super::error::PlanError;
use super::known::Known;
use super::lacks::Lacks;
use super::marker::Marker;
use super::notes::removal;
use super::observed::Observed;
use super::operation::{Operation, TableId};
use super::spared::Spared;
use super::table_plan::{ROUNDS, Replaced, TablePlan};
use super::verify::{self, Whole, is_dormant};
use super::{without_fib, without_log};
use crate::batch::Batch;
use crate::dump::{Depth, DumpError, Reader};
use crate::{layout, object};

/// A plan, and whether its batch leaves the transaction's mark.
pub(super) struct Prepared {
    pub(super) plan: Plan,
    pub(super) generation: u32,
    pub(super) is_marked: bool,
}

/// Plans a change after looking at what it concerns.
pub(super) fn prepare(
    reader: &mut Reader<'_>,
    change: &Change<'_>,
    lacks: Lacks,
) -> Result<Prepared, PlanError> {
    let areas = areas(change, lacks)?;
    let left_at = change.left_at.and_then(|at| u32::try_from(at).ok());
    let mut plan = Plan::default();
    if lacks.log {
        plan.notes.extend(without_log::note(change));
    }
    if lacks.fib {
        if let Some(refused) = without_fib::refused(change) {
            return Err(refused);
        }
        plan.notes.push(without_fib::NOTE.to_owned());
    }
    let (tables, generation) = match (change.foreign, left_at) {
        (Foreign::Remove, _) => repair(reader, change, areas, &mut plan)?,
        (Foreign::Keep, Some(left_at)) if areas.iter().all(Area::has_settled) => {
            let tables = areas.into_iter();
            let tables = tables.map(|area| TablePlan::new(area, Known::Recorded));
            (tables.collect(), left_at)
        }
        (Foreign::Keep, _) => {
            let (known, generation) = reader.at_one_moment(|reader| {
                let look = |area| look(reader, area, left_at.is_some());
                areas.iter().map(look).collect::<Result<Vec<_>, _>>()
            })?;
            let tables = areas.into_iter().zip(known);
            let tables = tables.map(|(area, known)| Ok(TablePlan::new(area, known?)));
            (tables.collect::<Result<_, PlanError>>()?, generation)
        }
    };
    finish(reader, change, (tables, generation), plan)
}

/// Plans for tables, made for one generation of the ruleset.
type Tables = (Vec<TablePlan>, u32);

/// From the plans for tables to one batch.
fn finish(
    reader: &mut Reader<'_>,
    change: &Change<'_>,
    (tables, generation): Tables,
    mut plan: Plan,
) -> Result<Prepared, PlanError> {
    let mut batch = Batch::new(Some(generation));
    for round in 0..ROUNDS {
        for table in &tables {
            let operations = table.rounds[round].iter();
            operations.for_each(|operation| operation.send(&table.id, &mut batch));
        }
    }
    let mut is_marked = false;
    if !batch.is_empty() {
        // One marker will do; but every table has a place for it.
        let mut remaining = tables.iter().filter(|table| table.remains);
        if let Some(table) = remaining.next() {
            let marker = Marker::of(change, &tables);
            marker.leave(reader, table, &mut batch)?;
            is_marked = true;
        }
        for table in remaining {
            Marker::make_place(table, &mut batch);
        }
        plan.steps.push(step(batch));
    }
    plan.generation = Some(u64::from(generation));
    note_installed(&mut plan, change, tables);
    Ok(Prepared {
        plan,
        generation,
        is_marked,
    })
}

/// Notes what is installed afterwards. One pass over the items of all networks: if each network looked
/// for its own, it would be quadratic.
fn note_installed(plan: &mut Plan, change: &Change<'_>, tables: Vec<TablePlan>) {
    plan.added = vec![Vec::new(); change.add.len()];
    plan.restored = vec![None; change.restore.len()];
    for &network in tables.iter().flat_map(|table| &table.restored) {
        plan.restored[network].get_or_insert_default();
    }
    for table in tables {
        let [added, restored] = table.installed;
        for (network, installed) in added {
            plan.added[network].push(installed);
        }
        for (network, installed) in restored {
            if let Some(all) = &mut plan.restored[network] {
                all.push(installed);
            }
        }
        plan.notes.extend(table.notes);
        plan.operations.push(Box::new(Sent {
            table: table.id,
            rounds: table.rounds,
        }));
    }
}

/// The operations on a table that are sent.
#[derive(Debug)]
struct Sent {
    table: TableId,
    rounds: [Vec<Operation>; ROUNDS],
}

impl Operations for Sent {
    /// In the order in which they are sent, but for rules that are added: those are sent from the bottom
    /// up, and printed as packets meet them.
    fn lines(&self) -> Vec<Line> {
        let (items, before) = self
            .rounds
            .split_last()
            .map_or((&[][..], &[][..]), |(i, b)| (i, b));
        let (rules, others): (Vec<_>, Vec<_>) = items
            .iter()
            .partition(|operation| matches!(operation, Operation::AddRule(..)));
        let operations = before.iter().flatten().chain(rules.into_iter().rev());
        let mut lines = Vec::new();
        for operation in operations.chain(others) {
            operation.print(&self.table, &mut lines);
        }
        lines
    }
}

/// What is known of a table, after looking at the kernel. The outer error is of reading.
fn look(
    reader: &mut Reader<'_>,
    area: &Area<'_>,
    is_untouched: bool,
) -> Result<Result<Known, PlanError>, DumpError> {
    let family = object::Family::from(area.family);
    let skeletons = area.skeletons();
    // What others may have put there must be known before the table is deleted.
    let depth = match is_untouched && !skeletons.is_empty() {
        true => Depth::Outline,
        false => Depth::Elements,
    };
    let Some(program) = reader.program(family, area.table.as_str(), depth)? else {
        return Ok(Ok(Known::Absent));
    };
    if let Err(error) = check_mark(&program.table) {
        return Ok(Err(error));
    }
    let comes = !(area.added.is_empty() && area.restored.is_empty());
    if comes && is_dormant(&program.table) {
        return Ok(Err(PlanError::Dormant {
            family,
            table: area.table.to_string(),
        }));
    }
    let mut observed = Observed::new(program);
    if depth == Depth::Elements {
        if skeletons.is_empty() {
            observed.learn_of_strangers(reader.strangers(family, area.table.as_str())?);
        }
        return Ok(Ok(Known::Whole(observed)));
    }
    // The same for sets that no network needs any more.
    let needed = |name: &str| {
        let mut sets = skeletons.iter().flat_map(|(_, skeleton)| &skeleton.sets);
        sets.any(|set| set.name == name)
    };
    let sets = observed.program.sets.iter();
    let names = sets.map(|filled| filled.set.name.clone());
    let surplus: Vec<String> = names.filter(|name| !needed(name)).collect();
    for set in surplus {
        let elements = reader.elements(family, area.table.as_str(), &set)?;
        observed.learn(&set, elements);
    }
    Ok(Ok(Known::Outline(observed)))
}

/// Replaces each table in which something is installed otherwise than recorded.
fn repair(
    reader: &mut Reader<'_>,
    change: &Change<'_>,
    areas: Vec<Area<'_>>,
    plan: &mut Plan,
) -> Result<Tables, PlanError> {
    let (tables, generation) = reader.at_one_moment(|reader| {
        let mut whole = |area: &Area<'_>| {
            let (family, table) = (area.family.into(), area.table.as_str());
            let Some(program) = reader.program(family, table, Depth::Elements)? else {
                return Ok(None);
            };
            let strangers = reader.strangers(family, table)?;
            Ok(Some(Whole { program, strangers }))
        };
        areas.iter().map(&mut whole).collect::<Result<Vec<_>, _>>()
    })?;
    let records = [&change.keep[..], &change.restore[..]].concat();
    let restored = change.restore.iter().map(|record| record.network.name());
    let restored: HashSet<&Name> = restored.collect();
    let recorded = change.restore.iter().flat_map(|record| &record.installed);
    let recorded: HashSet<&Installed> = recorded.collect();
    let mut broken: BTreeSet<Name> = BTreeSet::new();
    let mut plans = Vec::with_capacity(areas.len());
    for (area, whole) in areas.into_iter().zip(tables) {
        let table = whole.as_ref().map(|whole| &whole.program.table);
        let administrator = whole.as_ref().map(Whole::administrator).unwrap_or_default();
        match table.map_or(Ok(()), check_mark) {
            Err(PlanError::OtherVersion { found, .. }) if found < layout::VERSION => {
                if !administrator.is_empty() {
                    return Err(PlanError::OfAdministrator {
                        family: area.family.into(),
                        table: area.table.to_string(),
                        found,
                    });
                }
            }
            checked => checked?,
        }
        let found = verify::compare(&area, &records, whole.clone()).about(&restored);
        // An earlier build recorded nothing that this one could read.
        let unrecorded = area.restored.iter();
        let unrecorded = unrecorded.filter(|(_, wanted)| !recorded.contains(&wanted.installed));
        let unrecorded: BTreeSet<usize> = unrecorded.map(|&(network, _)| network).collect();
        if found.all.is_empty() && unrecorded.is_empty() {
            plans.push(TablePlan::unchanged(area));
            continue;
        }
        plan.notes.extend(found.all.iter().filter_map(removal));
        let is_repaired = |name: &Name| restored.contains(name);
        broken.extend(found.broken.into_iter().filter(is_repaired));
        let unrecorded = unrecorded.into_iter().map(|i| change.restore[i]);
        broken.extend(unrecorded.map(|record| record.network.name().clone()));
        let installed = whole.map(|whole| Replaced {
            observed: Observed::new(whole.program),
            administrator,
        });
        let spared = Spared::of(&area, &change.keep);
        plans.push(TablePlan::replacing(area, installed.as_ref(), &spared));
    }
    plan.broken = Some(broken);
    Ok((plans, generation))
}

/// A table with our mark is of this build.
fn check_mark(table: &object::Table) -> Result<(), PlanError> {
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

/// A batch is all or nothing: there is never a part to roll back.
fn step(batch: Batch) -> Step {
    Step {
        what: "one batch of nf_tables".to_owned(),
        payload: batch.finish(),
        undo: Vec::new(),
    }
}
