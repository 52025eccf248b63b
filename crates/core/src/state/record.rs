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
/// would not notice that a digit changed.
#[derive(Serialize, Deserialize)]
struct Filed<R> {
    schema: u32,
    crc32c: String,
    record: R,
}

/// The part of a file that every build can read.
#[derive(Deserialize)]
struct Labelled {
    schema: u32,
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

/// The bytes of a record's file.
pub(super) fn encode(record: &Record) -> Result<Vec<u8>, serde_json::Error> {
    let filed = Filed {
        schema: SCHEMA,
        crc32c: checksum(record)?,
        record,
    };
    let mut text = serde_json::to_vec_pretty(&filed)?;
    text.push(b'\n');
    Ok(text)
}

/// Reads the file of the network with this name.
pub(super) fn decode(name: &str, bytes: &[u8]) -> Result<Record, RecordError> {
    let label: Labelled = serde_json::from_slice(bytes)?;
    if label.schema > SCHEMA {
        return Err(RecordError::Newer {
            found: label.schema,
        });
    }
    let filed: Filed<Record> = serde_json::from_slice(bytes)?;
    if checksum(&filed.record)? != filed.crc32c {
        Err(RecordError::Checksum)
    } else if filed.record.network.name().as_str() != name {
        Err(RecordError::Misplaced(filed.record.network.name().clone()))
    } else {
        Ok(filed.record)
    }
}

fn checksum(record: &Record) -> Result<String, serde_json::Error> {
    let text = serde_json::to_vec(record)?;
    Ok(format!("{:08x}", crc32c::crc32c(&text)))
}
