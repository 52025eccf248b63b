//! Why a packet cannot be explained.

use std::borrow::Cow;

use palisade::RenderError;
use palisade_core::engine::EngineError;
use palisade_core::{ErrorKind, Hint};
use palisade_netlink::SocketError;
use palisade_netlink::rtnetlink::HostError;
use thiserror::Error;

use super::resolve::ResolveError;
use crate::host_rules::HostRulesError;

/// Why a packet cannot be explained.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExplainError {
    /// There is no such packet.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// The networks cannot run side by side.
    #[error(transparent)]
    Networks(#[from] RenderError),
    /// The state directory, or what an interrupted process left there.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// There is no way to the kernel.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// The tables could not be read.
    #[error(transparent)]
    Rules(#[from] HostRulesError),
    /// The interfaces and routes could not be read.
    #[error(transparent)]
    Host(#[from] HostError),
}

impl Hint for ExplainError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Resolve(error) => error.kind(),
            Self::Networks(error) => error.kind(),
            Self::Engine(error) => error.kind(),
            Self::Socket(error) => error.kind(),
            Self::Rules(error) => error.kind(),
            Self::Host(error) => error.kind(),
        }
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Resolve(error) => error.hint(),
            Self::Networks(error) => error.hint(),
            Self::Engine(error) => error.hint(),
            Self::Socket(error) => error.hint(),
            Self::Rules(error) => error.hint(),
            Self::Host(error) => error.hint(),
        }
    }
}
