//! Why packets could not be traced.

use std::borrow::Cow;

use palisade_core::{ErrorKind, Hint};
use palisade_netlink::{Malformed, SocketError, TransportError};
use thiserror::Error;

use crate::batch::CommitError;

/// Why packets could not be traced.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TraceError {
    /// There is no socket that hears of traced packets, or no such network namespace.
    #[error("cannot listen for traced packets: {0}")]
    Open(#[source] SocketError),
    /// The table that marks packets could not be made.
    #[error("cannot mark packets to be traced: {0}")]
    Install(#[source] CommitError),
    /// The kernel cannot be heard any more.
    #[error("cannot hear of traced packets any more: {0}")]
    Heard(#[source] TransportError),
    /// What the kernel tells makes no sense.
    #[error("what the kernel tells of traced packets cannot be read: {0}")]
    Malformed(#[from] Malformed),
}

impl Hint for TraceError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Open(error) => error.kind(),
            Self::Install(error) => error.kind(),
            Self::Heard(error) => error.kind(),
            Self::Malformed(error) => error.kind(),
        }
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Open(error) => error.hint(),
            Self::Install(error) => error.hint(),
            Self::Heard(error) => error.hint(),
            Self::Malformed(error) => error.hint(),
        }
    }
}
