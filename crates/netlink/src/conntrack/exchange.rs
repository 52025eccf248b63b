//! Requests to conntrack and their replies; deletions and what became of them.

use nix::errno::Errno;

use super::error::ConntrackError;
use super::flow::Flow;
use super::wire;
use crate::flags::{ACK, DUMP, REQUEST};
use crate::{Family, Header, Message, Replies, ReplyError, Transport, ack, messages};

/// Sends a request, and takes each of the replies.
pub(super) fn ask(
    transport: &mut dyn Transport,
    buffer: &mut Vec<u8>,
    (what, request): (&'static str, &[u8]),
    mut take: impl FnMut(&Message<'_>) -> Result<(), ConntrackError>,
) -> Result<(), ConntrackError> {
    buffer.clear();
    transport.exchange(request, buffer)?;
    let mut replies = Replies::of(buffer);
    for reply in &mut replies {
        let message = reply.map_err(|error| match error {
            ReplyError::Refused(errno) => ConntrackError::Refused { what, errno },
            ReplyError::Malformed(error) => ConntrackError::Malformed(error),
        })?;
        take(&message)?;
    }
    // Flags of replies do not say whether they have an end: the reply to a request for the number of
    // flows is flagged as one of several, and none follows.
    if replies.is_done || !is_dump(request) {
        Ok(())
    } else {
        Err(ConntrackError::Cut { what })
    }
}

fn is_dump(request: &[u8]) -> bool {
    let mut messages = messages(request).flatten();
    messages.any(|message| message.header.flags & DUMP == DUMP)
}

/// The outcome of deleting flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Deleted {
    /// How many were deleted.
    pub(super) deleted: usize,
    /// How many the kernel kept.
    pub(super) kept: usize,
    /// Why it kept the first of them.
    pub(super) errno: Option<Errno>,
}

/// Deletes flows, in one send. The kernel handles one message after another and reports errors.
/// Only the last message requests an acknowledgement: one for each might not fit into the socket's
/// buffer.
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
        let flag = if left.peek().is_none() { ACK } else { 0 };
        let family = Family::from(flow.original.addresses.family());
        let (kind, flags) = (wire::DELETE, REQUEST | flag);
        wire::message(&mut request, kind, flags, sequence, family, |body| {
            wire::encode_key(flow, body);
        });
    }
    replies.clear();
    transport.exchange(&request, replies)?;

    let mut deleted = Deleted::default();
    let mut gone = 0;
    let mut is_last_answered = false;
    for message in messages(replies) {
        let message = message?;
        if message.header.kind != Header::ERROR {
            continue;
        }
        let ack = ack(&message)?;
        is_last_answered |= ack.original.sequence == sequence;
        match (ack.error, Errno::from_raw(ack.error)) {
            (0, _) => {}
            // It ended by itself, or another with the same tuple has begun.
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
