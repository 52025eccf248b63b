//! The nftables backend: what the engine asks for, done in one batch.
//!
//! A plan looks at the kernel in one generation and is refused by the kernel in any other. Rules
//! are found by handle and tag together; elements by their keys.

mod area;
mod difference;
mod error;
mod features;
mod item;
mod landed;
mod lines;
mod marker;
mod members;
mod observed;
mod place;
mod probe;
mod rebuild;
mod settings;
mod standing;
mod verify;

use std::collections::{BTreeSet, HashSet};
use std::process;

use palisade_core::backend::{
    Backend, BackendError, Change, Discrepancy, DiscrepancyKind, Done, Foreign, Installed,
    Placement, Plan, RunError, Standing, Step,
};
use palisade_core::network::Name;
use palisade_core::rules::Rule;
use palisade_core::state::{Record, Uses};
use palisade_core::storage::Lock;

use crate::batch::{Batch, CommitError, commit};
use crate::dump::{Depth, DumpError, Reader};
use crate::layout::{self, TableName};
use crate::object;
use crate::program::Program;
use crate::transport::Transport;
use area::{Area, areas, recorded_areas};
use difference::{Difference, Trust, between};
use item::Wanted;
use marker::Marker;
use observed::Observed;
use rebuild::Rebuild;

pub use error::{Occupied, PlanError};
pub use features::Feature;
pub use probe::ProbeError;
pub use settings::{NAME, Settings, SettingsError};

/// An area, and its table as it stands.
type Seen<'a> = (Area<'a>, Option<Program>);

/// Installs rules in nf_tables.
pub struct Nftables {
    transport: Box<dyn Transport>,
    /// One buffer for all replies.
    replies: Vec<u8>,
    /// What the last plan was.
    planned: Option<Planned>,
    /// Tables of an older build that cannot be made anew.
    occupied: Vec<Occupied>,
}

/// A plan whose batch was not sent yet.
#[derive(Debug, Clone, Copy)]
struct Planned {
    /// The generation for which it was made.
    generation: u32,
    /// Whether its batch leaves the transaction's mark.
    is_marked: bool,
}

impl Nftables {
    /// Talks to the kernel by `transport`.
    #[must_use]
    pub fn new(transport: Box<dyn Transport>) -> Self {
        Self {
            transport,
            replies: Vec::new(),
            planned: None,
            occupied: Vec::new(),
        }
    }

