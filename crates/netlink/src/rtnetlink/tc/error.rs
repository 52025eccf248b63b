//! Why traffic control was not changed or read.

use std::borrow::Cow;

use nix::errno::Errno;
use palisade_core::{ErrorKind, Hint};
use thiserror::Error;

use crate::{Malformed, SocketError, TransportError};

/// Why traffic control was not changed or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TcError {
    /// There is no socket, or no such network namespace.
    #[error(transparent)]
    Open(#[from] SocketError),
    /// The request or the reply did not get through.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The reply is malformed.
    #[error("malformed reply from the kernel: {0}")]
    Malformed(#[from] Malformed),
    /// The kernel refused the request.
    #[error("the kernel refuses to {what}: {}{}", .errno.desc().to_lowercase(), told(.message))]
    Refused {
        /// What it was to do.
        what: &'static str,
        /// The reason.
        errno: Errno,
        /// The kernel's own words.
        message: Option<String>,
    },
    /// Another program's queueing discipline is in the place of `clsact`.
    #[error("another program's `ingress` queueing discipline is in the place of `clsact`")]
    Occupied,
}

fn told(message: &Option<String>) -> String {
    let message = message.as_ref();
    message.map_or(String::new(), |message| format!(" ({message})"))
}

impl Hint for TcError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Open(error) => error.kind(),
            Self::Transport(error) => error.kind(),
            Self::Malformed(error) => error.kind(),
            Self::Refused { errno, .. } if *errno == Errno::ENOENT => ErrorKind::Unsupported,
            Self::Refused { .. } => ErrorKind::Refused,
            Self::Occupied => ErrorKind::Foreign,
        }
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Open(error) => error.hint(),
            Self::Transport(error) => error.hint(),
            Self::Malformed(error) => error.hint(),
            Self::Refused { errno, .. } if *errno == Errno::ENOENT => {
                "load the modules sch_ingress, cls_flower and act_csum, then run `palisade repair`"
                    .into()
            }
            Self::Refused { .. } => "`tc qdisc` and `tc filter` show what is there".into(),
            Self::Occupied => "replace it by `clsact`, then run `palisade repair`".into(),
        }
    }
}
