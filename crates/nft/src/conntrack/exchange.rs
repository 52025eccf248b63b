//! Questions and their answers; deletions and what became of them.

use nix::errno::Errno;

use super::{ConntrackError, Flow};
use crate::object::Family;
use crate::transport::Transport;
use crate::wire::{self, Header, Message};

/// `NLM_F_REQUEST`.
pub(super) const REQUEST: u16 = 0x1;
/// `NLM_F_ACK`.
const ACK: u16 = 0x4;
/// `NLM_F_DUMP`.
pub(super) const DUMP: u16 = 0x300;

/// Asks, and takes each of the answers.
pub(super) fn ask(
    transport: &mut dyn Transport,
    replies: &mut Vec<u8>,
    (what, request): (&'static str, &[u8]),
    mut take: impl FnMut(&Message<'_>) -> Result<(), ConntrackError>,
) -> Result<(), ConntrackError> {
    replies.clear();
    transport.exchange(request, replies)?;
    let mut is_done = false;
    for message in wire::messages(replies) {
        let message = message?;
        match message.header.kind {
            Header::ERROR => {
                let errno = Errno::from_raw(wire::ack(&message)?.error);
                if errno != Errno::UnknownErrno {
                    return Err(ConntrackError::Refused { what, errno });
                }
            }
            Header::DONE => is_done = true,
            _ => take(&message)?,
        }
    }
    // Its own flags do not say whether an answer has an end: that to the question for the number of
    // flows is called one of several, and none follows.
    if is_done || !asks_for_dump(request) {
        Ok(())
    } else {
        Err(ConntrackError::Cut { what })
    }
}

fn asks_for_dump(request: &[u8]) -> bool {
    let mut messages = wire::messages(request).flatten();
    messages.any(|message| message.header.flags & DUMP == DUMP)
}

/// What became of flows that were to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Deleted {
    /// How many were deleted.
    pub(super) deleted: usize,
    /// How many the kernel kept.
    pub(super) kept: usize,
    /// Why it kept the first of them.
    pub(super) errno: Option<Errno>,
}

/// Deletes flows, in one send. The kernel takes one message after another, and tells of those that
/// it did not like; an acknowledgement is asked of the last alone, since one for each might not fit
/// into the socket's buffer.
pub(super) fn delete(
    transport: &mut dyn Transport,
    replies: &mut Vec<u8>,
    flows: &[Flow],
) -> Result<Deleted, ConntrackError> {
    const WHAT: &str = "whether flows are gone";
    let mut request = Vec::new();
    let mut sequence = 0;
    let mut left = flows.iter().peekable();
    while let Some(flow) = left.next() {
        sequence += 1;
        let ack = if left.peek().is_none() { ACK } else { 0 };
        let family = Family::from(flow.original.addresses.family());
        let (kind, flags) = (wire::conntrack::DELETE, REQUEST | ack);
        wire::conntrack::message(&mut request, kind, flags, sequence, family, |body| {
            wire::conntrack::encode_key(flow, body);
        });
    }
    replies.clear();
    transport.exchange(&request, replies)?;

    let mut deleted = Deleted::default();
    let mut gone = 0;
    let mut is_last_answered = false;
    for message in wire::messages(replies) {
        let message = message?;
        if message.header.kind != Header::ERROR {
            continue;
        }
        let ack = wire::ack(&message)?;
        is_last_answered |= ack.original.sequence == sequence;
        match (ack.error, Errno::from_raw(ack.error)) {
            (0, _) => {}
            // It ended by itself, or another with the same ends has begun.
            (_, Errno::ENOENT) => gone += 1,
            (_, errno) => {
                deleted.kept += 1;
                deleted.errno.get_or_insert(errno);
            }
        }
    }
    if !is_last_answered && !flows.is_empty() {
        return Err(ConntrackError::Cut { what: WHAT });
    }
    deleted.deleted = flows.len().saturating_sub(gone + deleted.kept);
    Ok(deleted)
}
