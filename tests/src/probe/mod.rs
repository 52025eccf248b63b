//! Questions asked with real packets, and what became of them.

pub mod echo;
mod end;
mod stream;
mod tcp;
mod udp;

pub use end::{End, Outcome};
pub use stream::{Receiver, Stream};

/// What a question is asked in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// A connection.
    Tcp,
    /// A datagram and one back.
    Udp,
}

/// Asks, and waits for the answer.
#[must_use]
pub fn ask(protocol: Protocol, from: &End<'_>, to: &End<'_>) -> Outcome {
    match protocol {
        Protocol::Tcp => tcp::ask(from, to),
        Protocol::Udp => udp::ask(from, to),
    }
}
