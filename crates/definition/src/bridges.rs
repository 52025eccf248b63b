//! Bridges that definitions do not name.

use std::net::IpAddr;

use palisade_core::network::{InterfaceName, Name};

/// Knows the bridges of networks whose definitions name none, as libvirt allows it.
pub trait Bridges {
    /// The bridge of a network. The host has these addresses on it, as the definition states.
    fn bridge_of(&self, network: &Name, addresses: &[IpAddr]) -> Option<InterfaceName>;
}

/// Knows no bridges.
pub(crate) struct Unknown;

impl Bridges for Unknown {
    fn bridge_of(&self, _: &Name, _: &[IpAddr]) -> Option<InterfaceName> {
        None
    }
}
