//! What is remembered of a running network, and its file.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::origin::{Origin, Told};
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
    /// Records of the first version have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<Origin>,
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
    pub(super) fn new(now: &'a Origin, told: &Told) -> Self {
        let is_vouched = *told == Told::Ours;
        Self { now, is_vouched }
    }
}

/// The bytes of a record's file.
pub(super) fn encode(record: &Record, now: &Origin) -> Result<Vec<u8>, serde_json::Error> {
    let filed = Filed {
        schema: SCHEMA,
        crc32c: checksum(record)?,
        origin: Some(now.clone()),
        record,
    };
    let mut text = serde_json::to_vec_pretty(&filed)?;
    text.push(b'\n');
    Ok(text)
}

/// Reads the file of the network with this name.
pub(super) fn decode(
    name: &str,
    bytes: &[u8],
    witness: Witness<'_>,
) -> Result<Record, RecordError> {
    let label: Labelled = serde_json::from_slice(bytes)?;
    if label.schema > SCHEMA {
        return Err(RecordError::Newer {
            found: label.schema,
        });
    }
    let filed: Filed<Record> = serde_json::from_slice(bytes)?;
    let is_elsewhere = |origin: &Origin| origin != witness.now;
    if checksum(&filed.record)? != filed.crc32c {
        Err(RecordError::Checksum)
    } else if filed.record.network.name().as_str() != name {
        Err(RecordError::Misplaced(filed.record.network.name().clone()))
    } else if filed.origin.as_ref().is_some_and(is_elsewhere) {
        Err(RecordError::Elsewhere)
    } else if filed.origin.is_none() && !witness.is_vouched {
        Err(RecordError::Unmarked)
    } else {
        Ok(filed.record)
    }
}

/// Of something in JSON without white space.
pub(super) fn checksum(of: &impl Serialize) -> Result<String, serde_json::Error> {
    let text = serde_json::to_vec(of)?;
    Ok(format!("{:08x}", crc32c::crc32c(&text)))
}
