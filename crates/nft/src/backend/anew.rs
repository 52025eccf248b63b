//! Tables that are rebuilt: those in which something is installed otherwise than recorded.

use std::collections::{BTreeSet, HashSet};

use palisade_core::backend::{Change, Discrepancy, DiscrepancyKind, Plan};
use palisade_core::network::Name;

use super::area::{Area, areas};
use super::observed::Observed;
use super::plan::{check_mark, note_restored, step};
use super::rebuild::Rebuild;
use super::verify::{self, Whole};
use super::{Nftables, PlanError, Planned};
use crate::batch::Batch;
use crate::dump::Depth;
use crate::layout;

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
        for (area, whole) in &areas {
            let table = whole.as_ref().map(|whole| &whole.program.table);
            match table.map_or(Ok(()), check_mark) {
                Err(PlanError::OtherVersion { found, .. }) if found < layout::VERSION => {}
                checked => checked?,
            }
            let found = verify::compare(area, &records, whole.clone()).about(&restored);
            if found.all.is_empty() {
                continue;
            }
            plan.notes.extend(found.all.iter().filter_map(removal));
            broken.extend(found.broken);
            let observed = whole.as_ref().map(|w| Observed::new(w.program.clone()));
            rebuilds.push((area, Rebuild::of(area, observed.as_ref())));
        }
        let mut batch = Batch::new(Some(generation));
        let mut is_marked = false;
        let mut rebuilt = HashSet::new();
        for (area, rebuild) in rebuilds {
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
        plan.generation = Some(u64::from(generation));
        plan.broken = Some(broken);
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
