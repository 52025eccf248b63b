//! nf_tables natively: typed objects, the layouts of palisade's tables, and the wire format.
//!
//! [`object`] has the kernel's objects as types, [`wire`] their bytes, [`statement`] what rules say
//! in nft's words. [`layout`] says where a network's rules live, [`program`] is a whole table,
//! [`dump`] reads one from the kernel and [`lift`] reads its meaning. [`batch`] collects changes,
//! a socket of `palisade-netlink` carries them to the kernel. [`backend`] does with all of this what
//! the engine asks for. [`evaluate`] says what becomes of a packet in any tables, and [`trace`] what
//! real packets meet.
#![deny(unsafe_code)]

pub mod backend;
pub mod batch;
pub mod dump;
pub mod evaluate;
pub mod events;
#[cfg(any(test, feature = "test-doubles"))]
pub mod fake;
mod identity;
pub mod layout;
pub mod lift;
pub mod object;
pub mod owner;
pub mod program;
pub mod statement;
pub mod trace;
pub mod wire;

pub use backend::Nftables;
