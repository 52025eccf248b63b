//! The nftables backend: what the engine asks for, done in one batch.
//!
//! A plan looks at the kernel in one generation and is refused by the kernel in any other. Rules
//! are found by handle and tag together; elements by their keys.

mod alike;
mod area;
mod error;
mod features;
mod installed;
mod item;
mod known;
mod lacks;
mod landed;
mod leftovers;
mod marker;
mod members;
mod notes;
mod observed;
mod operation;
mod place;
mod plan;
mod probe;
mod settings;
mod spared;
mod standing;
mod surplus;
mod table_plan;
mod unrecorded;
mod verify;
mod without_fib;
mod without_log;

use std::collections::{BTreeSet, HashSet};
use std::process;

use palisade_core::Hint;
use palisade_core::backend::{
    Addition, Backend, BackendError, BackendId, Change, Discrepancy, Done, InstalledRules,
    PlacedItem, Placement, Plan, RunError, Standing, Step,
};
use palisade_core::location::Location;
use palisade_core::network::{Family, Name, Network};
use palisade_core::rules::{Guard, Layer, Rule, rules};
use palisade_core::state::{Record, Uses};
use palisade_core::storage::Lock;
use palisade_core::unrecorded::Unrecorded;
use palisade_netlink::Transport;

use crate::batch::{CommitError, commit};
use crate::dump::{Depth, Reader};
use crate::layout::{self, Layout, TableName};
use area::recorded_areas;
use lacks::Lacks;

pub(crate) use error::PlanError;
pub use features::Feature;
pub use installed::expected;
pub use probe::ProbeError;
pub use settings::{ID, Settings, SettingsError};

/// Installs rules in nf_tables.
pub struct Nftables {
    transport: Box<dyn Transport>,
    /// One buffer for all replies.
    replies: Vec<u8>,
    /// What the last plan was.
    planned: Option<Planned>,
    /// What the kernel refused batches for.
    lacks: Lacks,
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
            lacks: Lacks::default(),
        }
    }

    /// Reads from the kernel, by this backend's socket.
    pub fn reader(&mut self) -> Reader<'_> {
        Reader::new(self.transport.as_mut(), &mut self.replies)
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
        let recorded = areas.iter().map(|area| verify::recorded(area, records));
        let recorded: Vec<_> = recorded.collect();
        let (read, _) = self.reader().at_one_moment(|reader| {
            let each = areas.iter().zip(&recorded);
            let read = each.map(|(area, recorded)| verify::look(reader, area, recorded));
            read.collect::<Result<Vec<_>, _>>()
        })?;
        let each = areas.iter().zip(&recorded).zip(read);
        let found = each.flat_map(|((area, recorded), (whole, members))| {
            verify::compared(area, whole, recorded, &members).all
        });
        Ok(found.collect())
    }
}

impl Backend for Nftables {
    fn id(&self) -> BackendId {
        ID
    }

    fn rules(&self, network: &Network, placement: &Placement) -> Vec<Rule> {
        let guard = Settings::try_from(placement)
            .map_or(Guard::Libvirt, |settings| settings.layout.guard());
        rules(network, guard)
    }

    fn location(&self, placement: &Placement) -> Option<Location> {
        let settings = Settings::try_from(placement).ok()?;
        Some(Location::OwnTable(settings.table.to_string()))
    }

