//! What packets should meet in our tables, and whether they did.

use palisade_core::network::Name;
use palisade_core::state::Record;
use palisade_nft::backend::Settings;
use palisade_nft::dump::DumpError;
use palisade_nft::trace::Journey;

use super::packet::{Prediction, TracedPacket};
use super::tables::Tables;

/// A table with rules of ours, of the families ip and ip6.
pub(super) type Ours = String;

/// Our tables.
pub(super) fn ours(records: &[Record]) -> Vec<Ours> {
    let table = |record: &Record| {
        let settings = Settings::try_from(&record.placement).ok()?;
        Some(settings.table.to_string())
    };
    let mut tables: Vec<Ours> = records.iter().filter_map(table).collect();
    tables.sort();
    tables.dedup();
    tables
}

/// The networks whose rules nf_tables knows nothing of.
pub(super) fn untraceable(records: &[Record]) -> Vec<Name> {
    let is_legacy = |record: &&Record| record.placement.setting("programs") == Some("legacy");
    let names = records.iter().filter(is_legacy);
    names.map(|record| record.network.name().clone()).collect()
}

pub(super) fn compare(
    _ours: &[Ours],
    _tables: &mut Tables,
    _journey: &Journey,
    _packet: &TracedPacket,
) -> Result<Prediction, DumpError> {
    Ok(Prediction::None)
}
