//! The families of packets for which the kernel's `ip_tables` has rules in a network namespace.

use std::path::Path;

use palisade_core::network::Family;
use palisade_iptables::run::families_in_use;
use palisade_netlink::SocketError;

/// The families for which tables are in use.
///
/// # Errors
/// If the namespace cannot be entered.
pub(in crate::host_rules) fn families(
    namespace: Option<&Path>,
) -> Result<Vec<Family>, SocketError> {
    match namespace {
        None => Ok(families_in_use()),
        Some(path) => palisade_netlink::within(path.to_owned(), || Ok(families_in_use())),
    }
}
