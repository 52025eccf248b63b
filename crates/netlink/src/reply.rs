//! The replies to one request.

use nix::errno::Errno;

use crate::{Header, Malformed, Message, Messages, ack, flags, messages};

/// The replies to one request, without acknowledgements and the end of a dump.
#[derive(Debug)]
pub struct Replies<'a> {
    messages: Messages<'a>,
    /// Whether the kernel reported the end of a dump.
    pub is_done: bool,
    /// Whether a reply is one of several: a dump, which has an end.
    pub is_dump: bool,
    /// Whether objects changed while they were dumped.
    pub is_interrupted: bool,
}

/// Why there is no further reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyError {
    /// The kernel refused the request.
    Refused(Errno),
    /// The reply is malformed.
    Malformed(Malformed),
}

impl<'a> Replies<'a> {
    /// The replies in these bytes.
    #[must_use]
    pub fn of(bytes: &'a [u8]) -> Self {
        Self {
            messages: messages(bytes),
            is_done: false,
            is_dump: false,
            is_interrupted: false,
        }
    }

    fn take(&mut self, message: Message<'a>) -> Result<Option<Message<'a>>, ReplyError> {
        let Header { kind, flags, .. } = message.header;
        self.is_dump |= flags & flags::MULTI != 0;
        self.is_interrupted |= flags & flags::DUMP_INTERRUPTED != 0;
        match kind {
            Header::ERROR => match ack(&message).map_err(ReplyError::Malformed)?.error {
                0 => Ok(None),
                error => Err(ReplyError::Refused(Errno::from_raw(error))),
            },
            Header::DONE => {
                self.is_done = true;
                Ok(None)
            }
            _ => Ok(Some(message)),
        }
    }
}

impl<'a> Iterator for Replies<'a> {
    type Item = Result<Message<'a>, ReplyError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let message = self.messages.next()?.map_err(ReplyError::Malformed);
            let taken = message.and_then(|message| self.take(message));
            if let Some(reply) = taken.transpose() {
                return Some(reply);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{encode_ack, encode_done, message};

    fn put(bytes: &mut Vec<u8>, flags: u16) {
        message::put(bytes, Header::request(16, flags, 1), &[0; 4], |_| {});
    }

    #[test]
    fn a_dump_and_its_end() {
        let (request, mut bytes) = (Header::request(18, 0x301, 1), Vec::new());
        put(&mut bytes, flags::MULTI);
        put(&mut bytes, flags::MULTI | flags::DUMP_INTERRUPTED);
        let mut replies = Replies::of(&bytes);
        assert_eq!(replies.by_ref().filter(Result::is_ok).count(), 2);
        assert!(replies.is_dump && replies.is_interrupted && !replies.is_done);
        encode_done(request, &mut bytes);
        let mut replies = Replies::of(&bytes);
        assert_eq!(replies.by_ref().count(), 2);
        assert!(replies.is_done);
    }

    #[test]
    fn refusals_are_errors_and_acknowledgements_are_skipped() {
        let (request, mut bytes) = (Header::request(18, 5, 1), Vec::new());
        encode_ack(request, 0, &mut bytes);
        assert_eq!(Replies::of(&bytes).next(), None);
        encode_ack(request, Errno::EPERM as i32, &mut bytes);
        let refused = Some(Err(ReplyError::Refused(Errno::EPERM)));
        assert_eq!(Replies::of(&bytes).next(), refused);
    }
}
