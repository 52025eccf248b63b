//! The rules of virtual networks through `iptables-restore` and `iptables-save`.
//!
//! [`text`] has what these programs read and print as types; it knows no networks. [`rule`] says
//! in their words what a network's rule is, and where it goes; [`lift`] reads what saved tables
//! mean, and [`evaluate`] what they make of a packet. [`run`] runs the programs. [`backend`] does
//! with all of this what the engine asks for.
#![forbid(unsafe_code)]

pub mod backend;
pub mod evaluate;
pub mod lift;
pub mod rule;
pub mod run;
pub mod text;

pub use backend::Iptables;
