//! What becomes of a packet: a [`Packet`] goes through rules, and an [`Outcome`] says whether they
//! let it pass, which of them it met, and what NAT does to it.
//!
//! Each backend has an evaluator of its own for what stands in the kernel; all speak of the same
//! packets and outcomes, so that what they say can be compared.

mod outcome;
mod packet;

pub use outcome::{Fate, Nat, Outcome, Verdict, Visit};
pub use packet::{Flow, Packet, PacketError};
