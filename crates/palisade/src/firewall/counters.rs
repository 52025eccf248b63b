//! What networks counted, and all of them at a glance.

use palisade_core::backend::Standing;
use palisade_core::engine::EngineError;
use palisade_core::network::Name;
use palisade_core::state::Record;

use super::{Firewall, ShowError};
use crate::counters::Counters;
use crate::overview::{Bridge, NetworkState, Overview, Sums, links};

impl Firewall {
    /// What these networks counted, or all if none is named, in the order in which they were
    /// started.
    ///
    /// # Errors
    /// If one of them does not run, or the kernel cannot be read.
    pub fn counters(&mut self, names: &[Name]) -> Result<Vec<Counters>, ShowError> {
        let mut records = self.running()?;
        let is_running = |name: &&Name| records.iter().any(|r| r.network.name() == *name);
        if let Some(unknown) = names.iter().find(|name| !is_running(name)) {
            return Err(ShowError::Unknown(unknown.clone()));
        }
        records.retain(|record| names.is_empty() || names.contains(record.network.name()));
        self.check_rights(EngineError::NotReadable, |record| {
            names.is_empty() || names.contains(record.network.name())
        })?;
        self.counters_of(&records)
    }

    /// What the networks of these records counted, in their order. Nothing is recovered before.
    ///
    /// # Errors
    /// If the kernel cannot be read.
    pub fn counters_of(&mut self, records: &[Record]) -> Result<Vec<Counters>, ShowError> {
        let standing = self.standing(records)?;
        let each = records.iter().zip(&standing);
        Ok(each
            .flat_map(|(record, standing)| Counters::of(&record.network, standing))
            .collect())
    }

    /// The running networks at a glance, in the order in which they were started. What cannot be
    /// seen without rights is left out.
    ///
    /// # Errors
    /// If the state directory cannot be read, or recovering fails.
    pub fn overview(&mut self) -> Result<Vec<Overview>, EngineError> {
        let records = self.running()?;
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let links = links(self.namespace.as_deref());
        let standing = self.standing(&records).inspect_err(|error| {
            log::info!("rules are not read: {error}");
        });
        let standing = standing.ok();
        let each = records.into_iter().enumerate();
        let one = |(place, record): (usize, Record)| {
            let network = &record.network;
            let bridge = network.bridge().zip(links.as_deref());
            let bridge = bridge.map(|(name, links)| Bridge::of(name, links));
            let standing = standing.as_ref().map(|all| all[place].as_slice());
            let counters = Counters::of(network, standing.unwrap_or_default());
            Overview {
                traffic: Sums::of(&counters),
                state: NetworkState::of(network, bridge.as_ref(), standing),
                bridge,
                record,
            }
        };
        Ok(each.map(one).collect())
    }

    /// What stands in the kernel for each of these networks.
    pub(super) fn standing(&mut self, records: &[Record]) -> Result<Vec<Vec<Standing>>, ShowError> {
        let mut all = vec![Vec::new(); records.len()];
        for backend in &mut self.backends {
            let is_its = |&(_, record): &(usize, &Record)| record.placement.backend == backend.id();
            let (places, its): (Vec<usize>, Vec<&Record>) =
                records.iter().enumerate().filter(is_its).unzip();
            if its.is_empty() {
                continue;
            }
            for (place, standing) in places.into_iter().zip(backend.standing(&its)?) {
                all[place] = standing;
            }
        }
        Ok(all)
    }
}
