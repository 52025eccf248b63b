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
/// would not notice that a digit changed. Of a newer build's file, only the schema must be there.
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
pub(crate) enum RecordError {
    /// No JSON, or not of the form that this build writes.
    #[error("it is not what palisade writes: {0}")]
    Syntax(#[from] serde_json::Error),
    /// An earlier build wrote it in another form.
    #[error("it has schema {found}, this build reads {SCHEMA}")]
    Older {
        /// The schema it has.
        found: u32,
    },
    /// A newer build wrote it.
    #[error("it has schema {found}, this build reads up to {SCHEMA}")]
    Newer {
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
pub(super) fn decode(name: &str, bytes: &[u8], now: &Origin) -> Result<Record, RecordError> {
    let filed: Filed<'_> = serde_json::from_slice(bytes)?;
    match filed.schema {
        SCHEMA => {}
        found @ 1..SCHEMA => return Err(RecordError::Older { found }),
        found => return Err(RecordError::Newer { found }),
    }
    let record: Record = serde_json::from_str(filed.whole()?)?;
    let origin = filed.origin.ok_or_else(|| missing("origin"))?;
    if record.network.name().as_str() != name {
        Err(RecordError::Misplaced(record.network.name().clone()))
    } else if origin != *now {
        Err(RecordError::Elsewhere)
    } else {
        Ok(record)
    }
}

/// Reads the file of an earlier build as far as this one can: without what is installed.
pub(super) fn decode_older(bytes: &[u8]) -> Option<Record> {
    let filed: Filed<'_> = serde_json::from_slice(bytes).ok()?;
    let mut record: serde_json::Value = serde_json::from_str(filed.whole().ok()?).ok()?;
    let installed = record.get_mut("installed")?;
    *installed = serde_json::Value::Array(Vec::new());
    serde_json::from_value(record).ok()
}

impl<'f> Filed<'f> {
    /// The record in JSON, if nothing in it changed since it was written.
    fn whole(&self) -> Result<&'f str, RecordError> {
        let json = self.record.ok_or_else(|| missing("record"))?.get();
        let sum = self.crc32c.as_ref().ok_or_else(|| missing("crc32c"))?;
        if sum_of(json) == *sum {
            Ok(json)
        } else {
            Err(RecordError::Checksum)
        }
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
