//! Why flows could not be ended.

use std::borrow::Cow;

use nix::errno::Errno;
use palisade_core::{ErrorKind, Hint};
use thiserror::Error;

use crate::{Malformed, TransportError};

/// Why flows could not be ended. Rules are not affected.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConntrackError {
    /// The request or the reply did not get through.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The kernel lacks ctnetlink.
    #[error("this kernel does not tell which flows it tracks: ctnetlink is missing")]
    Missing(Errno),
    /// The kernel refused the request.
    #[error("the kernel does not answer {what}: {}", .errno.desc().to_lowercase())]
    Refused {
        /// The subject of the request.
        what: &'static str,
        /// The reason.
        errno: Errno,
    },
    /// The kernel kept flows.
    #[error(
        "the kernel keeps {kept} of {} flows: {}",
        .kept + .deleted, .errno.desc().to_lowercase()
    )]
    Kept {
        /// How many it deleted.
        deleted: usize,
        /// How many it kept.
        kept: usize,
        /// Why it kept the first of them.
        errno: Errno,
    },
    /// The reply is malformed.
    #[error("the kernel's answer cannot be read: {0}")]
    Malformed(#[from] Malformed),
    /// The reply is truncated.
    #[error("the kernel's answer {what} breaks off")]
    Cut {
        /// The subject of the request.
        what: &'static str,
    },
}

impl Hint for ConntrackError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Transport(error) => error.kind(),
            Self::Malformed(error) => error.kind(),
            Self::Missing(_) => ErrorKind::Unsupported,
            Self::Refused { errno, .. } | Self::Kept { errno, .. } if *errno == Errno::EPERM => {
                ErrorKind::Permission
            }
            Self::Refused { .. } | Self::Kept { .. } => ErrorKind::Refused,
            Self::Cut { .. } => ErrorKind::System,
        }
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Transport(error) => error.hint(),
            Self::Missing(_) => "modprobe nf_conntrack_netlink, then repair the network".into(),
            Self::Refused {
                errno: Errno::EPERM,
                ..
            }
            | Self::Kept {
                errno: Errno::EPERM,
                ..
            } => "ending flows takes CAP_NET_ADMIN: run as root".into(),
            Self::Refused { .. } | Self::Kept { .. } | Self::Cut { .. } => {
                "repair the network to try again; `conntrack -D -s SUBNET` ends all of its flows"
                    .into()
            }
            Self::Malformed(error) => error.hint(),
        }
    }
}
