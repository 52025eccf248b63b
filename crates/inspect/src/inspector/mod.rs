//! The door into this crate: what can be asked about a firewall.

mod consequence;
mod doctor;
mod explain;
mod libvirt;
mod trace;

use std::path::Path;

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
                let socket = socket_in(self.firewall.namespace())?;
                closed.insert(Nftables::new(Box::new(socket)))
            }
        })
    }
}

/// A socket in a network namespace; none for the caller's.
pub(crate) fn socket_in(namespace: Option<&Path>) -> Result<Socket, SocketError> {
    match namespace {
        Some(path) => Socket::open_in(path.to_owned()),
        None => Socket::open(),
    }
}
