//! A packet through tables, as the kernel runs them: any tables, whoever made them.
//!
//! [`Tables`] are what a dump gives, or what a layout makes. [`evaluate`] sends a packet through
//! their base chains, in the order of hooks and priorities: a drop or a reject anywhere ends it, an
//! accept ends only its base chain. Expressions run as in the kernel, on bytes of which not every
//! bit may be known; what depends on something that a packet of ours does not say (a mark, a limit,
//! a routing table), or on an expression that this build does not know, is neither taken for true
//! nor for false: the outcome tells which rule may still change the verdict, and to what.
//!
//! Where it is said which bridges there are, packets pass them as frames too, and the devices.
//!
//! It knows nothing of routing, or of what a translation before routing does to the rest of the way: a
//! packet is taken as its interfaces and addresses say.

mod answer;
mod bits;
mod frame;
mod lookup;
mod registers;
mod step;
mod subject;
mod tables;
#[cfg(test)]
mod tests;
mod walk;
mod words;

use palisade_core::evaluate::{Fate, Outcome, Packet};

pub use tables::Tables;
use walk::Walk;

/// What becomes of a packet in these tables, and which rules it meets.
#[must_use]
pub fn evaluate(tables: &Tables<'_>, packet: &Packet) -> Outcome {
    Walk::new(tables, packet).with_path().outcome()
}

/// What becomes of a packet in these tables; quicker than [`evaluate`], and silent about doubts.
#[must_use]
pub fn fate(tables: &Tables<'_>, packet: &Packet) -> Fate {
    Walk::new(tables, packet).outcome().fate
}
