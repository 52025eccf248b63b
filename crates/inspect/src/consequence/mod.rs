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

use palisade::Firewall;
use palisade_core::backend::Discrepancy;
use palisade_core::engine::EngineError;
use palisade_core::network::Network;
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
