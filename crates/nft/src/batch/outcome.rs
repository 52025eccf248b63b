//! What became of a batch.

use std::borrow::Cow;

use nix::errno::Errno;
use palisade_core::words::WITH_RIGHTS;
use palisade_core::{ErrorKind, Hint};
use palisade_netlink::{Header, Malformed, Transport, TransportError, ack, messages};
use thiserror::Error;

use super::refusal::{self, Refusal};

/// Why a batch was not committed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CommitError {
    /// The ruleset is not the one any more for which the batch was made. Nothing happened.
    #[error("the ruleset was changed by another program")]
    Stale,
    /// The caller may not change rules. Nothing happened.
    #[error(
        "changing rules takes CAP_NET_ADMIN in the network namespace, which this process lacks"
    )]
    NotPermitted,
    /// The kernel refused objects of the batch. Nothing happened.
    #[error("{}", refusal::list(.0))]
    Refused(Vec<Refusal>),
    /// The batch could not be sent, or its replies not be read.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The kernel said nothing: what became of the batch is not known.
    #[error("the kernel did not say what became of a batch")]
    Silence,
    /// The kernel's replies make no sense.
    #[error("the kernel's replies to a batch cannot be read: {0}")]
    Malformed(#[from] Malformed),
}

impl CommitError {
    /// Whether nothing happened, for sure. Otherwise only the marker in the kernel says.
    #[must_use]
    pub(crate) fn is_known_to_fail(&self) -> bool {
        match self {
            Self::Stale | Self::NotPermitted | Self::Refused(_) => true,
            Self::Transport(error) => {
                matches!(
                    error,
                    TransportError::TooLarge { .. } | TransportError::Send(_)
                )
            }
            Self::Silence | Self::Malformed(_) => false,
        }
    }
}

impl Hint for CommitError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Stale => ErrorKind::Busy,
            Self::NotPermitted => ErrorKind::Permission,
            Self::Refused(refusals) => refusal::kind(refusals),
            Self::Transport(error) => error.kind(),
            Self::Silence => ErrorKind::InDoubt,
            Self::Malformed(error) => error.kind(),
        }
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Stale => "try again".into(),
            Self::NotPermitted => WITH_RIGHTS.into(),
            Self::Refused(refusals) => refusal::hint(refusals).into(),
            Self::Transport(error) => error.hint(),
            Self::Silence => "look at `nft list ruleset`, and try again".into(),
            Self::Malformed(error) => error.hint(),
        }
    }
}

/// Sends a finished batch. `replies` is a buffer that the caller keeps.
///
/// # Errors
/// If it was not committed, or it is not known whether it was ([`TransportError::Overrun`],
/// [`CommitError::Silence`]).
pub fn commit(
    transport: &mut dyn Transport,
    batch: &[u8],
    replies: &mut Vec<u8>,
) -> Result<(), CommitError> {
    replies.clear();
    transport.exchange(batch, replies)?;
    read(batch, replies)
}

/// In a batch that fails, the messages that were good are answered with 0 all the same: it
/// succeeded only if no reply is an error.
fn read(batch: &[u8], replies: &[u8]) -> Result<(), CommitError> {
    let mut refusals = Vec::new();
    let mut answered = false;
    for message in messages(replies) {
        let message = message?;
        if message.header.kind != Header::ERROR {
            continue;
        }
        let ack = ack(&message)?;
        if ack.error == 0 {
            answered = true;
            continue;
        }
        match Errno::from_raw(ack.error) {
            // Said of the batch as a whole, whatever its messages say.
            Errno::ERESTART => return Err(CommitError::Stale),
            Errno::EPERM => return Err(CommitError::NotPermitted),
            errno => refusals.push(Refusal::of(batch, &ack, errno)),
        }
    }
    if !refusals.is_empty() {
        Err(CommitError::Refused(refusals))
    } else if answered {
        Ok(())
    } else {
        Err(CommitError::Silence)
    }
}
