//! Why links, addresses or routes could not be read.

use std::borrow::Cow;

use nix::errno::Errno;
use palisade_core::{ErrorKind, Hint};
use thiserror::Error;

use crate::{Malformed, SocketError, TransportError};

/// Why links, addresses or routes could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HostError {
    /// There is no socket, or no such network namespace.
    #[error(transparent)]
    Open(#[from] SocketError),
    /// The request or the reply did not get through.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The kernel refused the request.
    #[error("the kernel does not tell of {what}: {}", .errno.desc().to_lowercase())]
    Refused {
        /// The objects that were requested.
        what: &'static str,
        /// The reason.
        errno: Errno,
    },
    /// The reply is malformed.
    #[error("the kernel's answer cannot be read: {0}")]
    Malformed(#[from] Malformed),
    /// The reply is truncated.
    #[error("what the kernel tells of {what} breaks off")]
    Cut {
        /// The objects that were requested.
        what: &'static str,
    },
    /// The objects changed during each attempt.
    #[error("{what} changed all the time while the kernel told of them")]
    Restless {
        /// The objects that were requested.
        what: &'static str,
    },
}

impl Hint for HostError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Open(error) => error.kind(),
            Self::Transport(error) => error.kind(),
            Self::Malformed(error) => error.kind(),
            Self::Refused { .. } => ErrorKind::Refused,
            Self::Cut { .. } => ErrorKind::System,
            Self::Restless { .. } => ErrorKind::Busy,
        }
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Open(error) => error.hint(),
            Self::Transport(error) => error.hint(),
            Self::Malformed(error) => error.hint(),
            Self::Refused { .. } | Self::Cut { .. } => {
                "try again; if it stays, report it with `uname -r`".into()
            }
            Self::Restless { .. } => {
                "`ip monitor` shows what changes; try again when it rests".into()
            }
        }
    }
}
