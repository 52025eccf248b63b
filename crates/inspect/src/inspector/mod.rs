//! The door into this crate: what can be asked about a firewall.

mod consequence;
mod doctor;
mod explain;
mod libvirt;
mod trace;

use palisade::Firewall;
use palisade_netlink::{Socket, SocketError};
use palisade_nft::backend::Nftables;

/// Answers questions about the networks of a firewall and their packets. It holds a netlink socket
/// for as long as it lives, opened when it is first needed.
pub struct Inspector<'f> {
    firewall: &'f mut Firewall,
    nftables: Option<Nftables>,
}

impl<'f> Inspector<'f> {
    /// The inspector of a firewall and of its network namespace.
    pub fn of(firewall: &'f mut Firewall) -> Self {
        Self {
            firewall,
            nftables: None,
        }
    }

    /// Reads nf_tables in the firewall's network namespace.
    fn nftables(&mut self) -> Result<&mut Nftables, SocketError> {
        Ok(match &mut self.nftables {
            Some(open) => open,
            closed => {
                let socket = Socket::open_in(self.firewall.namespace())?;
                closed.insert(Nftables::new(Box::new(socket)))
            }
        })
    }
}
