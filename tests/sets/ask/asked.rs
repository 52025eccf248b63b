//! Questions on their way, and what becomes of them.

use std::net::SocketAddr;

/// What became of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It was answered, by one who saw this source. The port of an echo request is 0.
    Answered(SocketAddr),
    /// It arrived, from this source, and no answer came back.
    Arrived(SocketAddr),
    Refused,
    Lost,
}

/// Questions of one kind, which are on their way.
pub(super) trait Asked {
    /// Takes what has come; whether anything has.
    fn listen(&mut self, fates: &mut [Fate]) -> bool;
    /// Whether more must come, or be given up.
    fn is_open(&self) -> bool;
}

/// What tells a question from all others.
pub(super) fn token(number: usize) -> [u8; 4] {
    u32::try_from(number)
        .expect("there are not so many")
        .to_be_bytes()
}

/// The number of the question that it tells.
pub(super) fn number(token: &[u8]) -> Option<usize> {
    let token: [u8; 4] = token.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(token)).ok()
}
