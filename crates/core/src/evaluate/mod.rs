//! What becomes of a packet: a [`Packet`] goes through rules, and an [`Outcome`] says whether they
//! let it pass, which of them it met, and what NAT does to it.
//!
//! There is one walk, through whatever has [`Chains`]: the tables of nf_tables and of iptables, which
//! their crates lay out so, and the rules of networks in one of two [`Reading`]s. A [`Ground`] has any
//! of these together, in the order in which the kernel calls them. [`Difference`] names the packets
//! for which the two readings disagree.
//!
//! Rules run on bytes of which not every bit may be known. What depends on something that a packet of
//! ours does not say (a mark, a limit, a routing table), or on a part of a rule that this build does
//! not know, is neither taken for true nor for false: a [`Doubt`] tells which rule may still change the
//! verdict, and to what.

mod answer;
mod base;
pub mod bits;
mod chains;
mod classes;
mod condition;
mod destination;
mod difference;
#[cfg(any(test, feature = "test-doubles"))]
pub mod examples;
mod ground;
pub mod hook;
mod obstacle;
mod outcome;
mod packet;
mod place;
mod protocol;
mod registry;
mod ruleset;
mod subject;
#[cfg(test)]
mod tests;
mod walk;
pub mod xtables;

pub use answer::Answer;
pub use base::{Base, Families, Seen};
pub use chains::{Action, At, Chains, End, Matched, RuleWords, Step, Unknown};
pub use classes::each_class;
pub use condition::{Asked, Condition, Conditions, Test, UnknownCondition};
pub use destination::Destination;
pub use difference::{Difference, Meaning};
pub use ground::Ground;
pub use hook::{Hook, HookLayer};
pub use obstacle::{DecidingRule, Obstacle, Obstacles};
pub use outcome::{Doubt, DoubtKind, Fate, Nat, Outcome, Stop, Verdict, Visit};
pub use packet::{Flow, Icmp, OriginalDestination, PROTOCOLS_WITH_PORTS, Packet, PacketError, Way};
pub use place::{Device, Devices, Place};
pub use protocol::{protocol_name, protocol_number};
pub use registry::Member;
pub use ruleset::Reading;
pub use subject::{Effect, Header, Read, Subject};
