//! Networks of one command that conflict.

use std::borrow::Cow;

use palisade_core::network::Conflict;
use palisade_core::{ErrorKind, Hint};
use thiserror::Error;

/// Two networks that conflict.
///
/// The error is at the second network. It also names the place of the first, since people find
/// networks by their files.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{conflict} (the first is at {first})")]
pub struct ConflictFault {
    /// What both networks have.
    pub conflict: Conflict,
    /// Where the first network has it: `FILE:LINE:COLUMN`.
    pub first: String,
}

impl Hint for ConflictFault {
    fn kind(&self) -> ErrorKind {
        self.conflict.kind()
    }

    fn hint(&self) -> Cow<'_, str> {
        self.conflict.hint()
    }
}
