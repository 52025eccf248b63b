//! The rules of virtual networks through `iptables-restore` and `iptables-save`.
//!
//! [`text`] has what these programs read and print as types; it knows no networks.
#![forbid(unsafe_code)]

pub mod text;
