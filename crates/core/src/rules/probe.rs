//! Packets that show whether a rule's traffic passes.

use super::layer::Layer;
use super::matches::Protocol;

/// A packet that must pass on a host where a rule of its kind is in force, without the addresses
/// and interfaces, which depend on the network and the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProbePacket {
    /// What it is, for people.
    pub words: &'static str,
    /// The layers in which it is sent.
    pub layers: &'static [Layer],
    /// Who sends it.
    pub from: Endpoint,
    /// Who receives it.
    pub to: Endpoint,
    /// Its protocol.
    pub protocol: Protocol,
    /// The port that it comes from, if the protocol has ports.
    pub source_port: Option<u16>,
    /// The port that it goes to, if the protocol has ports.
    pub destination_port: Option<u16>,
    /// Whether it belongs to an established connection.
    pub known_flow: bool,
}

/// An end of a probe's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    /// A guest of the network.
    Guest,
    /// Another guest on the same bridge.
    OtherGuest,
    /// A guest that has no address yet.
    NewGuest,
    /// The host's own address on the bridge.
    Host,
    /// The address at which guests look for a DHCP server, which is the host.
    DhcpServer,
    /// A host that is reached by routing.
    Outside,
}

impl Endpoint {
    /// Whether it is the host itself.
    #[must_use]
    pub(crate) fn is_host(self) -> bool {
        matches!(self, Self::Host | Self::DhcpServer)
    }
}

impl ProbePacket {
    /// Whether the host itself receives the packet.
    #[must_use]
    pub fn is_for_host(&self) -> bool {
        self.to.is_host()
    }

    /// Whether the packet reaches a guest by routing.
    #[must_use]
    pub fn comes_in(&self) -> bool {
        self.from == Endpoint::Outside
    }

    /// Whether the packet stays on the bridge.
    #[must_use]
    pub fn stays_on_bridge(&self) -> bool {
        self.to == Endpoint::OtherGuest
    }

    /// The service of the host that it is sent to: protocol and port.
    #[must_use]
    pub fn service(&self) -> Option<(Protocol, u16)> {
        let port = self.destination_port.filter(|_| self.is_for_host())?;
        Some((self.protocol, port))
    }
}
