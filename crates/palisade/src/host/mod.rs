//! What palisade does on the host beside rules: a file and a row in [`open`] for each kind of action.

#[cfg(feature = "firewalld")]
mod bus;
mod checksum;
#[cfg(feature = "firewalld")]
mod firewalld;
#[cfg(not(feature = "firewalld"))]
#[path = "no_firewalld.rs"]
mod firewalld;
mod zone;

use std::path::Path;

use palisade_core::host_action::HostActionKind;

/// The kinds of actions of a network namespace; none for the caller's.
pub(crate) fn open(namespace: Option<&Path>) -> Vec<Box<dyn HostActionKind>> {
    vec![
        Box::new(checksum::DhcpChecksum::new(namespace)),
        Box::new(zone::ZoneOfBridge::new(namespace)),
    ]
}
