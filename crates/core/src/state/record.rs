//! What is remembered of a running network, and its file.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::backend::{Installed, Placement};
use crate::network::{Name, Network};

/// A running network, and what was installed for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The network as it was defined.
    pub network: Network,
    /// By whom and where its rules were installed.
    pub placement: Placement,
    /// Why it was placed there, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// Since when it runs as it does.
    pub since: Timestamp,
    /// Its rank in the order in which networks were started: later ones have higher numbers.
    pub order: u64,
    /// What was installed, and nothing else will be taken away with it.
    pub installed: Vec<Installed>,
}

impl Record {
    /// Whether both say the same, whatever numbers the kernel gave the rules.
    pub(crate) fn says_the_same_as(&self, other: &Self) -> bool {
        let without_handles = |record: &Self| {
            let mut record = record.clone();
            for item in &mut record.installed {
                item.handle = None;
            }
            record
        };
        self.network.name() == other.network.name()
            && without_handles(self) == without_handles(other)
    }
}

/// The number of the form in which state is written. It goes up with every change that an older
/// build could not read.
pub const SCHEMA: u32 = 1;

/// A record in its file. The checksum is of the record in JSON without white space: JSON alone
/// would not notice that a digit changed. Of a newer build's file, only the schema must be there.
#[derive(Deserialize)]
struct Filed<'f> {
    schema: u32,
    #[serde(borrow)]
    crc32c: Option<std::borrow::Cow<'f, str>>,
    #[serde(borrow)]
    record: Option<&'f serde_json::value::RawValue>,
}

/// Why a file holds no record that can be believed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// No JSON, or not of the form that this build writes.
    #[error("it is not what palisade writes: {0}")]
    Syntax(#[from] serde_json::Error),
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
}

/// A record in JSON without white space: for the journal and for the record's own file, which are
/// written in one go.
#[derive(Debug)]
pub struct Written<'r> {
    /// The record.
    pub record: &'r Record,
    /// What it is in JSON.
    pub(crate) json: String,
}

impl<'r> Written<'r> {
    /// Puts it into JSON.
    ///
    /// # Errors
    /// If that cannot be done, as it can for all of ours.
    pub fn new(record: &'r Record) -> Result<Self, serde_json::Error> {
        let json = serde_json::to_string(record)?;
        Ok(Self { record, json })
    }

    /// The bytes of the record's file.
    pub(super) fn file(&self) -> Vec<u8> {
        let (json, sum) = (&self.json, crc32c::crc32c(self.json.as_bytes()));
        format!("{{\"schema\":{SCHEMA},\"crc32c\":\"{sum:08x}\",\"record\":{json}}}\n").into_bytes()
    }
}

/// Reads the file of the network with this name.
pub(super) fn decode(name: &str, bytes: &[u8]) -> Result<Record, RecordError> {
    let filed: Filed<'_> = serde_json::from_slice(bytes)?;
    if filed.schema > SCHEMA {
        return Err(RecordError::Newer {
            found: filed.schema,
        });
    }
    let json = filed.record.ok_or_else(|| missing("record"))?.get();
    let record: Record = serde_json::from_str(json)?;
    let sum = filed.crc32c.ok_or_else(|| missing("crc32c"))?;
    // Whoever wrote it with white space is an older build, or a person.
    let is_right = is_sum_of(&sum, json) || is_sum_of(&sum, &serde_json::to_string(&record)?);
    if !is_right {
        Err(RecordError::Checksum)
    } else if record.network.name().as_str() != name {
        Err(RecordError::Misplaced(record.network.name().clone()))
    } else {
        Ok(record)
    }
}

fn is_sum_of(sum: &str, json: &str) -> bool {
    format!("{:08x}", crc32c::crc32c(json.as_bytes())) == sum
}

fn missing(field: &'static str) -> serde_json::Error {
    serde::de::Error::missing_field(field)
}
