//! All that checks look at, read once.

use palisade_core::network::{Family, Forward, InterfaceName, Name, Network};
use palisade_core::state::Record;
use palisade_netlink::rtnetlink::Host;

use super::fix::Commands;
use super::settings::Settings;

/// A host as it was at one moment, and the networks that are recorded to run on it.
#[derive(Debug, Default)]
pub(super) struct Scene {
    pub(super) records: Vec<Record>,
    pub(super) host: Host,
    pub(super) settings: Settings,
    pub(super) commands: Commands,
}

impl Scene {
    /// The networks whose bridge is ours to rule, with it.
    pub(super) fn ruled(&self) -> impl Iterator<Item = (&Record, &InterfaceName)> {
        let records = self.records.iter();
        records.filter_map(|record| Some((record, record.network.ruled_bridge()?)))
    }

    /// The networks whose packets of a family leave the bridge by routing.
    pub(super) fn leaving(
        &self,
        family: Family,
    ) -> impl Iterator<Item = (&Record, &InterfaceName)> {
        self.ruled()
            .filter(move |(record, _)| leaves(&record.network, family))
    }
}

/// Whether packets of a family leave the network's bridge by routing.
pub(super) fn leaves(network: &Network, family: Family) -> bool {
    let is_forwarded = matches!(network.forward(), Forward::Nat(_) | Forward::Route { .. });
    is_forwarded && network.subnets_of(family).next().is_some()
}

/// The names of networks, each once.
pub(super) fn names<'r>(records: impl IntoIterator<Item = &'r Record>) -> Vec<Name> {
    let mut names = Vec::new();
    for record in records {
        let name = record.network.name();
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

/// Names in a sentence: `a`, `b` and 3 more.
pub(super) fn told(names: &[Name]) -> String {
    const TOLD: usize = 5;
    let mut told: Vec<String> = names.iter().take(TOLD).map(|n| format!("`{n}`")).collect();
    match names.len().saturating_sub(TOLD) {
        0 => {}
        more => told.push(format!("{more} more")),
    }
    match told.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, first)) => format!("{} and {last}", first.join(", ")),
        None => String::new(),
    }
}
