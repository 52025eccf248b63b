//! nf_tables natively: typed objects, the layouts of palisade's tables, and the wire format.
//!
//! [`object`] has the kernel's objects as types, [`wire`] their bytes, [`statement`] what rules say
//! in nft's words. [`layout`] says where a network's rules live, [`program`] is a whole table,
//! [`dump`] reads one from the kernel and [`lift`] reads its meaning. [`batch`] collects changes,
//! [`transport`] and [`socket`] carry them to the kernel. [`backend`] does with all of this what the
//! engine asks for. [`evaluate`] says what becomes of a packet in any tables. [`conntrack`] ends
//! flows that began before their NAT rules came, [`host`] tells of interfaces and routes, and
//! [`trace`] of real packets and what they meet.
#![deny(unsafe_code)]

pub mod backend;
pub mod batch;
pub mod conditions;
pub mod conntrack;
pub mod dump;
pub mod evaluate;
pub mod events;
pub mod host;
pub mod layout;
pub mod lift;
pub mod object;
pub mod program;
pub mod socket;
pub mod statement;
pub mod trace;
pub mod transport;
pub mod wire;

pub use backend::Nftables;
