//! Why a firewall could not be opened.

use std::borrow::Cow;
use std::io;

use palisade_core::words::in_words;
use palisade_core::{ErrorKind, Hint};
use palisade_netlink::SocketError;
use thiserror::Error;

/// Why a firewall could not be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no socket, or no such network namespace.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// The kernel does not say which network namespace it is.
    #[error("this kernel cannot tell network namespaces apart (SO_NETNS_COOKIE, Linux 5.14): {}", in_words(.0))]
    Cookie(io::Error),
}

impl Hint for OpenError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Socket(error) => error.kind(),
            Self::Cookie(_) => ErrorKind::Unsupported,
        }
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Socket(error) => return error.hint(),
            Self::Cookie(_) => "palisade needs Linux 5.14 or later",
        }
        .into()
    }
}
