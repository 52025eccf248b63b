//! What networks need of a firewall, whichever program enforces it.
//!
//! A [`Rule`] says for which packets ([`Matches`]) of which [`Layer`] what happens ([`Action`]), for
//! which network it is, and of which [kind](RuleKind) it is. The kind says everything that rules of a
//! kind share: where in a packet's way they are evaluated ([`Role`]), what people read about them,
//! which sum they count for. A [`Ruleset`] is the rules of a set of networks in the order in which
//! packets meet them. Where the rules are installed (tables, chains, sets) depends on the backend:
//! its layout.

mod action;
mod admin;
mod admin_rules;
mod blocked;
mod bridge;
mod clamp;
mod derive;
mod display;
mod forward;
mod kind;
mod layer;
mod matches;
mod nat;
mod probe;
mod read_back;
mod refusal_log;
mod role;
mod rule;
mod ruleset;
mod tag;
mod traffic;
mod unaddressed;

pub use action::Action;
pub use admin::AdminChain;
pub use bridge::bridge_rules;
pub use clamp::clamp_rules;
pub use derive::{Guard, rules};
pub use kind::RuleKind;
pub use layer::Layer;
pub use matches::{Destination, Matches, Protocol};
pub use nat::{Translation, UNTRANSLATED};
pub use probe::{BETWEEN_GUEST_AND_HOST, Carries, Endpoint, FORWARDED, ProbeFlow, ProbePacket};
pub(crate) use read_back::read_back;
pub use refusal_log::RefusalLog;
pub use role::Role;
pub use rule::Rule;
pub use ruleset::Ruleset;
pub use tag::untag;
pub use traffic::{Sum, Traffic};
pub use unaddressed::Unaddressed;
