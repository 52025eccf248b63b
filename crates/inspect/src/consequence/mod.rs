//! What it means for packets that something stands otherwise than it is recorded.
//!
//! Two packets for which the same conditions of rules hold are treated alike
//! ([`compare`](crate::compare) says more): so one packet of each class goes through what stands, and
//! through what should stand.

mod case;
mod meaning;
mod places;
mod search;
mod words;

use std::collections::HashSet;

use palisade::Firewall;
use palisade_core::backend::{Discrepancy, DiscrepancyKind};
use palisade_core::engine::EngineError;
use palisade_core::network::{Name, Network};
use palisade_core::state::Record;

pub use meaning::{Consequence, Example};
use places::Place;
use search::{Found, Search};

/// What these differences mean for packets.
pub(crate) fn consequence(
    firewall: &mut Firewall,
    records: &[Record],
    differences: &[Discrepancy],
) -> Result<Consequence, EngineError> {
    let is_named = |record: &&Record| {
        let name = Some(record.network.name());
        differences
            .iter()
            .any(|found| found.network.as_ref() == name)
    };
    let named: Vec<&Network> = records
        .iter()
        .filter(is_named)
        .map(|r| &r.network)
        .collect();
    if let Some(detail) = unrecorded(records, differences) {
        return Ok(Consequence::Open { detail });
    }
    let mut found = Vec::new();
    let places = Place::read_all(firewall, records)?;
    if let Some(detail) = places
        .iter()
        .find_map(|place| place.installed.unread.clone())
    {
        return Ok(Consequence::Open { detail });
    }
    let mut search = Search::begin(places.len());
    for place in places {
        found.push(search.differing(&place, &named));
    }
    let networks: Vec<&Network> = records.iter().map(|record| &record.network).collect();
    Ok(Found::together(&found, &networks))
}

/// What is said of rules of networks that no record names: nobody knows what they should be.
fn unrecorded(records: &[Record], differences: &[Discrepancy]) -> Option<String> {
    let recorded: HashSet<&Name> = records.iter().map(|it| it.network.name()).collect();
    let foreign = differences.iter();
    let foreign = foreign.filter(|found| found.kind == DiscrepancyKind::Foreign);
    let mut names: Vec<&Name> = foreign.filter_map(|found| found.network.as_ref()).collect();
    names.retain(|name| !recorded.contains(name));
    names.sort();
    names.dedup();
    let named: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let list = named.join(", ");
    (!named.is_empty()).then(|| format!("no record names {list}, whose rules act all the same"))
}
