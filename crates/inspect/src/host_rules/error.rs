//! Why the rules of a host could not be read.

use std::borrow::Cow;

use palisade_core::{ErrorKind, Hint};
use palisade_netlink::SocketError;
use palisade_netlink::rtnetlink::HostError;
use palisade_nft::dump::DumpError;
use thiserror::Error;

/// Why the rules of a host could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HostRulesError {
    /// nf_tables could not be read.
    #[error(transparent)]
    Dump(#[from] DumpError),
    /// The network namespace could not be entered.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// The interfaces could not be read.
    #[error(transparent)]
    Host(#[from] HostError),
}

impl Hint for HostRulesError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Dump(error) => error.kind(),
            Self::Socket(error) => error.kind(),
            Self::Host(error) => error.kind(),
        }
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Dump(error) => error.hint(),
            Self::Socket(error) => error.hint(),
            Self::Host(error) => error.hint(),
        }
    }
}
