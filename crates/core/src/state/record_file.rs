//! The file of a record.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use thiserror::Error;

use crate::network::Name;
use crate::origin::Origin;
use crate::record::{Record, Written};

/// The number of the form in which state is written. It goes up with every change that an older
/// build could not read.
pub const SCHEMA: u32 = 2;

/// A record in its file. The checksum is of the record in JSON without white space: JSON alone
/// would not notice that a digit changed. Of another build's file, only the schema must be there.
#[derive(Deserialize)]
struct Filed<'f> {
    schema: u32,
    #[serde(borrow)]
    crc32c: Option<Cow<'f, str>>,
    origin: Option<Origin>,
    #[serde(borrow)]
    record: Option<&'f RawValue>,
}

/// Why a file holds no record that can be believed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// No JSON, or not of the form that this build writes.
    #[error("it is not what palisade writes: {0}")]
    Syntax(#[from] serde_json::Error),
    /// Another build wrote it.
    #[error("it has schema {found}, this build reads schema {SCHEMA}")]
    Schema {
        /// The schema it has.
        found: u32,
    },
    /// Something in it changed since it was written.
    #[error("its checksum is wrong")]
    Checksum,
    /// It is in the file of another network.
    #[error("it is the record of network `{0}`")]
    Misplaced(Name),
    /// What it speaks of is elsewhere, or gone.
    #[error("it was written in another boot or network namespace")]
    Elsewhere,
    /// Neither the record nor the folder says where and when it was written.
    #[error("nothing says in which boot it was written")]
    Unmarked,
}

/// What is known of where and when a record was written before it is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Witness<'a> {
    now: &'a Origin,
    /// Whether the folder's mark says that all records in it are of here and now.
    is_vouched: bool,
}

impl<'a> Witness<'a> {
    pub(super) fn new(now: &'a Origin, is_vouched: bool) -> Self {
        Self { now, is_vouched }
    }
}

/// The bytes of a record's file.
pub(super) fn encode(written: &Written<'_>, now: &Origin) -> Vec<u8> {
    let Written { json, .. } = written;
    let (sum, Origin { boot, cookie }) = (sum_of(json), now);
    format!(
        "{{\"schema\":{SCHEMA},\"crc32c\":\"{sum}\",\
         \"origin\":{{\"boot\":\"{boot}\",\"cookie\":{cookie}}},\"record\":{json}}}\n"
    )
    .into_bytes()
}

/// Reads the file of the network with this name.
pub(super) fn decode(
    name: &str,
    bytes: &[u8],
    witness: Witness<'_>,
) -> Result<Record, RecordError> {
    let filed: Filed<'_> = serde_json::from_slice(bytes)?;
    if filed.schema != SCHEMA {
        return Err(RecordError::Schema {
            found: filed.schema,
        });
    }
    let json = filed.record.ok_or_else(|| missing("record"))?.get();
    let sum = filed.crc32c.ok_or_else(|| missing("crc32c"))?;
    let record: Record = serde_json::from_str(json)?;
    let is_elsewhere = |origin: &Origin| origin != witness.now;
    // White space may change.
    if sum_of(json) != sum && checksum(&record)? != sum {
        Err(RecordError::Checksum)
    } else if record.network.name().as_str() != name {
        Err(RecordError::Misplaced(record.network.name().clone()))
    } else if filed.origin.as_ref().is_some_and(is_elsewhere) {
        Err(RecordError::Elsewhere)
    } else if filed.origin.is_none() && !witness.is_vouched {
        Err(RecordError::Unmarked)
    } else {
        Ok(record)
    }
}

fn missing(field: &'static str) -> serde_json::Error {
    serde::de::Error::missing_field(field)
}

/// Of something in JSON without white space.
pub(super) fn checksum(of: &impl Serialize) -> Result<String, serde_json::Error> {
    Ok(sum_of(&serde_json::to_string(of)?))
}

fn sum_of(json: &str) -> String {
    format!("{:08x}", crc32c::crc32c(json.as_bytes()))
}
