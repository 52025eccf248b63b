//! Why an NFLOG group cannot be read.

use std::borrow::Cow;

use nix::errno::Errno;
use palisade_core::{ErrorKind, Hint};
use thiserror::Error;

use crate::{Malformed, SocketError, TransportError};

/// Why an NFLOG group cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NflogError {
    /// There is no socket, or no such namespace.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// The request did not get through, or the socket cannot be read.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The kernel does not give the group to this process.
    #[error("cannot read NFLOG group {group}: {}", .errno.desc().to_lowercase())]
    Refused {
        /// The group.
        group: u16,
        /// The reason.
        errno: Errno,
    },
    /// The reply to a request for the group is truncated.
    #[error("truncated reply from the kernel to a request for NFLOG group {0}")]
    Truncated(u16),
    /// The reply is malformed.
    #[error("the reply to a request for an NFLOG group cannot be read: {0}")]
    Malformed(#[from] Malformed),
}

impl Hint for NflogError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Socket(error) => error.kind(),
            Self::Transport(error) => error.kind(),
            Self::Malformed(error) => error.kind(),
            Self::Refused {
                errno: Errno::EPERM,
                ..
            } => ErrorKind::Permission,
            Self::Refused {
                errno: Errno::EBUSY | Errno::EEXIST,
                ..
            } => ErrorKind::Busy,
            Self::Refused { .. } | Self::Truncated(_) => ErrorKind::Unsupported,
        }
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Socket(error) => error.hint(),
            Self::Transport(error) => error.hint(),
            // The kernel gives this reason for both.
            Self::Refused {
                errno: Errno::EPERM | Errno::EBUSY | Errno::EEXIST,
                group,
            } => format!(
                "run as root; a group has one reader, so that another program (ulogd?) may read group \
                 {group}: stop it, or log to another group"
            )
            .into(),
            Self::Refused { .. } | Self::Truncated(_) => {
                "is it missing in this kernel? try: modprobe nfnetlink_log".into()
            }
            Self::Malformed(error) => error.hint(),
        }
    }
}
