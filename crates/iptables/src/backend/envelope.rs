//! What a step's bytes are: which program changes which table how, as JSON.

use palisade_core::network::Family;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::run::Variant;
use crate::text::{Input, InputError};

/// A change of one table of one family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Envelope {
    pub(super) variant: Variant,
    pub(super) family: Family,
    pub(super) table: String,
    /// The program, such as `iptables-legacy-restore`.
    pub(super) program: String,
    /// The one that prints what it did.
    pub(super) shown_by: String,
    pub(super) way: Way,
    /// Whether networks do without it where the kernel refuses it.
    #[serde(default)]
    pub(super) optional: bool,
    /// What the program reads.
    pub(super) text: String,
}

/// Whether a change is done or taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Way {
    /// As planned, or not at all.
    Do,
    /// As far as there is something to take back.
    Undo,
}

/// Bytes that are no step of this backend.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StepError {
    /// Not such JSON.
    #[error("a step is not one of the iptables backend: {0}")]
    Json(#[from] serde_json::Error),
    /// Not such text in it.
    #[error("a step of the iptables backend is broken: {0}")]
    Text(#[from] InputError),
}

impl Envelope {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, StepError> {
        Ok(serde_json::from_slice(bytes)?)
    }

    /// What its text asks for.
    pub(super) fn input(&self) -> Result<Input, StepError> {
        Ok(self.text.parse()?)
    }

    pub(super) fn write(&self) -> Result<Vec<u8>, StepError> {
        Ok(serde_json::to_vec(self)?)
    }
}