    fn omission(&self, record: &Record, rule: &Rule) -> Option<&'static str> {
        layout::omission(rule.kind)
            .or_else(|| without_log::omission(record, rule))
            .or_else(|| without_fib::omission(record, rule))
    }

    /// A rule that is put back stands between those of other networks, and so do those of a network that
    /// changes and keeps its rank, where rules have an order.
    fn looks_at_kept(&self, change: &Change<'_>) -> bool {
        let is_flat = |placement| {
            let settings = Settings::try_from(placement);
            settings.is_ok_and(|settings| settings.layout == Layout::Flat)
        };
        let keeps_rank = |coming: &Addition<'_>| {
            let mut going = change.remove.iter();
            going
                .any(|old| old.network.name() == coming.network.name() && old.order == coming.order)
        };
        let mut coming = change.add.iter();
        !change.restore.is_empty()
            || coming.any(|coming| is_flat(coming.placement) && keeps_rank(coming))
    }

    fn generation(&mut self) -> Result<Option<u64>, BackendError> {
        let generation = self.reader().generation();
        generation
            .map(|generation| Some(u64::from(generation)))
            .map_err(failed)
    }

    fn plan(&mut self, change: &Change<'_>) -> Result<Plan, BackendError> {
        let lacks = self.lacks;
        let prepared = plan::prepare(&mut self.reader(), change, lacks).map_err(failed)?;
        self.planned = Some(Planned {
            generation: prepared.generation,
            is_marked: prepared.is_marked,
        });
        Ok(prepared.plan)
    }

    fn has_landed(&mut self, step: &Step) -> Result<bool, BackendError> {
        let read = self
            .reader()
            .at_one_moment(|reader| landed::has_landed(reader, &step.payload));
        read.map(|(landed, _)| landed).map_err(failed)
    }

    fn verify(
        &mut self,
        records: &[&Record],
        asked: &[&Record],
    ) -> Result<Vec<Discrepancy>, BackendError> {
        self.compare(records, asked).map_err(failed)
    }

    fn unclaimed(
        &mut self,
        records: &[&Record],
        recorded: &HashSet<&Name>,
    ) -> Result<Vec<Discrepancy>, BackendError> {
        let mut reader = self.reader();
        let read =
            reader.at_one_moment(|reader| unrecorded::differences(reader, records, recorded));
        read.map(|(found, _)| found).map_err(failed)
    }

    fn unrecorded(&mut self, records: &[&Record]) -> Result<Vec<Unrecorded>, BackendError> {
        let mut reader = self.reader();
        let read = reader.at_one_moment(|reader| unrecorded::networks(reader, records));
        read.map(|(found, _)| found).map_err(failed)
    }

    fn items(&self, network: &Network, placement: &Placement) -> Vec<PlacedItem> {
        let settings = Settings::try_from(placement);
        settings.map_or_else(
            |_| Vec::new(),
            |settings| unrecorded::items(network, &settings),
        )
    }

    fn run(&mut self, payload: &[u8], _lock: &Lock) -> Result<Done, RunError> {
        let planned = self.planned.take();
        match commit(self.transport.as_mut(), payload, &mut self.replies) {
            Ok(()) => Ok(Done {
                // Nobody else came between: the kernel would have refused the batch.
                generation: planned.map(|planned| u64::from(after(planned.generation))),
                process: planned
                    .is_none_or(|planned| !planned.is_marked)
                    .then(process::id),
            }),
            Err(CommitError::Stale) => Err(RunError::Stale),
            // Nothing happened. The next plan does without.
            Err(CommitError::Refused(refusals)) if self.lacks.learn(&refusals) => {
                Err(RunError::Stale)
            }
            Err(error) => {
                // It may have been refused for another reason: the next change tries to log again.
                self.lacks.log = false;
                let known = error.is_known_to_fail();
                Err(if known {
                    RunError::Failed(failed(error))
                } else {
                    RunError::Unknown(failed(error))
                })
            }
        }
    }

    fn standing(&mut self, records: &[&Record]) -> Result<Vec<Vec<Standing>>, BackendError> {
        let mut reader = self.reader();
        let read = reader.at_one_moment(|reader| standing::of(reader, records));
        read.map(|(standing, _)| standing).map_err(failed)
    }

    fn installed(
        &mut self,
        placement: &Placement,
        family: Family,
    ) -> Result<InstalledRules, BackendError> {
        installed::installed(self.reader(), placement, family).map_err(failed)
    }

    fn listing(&mut self, placements: &[&Placement]) -> Result<String, BackendError> {
        let settings = placements
            .iter()
            .filter_map(|&p| Settings::try_from(p).ok());
        let tables: BTreeSet<TableName> = settings.map(|settings| settings.table).collect();
        let read = self.reader().at_one_moment(|reader| {
            let mut text = String::new();
            for family in Layout::LAYERS.map(Layer::family) {
                for table in &tables {
                    let program = reader.program(family.into(), table.as_str(), Depth::Elements)?;
                    text.extend(program.map(|program| program.to_string()));
                }
            }
            Ok(text)
        });
        read.map(|(text, _)| text).map_err(failed)
    }
}

/// The kernel counts generations so (`nf_tables_commit`): 0 is none.
fn after(generation: u32) -> u32 {
    match generation.wrapping_add(1) {
        0 => 1,
        next => next,
    }
}

fn failed(error: impl Hint + Send + Sync + 'static) -> BackendError {
    BackendError::new(ID, error)
}

#[cfg(test)]
mod tests;
