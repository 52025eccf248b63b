//! Packets that rules log to NFLOG groups: `linux/netfilter/nfnetlink_log.h`.
//!
//! Each group has one reader in a network namespace, which receives the beginning of each packet, the
//! text that the rule logs with it, and the interfaces that it passes.

mod client;
mod error;
mod headers;
mod message;

pub use client::{Heard, Nflog};
pub use error::NflogError;
pub use headers::PacketHeaders;
pub use message::LoggedPacket;
