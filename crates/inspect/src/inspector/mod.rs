//! The door into this crate: what can be asked about a firewall.

mod consequence;
mod doctor;
mod explain;
mod libvirt;
mod trace;

use palisade::Firewall;
use palisade_netlink::SocketError;

use crate::host_rules::HostReader;

/// Answers questions about the networks of a firewall and their packets. It holds a netlink socket
/// for as long as it lives, opened when it is first needed.
pub struct Inspector<'f> {
    firewall: &'f mut Firewall,
    reader: Option<HostReader>,
}

impl<'f> Inspector<'f> {
    /// The inspector of a firewall and of its network namespace.
    pub fn of(firewall: &'f mut Firewall) -> Self {
        Self {
            firewall,
            reader: None,
        }
    }

    /// Reads the rules of the firewall's network namespace.
    fn reader(&mut self) -> Result<&mut HostReader, SocketError> {
        Ok(match &mut self.reader {
            Some(open) => open,
            closed => closed.insert(HostReader::open(self.firewall.namespace())?),
        })
    }
}
