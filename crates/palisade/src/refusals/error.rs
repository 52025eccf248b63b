//! Why refused packets cannot be read.

use std::borrow::Cow;

use palisade_core::engine::EngineError;
use palisade_core::{ErrorKind, Hint};
use palisade_netlink::TransportError;
use palisade_netlink::nflog::NflogError;
use thiserror::Error;

use crate::firewall::OpenError;

/// Why refused packets cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RefusalsError {
    /// The firewall could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The state cannot be read.
    #[error(transparent)]
    State(#[from] EngineError),
    /// No running network logs to a group.
    #[error("no running network logs what it refuses to an NFLOG group")]
    NoGroup,
    /// A group cannot be read.
    #[error(transparent)]
    Nflog(#[from] NflogError),
    /// The socket cannot be read any more.
    #[error("refused packets cannot be read: {0}")]
    Read(#[from] TransportError),
}

impl Hint for RefusalsError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Open(error) => error.kind(),
            Self::State(error) => error.kind(),
            Self::NoGroup => ErrorKind::Unsupported,
            Self::Nflog(error) => error.kind(),
            Self::Read(error) => error.kind(),
        }
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Open(error) => error.hint(),
            Self::State(error) => error.hint(),
            Self::NoGroup => {
                "write `log = { group = 5 }` into a network's definition, and apply it".into()
            }
            Self::Nflog(error) => error.hint(),
            Self::Read(error) => error.hint(),
        }
    }
}