    /// Reads from the kernel, by this backend's socket.
    pub fn reader(&mut self) -> Reader<'_> {
        Reader::new(self.transport.as_mut(), &mut self.replies)
    }

    fn prepare(&mut self, change: &Change<'_>) -> Result<Plan, PlanError> {
        let areas = areas(change)?;
        if let Some(occupied) = areas.iter().find_map(|area| self.occupant(area)) {
            return Err(occupied.clone().into());
        }
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
                difference.mark(area, marker, &mut batch);
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
            generation: self.remembered(generation),
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

impl Nftables {
    /// What keeps an area's table as an older build made it.
    fn occupant(&self, area: &Area<'_>) -> Option<&Occupied> {
        let mut occupied = self.occupied.iter();
        occupied.find(|occupied| occupied.table == area.table.as_str())
    }

    /// A generation, as it is remembered: not while something is to be made anew.
    fn remembered(&self, generation: u32) -> Option<u64> {
        self.occupied.is_empty().then(|| u64::from(generation))
    }

    /// These areas, as they stand in one generation.
    fn look_at<'c>(&mut self, areas: Vec<Area<'c>>) -> Result<(Vec<Seen<'c>>, u32), PlanError> {
        let (programs, generation) = self.reader().at_one_moment(|reader| {
            let mut program = |area: &Area<'_>| {
                reader.program(area.family.into(), area.table.as_str(), Depth::Elements)
            };
            areas
                .iter()
                .map(&mut program)
                .collect::<Result<Vec<_>, _>>()
        })?;
        Ok((areas.into_iter().zip(programs).collect(), generation))
    }

    /// What stands otherwise than it is recorded, in the tables of the networks `asked` for.
    fn compare(
        &mut self,
        records: &[&Record],
        asked: &[&Record],
    ) -> Result<Vec<Discrepancy>, PlanError> {
        let mut uses = Uses::default();
        uses.extend(records.iter().flat_map(|record| &record.installed));
        let mut tables = BTreeSet::new();
        // Most networks are in one place.
        let places: HashSet<&Placement> = asked.iter().map(|record| &record.placement).collect();
        for place in places {
            tables.insert(Settings::try_from(place)?.table);
        }
        let mut areas = recorded_areas(records, &uses)?;
        areas.retain(|area| tables.contains(&area.table));
        let (found, _) = self.reader().at_one_moment(|reader| {
            let look = |area| verify::look(reader, area, records);
            areas.iter().map(look).collect::<Result<Vec<_>, _>>()
        })?;
        Ok(found.into_iter().flat_map(|found| found.all).collect())
    }

    /// Makes anew each table in which something stands otherwise than it is recorded.
    fn prepare_rebuild(&mut self, change: &Change<'_>) -> Result<Plan, PlanError> {
        let (areas, generation) = self.look_at(areas(change)?)?;
        let records = [&change.keep[..], &change.restore[..]].concat();
        let restored = change.restore.iter().map(|record| record.network.name());
        let restored: HashSet<&Name> = restored.collect();
        let mut broken: BTreeSet<Name> = BTreeSet::new();
        let mut plan = Plan {
            restored: vec![None; change.restore.len()],
            ..Plan::default()
        };
        let mut rebuilds = Vec::new();
        self.occupied.retain(|occupied| {
            let mut looked_at = areas.iter().map(|(area, _)| area.table.as_str());
            looked_at.all(|table| table != occupied.table)
        });
        for (area, program) in &areas {
            let is_old = match program {
                Some(program) => is_old(&program.table)?,
                None => false,
            };
            let mut observed = program.clone().map(Observed::new);
            let mut rebuild = Rebuild::of(area, observed.as_ref());
            if let (Some(observed), true) = (&mut observed, is_old) {
                let family = area.family.into();
                if self.reader().strangers(family, area.table.as_str())? > 0 {
                    observed.learn_of_strangers();
                }
                let foreign = foreign_of(area, observed, &records);
                match change.foreign {
                    Foreign::Remove => plan.notes.extend(foreign.iter().map(|foreign| {
                        format!("removed what palisade did not put there: {}", foreign.text)
                    })),
                    Foreign::Keep | Foreign::CarryOver => {
                        if let Err(occupied) = rebuild.carry_over(observed, &foreign) {
                            log::warn!("{}: {}", PlanError::from(occupied.clone()), Occupied::HINT);
                            self.occupied.push(occupied);
                        }
                    }
                }
                let networks = area.networks.iter();
                broken.extend(networks.map(|(_, network)| network.name().clone()));
            } else if change.foreign == Foreign::Remove {
                let found = verify::compare(area, &records, program.clone()).about(&restored);
                if found.all.is_empty() {
                    continue;
                }
                plan.notes.extend(found.all.iter().filter_map(removal));
                broken.extend(found.broken);
            } else {
                continue;
            }
            rebuilds.push((area, rebuild));
        }
        let mut batch = Batch::new(Some(generation));
        let mut is_marked = false;
        let mut rebuilt = HashSet::new();
        for (area, rebuild) in rebuilds {
            // Both families stay as they are, as the records do.
            if self.occupant(area).is_some() {
                continue;
            }
            rebuild.write(area, &mut batch);
            if !is_marked && rebuild.remains() {
                let set = layout::transaction_set(&area.table, area.family);
                let marker = layout::marker(&change.transaction);
                batch.add_elements(set.family, area.table.as_str(), &set.name, [&marker]);
                is_marked = true;
            }
            rebuilt.extend(area.restored.iter().map(|&(network, _)| network));
        }
        let items = areas.iter().flat_map(|(area, _)| &area.restored);
        note_restored(&mut plan, rebuilt, items);
        plan.generation = self.remembered(generation);
        if change.foreign == Foreign::Remove {
            plan.broken = Some(broken);
        }
        self.planned = Some(Planned {
            generation,
            is_marked,
        });
        if !batch.is_empty() {
            plan.steps.push(step(batch));
        }
        Ok(plan)
    }
}

/// A batch is all or nothing: there is never a part to take back.
fn step(batch: Batch) -> Step {
    Step {
        what: "one batch of nf_tables".to_owned(),
        payload: batch.finish(),
        undo: Vec::new(),
    }
}

/// What people are told of something foreign that goes.
fn removal(found: &Discrepancy) -> Option<String> {
    let is_foreign = matches!(
        found.kind,
        DiscrepancyKind::Foreign | DiscrepancyKind::Unreadable
    );
    let text = || {
        format!(
            "removed what palisade did not put there: {}: {}",
            found.object, found.detail
        )
    };
    is_foreign.then(text)
}

/// What will stand for each network that is mended. One pass over the items of all: if each network
/// looked for its own, it would be quadratic.
fn note_restored<'w>(
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
    if skeletons.is_empty() && reader.strangers(family, area.table.as_str())? > 0 {
        observed.learn_of_strangers();
    }
    Ok(Ok(between(Some(&mut observed))))
}

/// Whether a table is of an older build, and is made anew.
fn is_old(table: &object::Table) -> Result<bool, PlanError> {
    match layout::version(table) {
        Some(version) if version < layout::VERSION => Ok(true),
        _ => check_mark(table).map(|()| false),
    }
}

