//! What becomes of a packet: a [`Packet`] goes through rules, and an [`Outcome`] says whether they
//! let it pass, which of them it met, and what NAT does to it.
//!
//! [`evaluate`] and [`fate`] send it through a [`Ruleset`](crate::Ruleset), in one of two
//! [`Reading`]s; [`Difference`] names the packets for which these two disagree. Each backend has an
//! evaluator of its own for what stands in the kernel; all speak of the same packets and outcomes,
//! so that what they say can be compared.

mod classes;
mod condition;
mod difference;
#[cfg(any(test, feature = "test-doubles"))]
pub mod examples;
mod outcome;
mod packet;
mod ruleset;
#[cfg(test)]
mod tests;

pub use classes::each_class;
pub use condition::{Asked, Condition, Conditions, Hook, Test};
pub use difference::{Difference, Meaning};
pub use outcome::{Doubt, Fate, Nat, Outcome, Verdict, Visit};
pub use packet::{Flow, Packet, PacketError, Way};
pub use ruleset::{Reading, evaluate, fate};
