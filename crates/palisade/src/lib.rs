//! A netlink-native firewall engine for virtual networks.
//!
//! Networks are read from [`definition`]s: libvirt's network XML, TOML or JSON.
#![forbid(unsafe_code)]

pub mod definition;
