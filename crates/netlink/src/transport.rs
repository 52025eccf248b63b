//! The seam to the kernel: bytes out, bytes in.

use std::borrow::Cow;
use std::io;

use palisade_core::words::in_words;
use palisade_core::{ErrorKind, Hint};
use thiserror::Error;

/// Sends requests to the kernel and returns its replies. A netlink socket implements it; so do the
/// doubles of tests.
pub trait Transport: Send {
    /// Sends these messages and appends the kernel's replies to `replies`: netlink has replied in
    /// full when sending returns.
    ///
    /// # Errors
    /// If the messages could not be sent, in which case nothing happened, or the replies could not
    /// all be read.
    fn exchange(&mut self, request: &[u8], replies: &mut Vec<u8>) -> Result<(), TransportError>;
}

/// Why messages could not be sent, or replies could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The messages are longer than the socket may send at once.
    #[error(
        "a batch of {bytes} bytes is more than this socket may send at once ({limit} bytes); \
         nothing was changed"
    )]
    TooLarge {
        /// The length of the messages in bytes.
        bytes: usize,
        /// How many bytes the socket may send.
        limit: usize,
        /// The `net.core.wmem_max` that is needed without `CAP_NET_ADMIN` in the initial user
        /// namespace, in bytes.
        needed: usize,
    },
    /// The kernel did not take the messages.
    #[error("cannot send to the kernel: {}", in_words(.0))]
    Send(io::Error),
    /// The socket's buffer was full before all replies were read: the outcome of a batch is
    /// unknown.
    #[error("the kernel's replies were more than the socket's buffer holds")]
    Overrun,
    /// A reply was longer than the buffer that it was read into.
    #[error("a reply of {0} bytes was cut off")]
    Truncated(usize),
    /// The replies could not be read.
    #[error("cannot read the kernel's replies: {}", in_words(.0))]
    Receive(io::Error),
}

impl Hint for TransportError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Overrun => ErrorKind::InDoubt,
            Self::TooLarge { .. } | Self::Send(_) | Self::Truncated(_) | Self::Receive(_) => {
                ErrorKind::System
            }
        }
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::TooLarge { needed, .. } => format!(
                "on the host, as root: sysctl -w net.core.wmem_max={needed} (or apply fewer \
                 networks at once)"
            )
            .into(),
            Self::Send(_) | Self::Receive(_) | Self::Truncated(_) => {
                "try again; if it stays, report it with `uname -r`".into()
            }
            Self::Overrun => "look at `nft list ruleset`, and try again".into(),
        }
    }
}
