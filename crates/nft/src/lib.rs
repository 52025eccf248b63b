//! nf_tables natively: the layouts of palisade's tables, the backend that installs them, and what
//! tables mean for packets.
//!
//! [`backend`] installs networks as the engine plans. [`layout`] says where the rules of a network
//! are in a table, [`program`] is a whole table, and [`dump`] reads one from the kernel. A table is
//! made of [`object`]s; [`statement`] reads the meaning of rules and prints them in nft's syntax.
//! [`evaluate`] finds the outcome of a packet in any tables, [`owner`] whose rules they are;
//! [`trace`] follows real packets, and [`events`] reports changes to the ruleset. Requests go
//! through a transport of `palisade-netlink`.
#![deny(unsafe_code)]

mod batch;
#[cfg(test)]
mod fake;
mod lift;
mod wire;

pub mod backend;
pub mod dump;
pub mod evaluate;
pub mod events;
mod identity;
pub mod layout;
pub mod object;
pub mod owner;
#[doc(hidden)]
pub mod parts;
pub mod program;
pub mod statement;
pub mod trace;
