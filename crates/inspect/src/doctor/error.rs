//! Why a host could not be examined.

use std::borrow::Cow;

use palisade_core::engine::EngineError;
use palisade_core::state::StateError;
use palisade_core::{ErrorKind, Hint};
use palisade_netlink::SocketError;
use palisade_netlink::rtnetlink::HostError;
use palisade_nft::backend::ProbeError;
use thiserror::Error;

use crate::host_rules::HostRulesError;

/// Why a host could not be examined.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DoctorError {
    /// The state directory.
    #[error(transparent)]
    State(#[from] StateError),
    /// There is no socket, or no such network namespace.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// Interfaces and routes.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The rules of all programs.
    #[error(transparent)]
    Rules(#[from] HostRulesError),
    /// The recorded rules.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// What this kernel can do.
    #[error(transparent)]
    Probe(#[from] ProbeError),
}

impl Hint for DoctorError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::State(error) => error.kind(),
            Self::Socket(error) => error.kind(),
            Self::Host(error) => error.kind(),
            Self::Rules(error) => error.kind(),
            Self::Engine(error) => error.kind(),
            Self::Probe(error) => error.kind(),
        }
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::State(error) => error.hint(),
            Self::Socket(error) => error.hint(),
            Self::Host(error) => error.hint(),
            Self::Rules(error) => error.hint(),
            Self::Engine(error) => error.hint(),
            Self::Probe(error) => error.hint(),
        }
    }
}
