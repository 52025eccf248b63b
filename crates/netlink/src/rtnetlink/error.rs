//! Why the host could not be read.

use std::borrow::Cow;

use nix::errno::Errno;
use palisade_core::Hint;
use thiserror::Error;

use crate::{Malformed, SocketError, TransportError};

/// Why the host could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HostError {
    /// There is no socket, or no such network namespace.
    #[error(transparent)]
    Open(#[from] SocketError),
    /// The question or the answer did not get through.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The kernel refused to answer.
    #[error("the kernel does not tell of {what}: {}", .errno.desc().to_lowercase())]
    Refused {
        /// What was asked for.
        what: &'static str,
        /// Why not.
        errno: Errno,
    },
    /// The answer makes no sense.
    #[error("the kernel's answer cannot be read: {0}")]
    Malformed(#[from] Malformed),
    /// The answer ends before its end.
    #[error("what the kernel tells of {what} breaks off")]
    Cut {
        /// What was asked for.
        what: &'static str,
    },
    /// It changed all the while.
    #[error("{what} changed all the time while the kernel told of them")]
    Restless {
        /// What was asked for.
        what: &'static str,
    },
}

impl Hint for HostError {
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
