//! Tables that are made anew: those in which something stands otherwise than it is recorded, and
//! those of an older build.

use std::collections::{BTreeSet, HashSet};

use palisade_core::backend::{Change, Discrepancy, DiscrepancyKind, Foreign, Installed, Plan};
use palisade_core::network::Name;
use palisade_core::state::Record;

use super::area::{Area, areas};
use super::observed::{self, Observed};
use super::plan::{check_mark, note_restored, step};
use super::rebuild::Rebuild;
use super::verify::{self, Whole};
use super::{Nftables, Occupied, PlanError, Planned};
use crate::batch::Batch;
use crate::dump::Depth;
use crate::{layout, object};

/// An area, and its table as it stands.
type Seen<'a> = (Area<'a>, Option<Whole>);

impl Nftables {
    /// Makes anew each table in which something stands otherwise than it is recorded.
    pub(super) fn prepare_rebuild(&mut self, change: &Change<'_>) -> Result<Plan, PlanError> {
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
        for (area, whole) in &areas {
            let is_old = match whole {
                Some(whole) => is_old(&whole.program.table)?,
                None => false,
            };
            let mut observed = whole.as_ref().map(|whole| {
                let mut observed = Observed::new(whole.program.clone());
                observed.learn_of_strangers(whole.strangers.clone());
                observed
            });
            let mut rebuild = Rebuild::of(area, observed.as_ref());
            if let (Some(observed), true) = (&mut observed, is_old) {
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
                let found = verify::compare(area, &records, whole.clone()).about(&restored);
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

    /// These areas, as they stand in one generation.
    fn look_at<'c>(&mut self, areas: Vec<Area<'c>>) -> Result<(Vec<Seen<'c>>, u32), PlanError> {
        let (programs, generation) = self.reader().at_one_moment(|reader| {
            let mut program = |area: &Area<'_>| {
                let (family, table) = (area.family.into(), area.table.as_str());
                let Some(program) = reader.program(family, table, Depth::Elements)? else {
                    return Ok(None);
                };
                let strangers = reader.strangers(family, table)?;
                Ok(Some(Whole { program, strangers }))
            };
            areas
                .iter()
                .map(&mut program)
                .collect::<Result<Vec<_>, _>>()
        })?;
        Ok((areas.into_iter().zip(programs).collect(), generation))
    }
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

/// What people are told of something foreign that goes.
fn removal(found: &Discrepancy) -> Option<String> {
    let is_foreign = matches!(
        found.kind,
        DiscrepancyKind::Foreign | DiscrepancyKind::Unreadable
    );
    let text = || {
        let what = match found.detail.as_str() {
            verify::LEFT_OVER => "no network needs any more",
            _ => "palisade did not put there",
        };
        format!("removed what {what}: {}: {}", found.object, found.detail)
    };
    is_foreign.then(text)
}
