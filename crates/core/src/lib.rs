//! What a virtual network is, which rules it asks of a firewall, and what is running.
//!
//! This crate knows networks ([`network`]), the rules they mean ([`rules`]), the trait that each
//! backend implements ([`backend`]), the state directory that remembers what was installed
//! ([`state`], kept in some [`storage`], with a [`journal`] of what is under way), and how goals
//! become changes of both ([`engine`]). It knows nothing of netlink, of iptables or of file formats
//! of definitions.
#![forbid(unsafe_code)]

pub mod backend;
mod backend_id;
mod counted;
pub mod engine;
mod error_kind;
pub mod evaluate;
mod frame;
mod hint;
pub mod host_action;
pub mod identity;
mod installed;
pub mod journal;
pub mod location;
pub mod network;
mod network_owner;
mod origin;
pub mod owner;
pub mod record;
pub mod rules;
pub mod state;
pub mod storage;
pub mod unrecorded;
pub mod user_namespace;
pub mod uses;
pub mod words;

pub use error_kind::ErrorKind;
pub use hint::Hint;
pub use network::Network;
pub use network_owner::NetworkOwner;
pub use rules::Ruleset;