/// What is in a table and was not put there by us.
fn foreign_of(
    area: &Area<'_>,
    observed: &mut Observed,
    records: &[&Record],
) -> Vec<observed::Foreign> {
    let recorded = verify::recorded(area, records);
    for (_, installed) in &recorded {
        observed.claim(installed);
    }
    let recorded: Vec<&Installed> = recorded
        .into_iter()
        .map(|(_, installed)| installed)
        .collect();
    observed.foreign(&recorded)
}

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

impl Backend for Nftables {
    fn name(&self) -> &'static str {
        NAME
    }

    fn omission(&self, _record: &Record, rule: &Rule) -> Option<&'static str> {
        layout::omission(rule.role, rule.purpose)
    }

    fn is_outdated(&mut self, uses: &Uses) -> Result<bool, BackendError> {
        let tables: BTreeSet<TableName> = uses.tables().filter_map(|t| t.parse().ok()).collect();
        for family in [object::Family::Ip, object::Family::Ip6] {
            for table in &tables {
                let found = self
                    .reader()
                    .table(family, table.as_str())
                    .map_err(of_dump)?;
                let version = found.as_ref().and_then(layout::version);
                if version.is_some_and(|version| version < layout::VERSION) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// A rule that is put back stands between those of other networks.
    fn looks_at_kept(&self, change: &Change<'_>) -> bool {
        !change.restore.is_empty()
    }

    fn generation(&mut self) -> Result<Option<u64>, BackendError> {
        let generation = self.reader().generation();
        generation
            .map(|generation| Some(u64::from(generation)))
            .map_err(of_dump)
    }

    fn plan(&mut self, change: &Change<'_>) -> Result<Plan, BackendError> {
        match change.foreign {
            Foreign::Keep => self.prepare(change),
            Foreign::CarryOver | Foreign::Remove => self.prepare_rebuild(change),
        }
        .map_err(of_plan)
    }

    fn has_landed(&mut self, step: &Step) -> Result<bool, BackendError> {
        let read = self
            .reader()
            .at_one_moment(|reader| landed::has_landed(reader, &step.payload));
        read.map(|(landed, _)| landed).map_err(of_dump)
    }

    fn verify(
        &mut self,
        records: &[&Record],
        asked: &[&Record],
    ) -> Result<Vec<Discrepancy>, BackendError> {
        self.compare(records, asked).map_err(of_plan)
    }

    fn run(&mut self, payload: &[u8], _lock: &Lock) -> Result<Done, RunError> {
        let planned = self.planned.take();
        match commit(self.transport.as_mut(), payload, &mut self.replies) {
            Ok(()) => Ok(Done {
                // Nobody else came between: the kernel would have refused the batch.
                generation: planned.and_then(|planned| self.remembered(after(planned.generation))),
                process: planned
                    .is_none_or(|planned| !planned.is_marked)
                    .then(process::id),
            }),
            Err(CommitError::Stale) => Err(RunError::Stale),
            Err(error) => {
                let (hint, known) = (error.hint(), error.is_known_to_fail());
                let error = failed(error, hint);
                Err(if known {
                    RunError::Failed(error)
                } else {
                    RunError::Unknown(error)
                })
            }
        }
    }

    fn standing(&mut self, records: &[&Record]) -> Result<Vec<Vec<Standing>>, BackendError> {
        let mut reader = self.reader();
        let read = reader.at_one_moment(|reader| standing::of(reader, records));
        read.map(|(standing, _)| standing).map_err(of_dump)
    }

    fn listing(&mut self, placements: &[&Placement]) -> Result<String, BackendError> {
        let settings = placements
            .iter()
            .filter_map(|&p| Settings::try_from(p).ok());
        let tables: BTreeSet<TableName> = settings.map(|settings| settings.table).collect();
        let read = self.reader().at_one_moment(|reader| {
            let mut text = String::new();
            for family in [object::Family::Ip, object::Family::Ip6] {
                for table in &tables {
                    let program = reader.program(family, table.as_str(), Depth::Elements)?;
                    text.extend(program.map(|program| program.to_string()));
                }
            }
            Ok(text)
        });
        read.map(|(text, _)| text).map_err(of_dump)
    }
}

/// The kernel counts generations so (`nf_tables_commit`): 0 is none.
fn after(generation: u32) -> u32 {
    match generation.wrapping_add(1) {
        0 => 1,
        next => next,
    }
}

fn of_plan(error: PlanError) -> BackendError {
    let hint = error.hint();
    failed(error, hint)
}

fn of_dump(error: DumpError) -> BackendError {
    let hint = error.hint();
    failed(error, hint)
}

fn failed(error: impl std::error::Error + Send + Sync + 'static, hint: String) -> BackendError {
    BackendError {
        backend: NAME,
        source: Box::new(error),
        hint,
    }
}

#[cfg(test)]
mod tests;
