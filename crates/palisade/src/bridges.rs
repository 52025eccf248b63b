//! Bridges of networks whose definitions name none.

use std::cell::OnceCell;
use std::net::IpAddr;
use std::path::PathBuf;

use palisade_core::network::{InterfaceName, Name};
use palisade_definition::Bridges;
use palisade_netlink::rtnetlink::Host;

/// Finds the bridges of networks whose definitions name none: as the caller says, else by the
/// host's addresses, which are read when they are first needed.
#[derive(Debug, Default)]
pub struct HostBridges {
    named: Vec<(Name, InterfaceName)>,
    namespace: Option<PathBuf>,
    host: OnceCell<Host>,
}

impl HostBridges {
    /// The bridges in the network namespace of this file, or in the caller's; for the networks in
    /// `named`, the bridge beside the name.
    #[must_use]
    pub fn new(named: Vec<(Name, InterfaceName)>, namespace: Option<PathBuf>) -> Self {
        Self {
            named,
            namespace,
            host: OnceCell::new(),
        }
    }

    /// An unreadable host has no addresses: the error of the definition then asks for the name.
    fn host(&self) -> &Host {
        self.host.get_or_init(|| {
            let read = Host::read(self.namespace.as_deref());
            read.unwrap_or_else(|error| {
                log::warn!("bridges cannot be found by their addresses: {error}");
                Host::default()
            })
        })
    }
}

impl Bridges for HostBridges {
    fn bridge_of(&self, network: &Name, addresses: &[IpAddr]) -> Option<InterfaceName> {
        if let Some((_, bridge)) = self.named.iter().find(|(name, _)| name == network) {
            return Some(bridge.clone());
        }
        if addresses.is_empty() {
            return None;
        }
        let host = self.host();
        let carries = |index: u32| {
            let mut own = host.addresses.iter().filter(|own| own.device == index);
            own.any(|own| addresses.contains(&own.address))
        };
        let bridges = host.links.iter().filter(|link| link.is_bridge());
        let mut found = bridges.filter(|link| carries(link.index));
        let first = found.next()?;
        // With one address on two bridges, nobody but the user knows which it is.
        match found.next() {
            None => first.name.parse().ok(),
            Some(_) => None,
        }
    }
}
