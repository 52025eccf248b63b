//! Where rules of networks are: which should be there, and which are.

use std::collections::BTreeMap;

use palisade::{Firewall, backends};
use palisade_core::backend::{InstalledRules, Placement};
use palisade_core::engine::EngineError;
use palisade_core::evaluate::Ground;
use palisade_core::location::Location;
use palisade_core::network::{Family, Network};
use palisade_core::state::Record;

/// The rules of one family of packets at one location.
pub(super) struct Place<'a> {
    pub(super) family: Family,
    /// The networks that have rules there.
    records: Vec<&'a Record>,
    pub(super) installed: InstalledRules,
}

impl<'a> Place<'a> {
    /// All places of running networks, as they are now.
    pub(super) fn read_all(
        firewall: &mut Firewall,
        records: &'a [Record],
    ) -> Result<Vec<Self>, EngineError> {
        let mut located: BTreeMap<Location, Vec<&Record>> = BTreeMap::new();
        for record in records {
            if let Some(location) = firewall.location(&record.placement) {
                located.entry(location).or_default().push(record);
            }
        }
        let mut places = Vec::new();
        for family in Family::BOTH {
            for records in located.values() {
                places.push(Self {
                    family,
                    records: records.clone(),
                    installed: firewall.installed(&records[0].placement, family)?,
                });
            }
        }
        Ok(places)
    }

    pub(super) fn networks(&self) -> impl Iterator<Item = &'a Network> {
        self.records.iter().map(|record| &record.network)
    }

    /// The rules that should be there for those networks that are wanted.
    pub(super) fn expected(&self, is_wanted: impl Fn(&Network) -> bool) -> Ground<'static> {
        let wanted = self
            .records
            .iter()
            .filter(|record| is_wanted(&record.network));
        let placed: Vec<(&Network, &Placement)> = wanted
            .map(|record| (&record.network, &record.placement))
            .collect();
        backends::expected(&placed, self.family)
    }
}
