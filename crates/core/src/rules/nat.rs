//! The rules that translate the sources of a subnet.

use super::action::Action;
use super::kind::RuleKind;
use super::layer::Layer;
use super::matches::{Destination, Matches, Protocol};
use crate::network::{AddressRange, InterfaceName, PortRange, Subnet};

/// How the sources of packets are translated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Translation {
    /// The addresses to use, instead of the outgoing device's.
    pub addresses: Option<AddressRange>,
    /// The ports of tcp and udp.
    pub ports: PortRange,
}

/// The destinations to which packets keep their source, and the kind of the rule that says so.
pub const UNTRANSLATED: [(RuleKind, Destination); 2] = [
    (RuleKind::KeepBroadcast, Destination::Broadcast),
    (RuleKind::KeepMulticast, Destination::LinkLocalMulticast),
];

impl Translation {
    /// The action for tcp and udp, or for other protocols, which have no ports.
    #[must_use]
    pub fn action(self, has_ports: bool) -> Action {
        let ports = has_ports.then_some(self.ports);
        match self.addresses {
            None => Action::Masquerade { ports },
            Some(addresses) => Action::Snat { addresses, ports },
        }
    }

    /// The translation that an action with ports is part of.
    #[must_use]
    pub fn of(action: Action) -> Option<Self> {
        let (addresses, ports) = match action {
            Action::Masquerade { ports } => (None, ports),
            Action::Snat { addresses, ports } => (Some(addresses), ports),
            _ => return None,
        };
        let ports = ports?;
        Some(Self { addresses, ports })
    }

    /// What the rules for one subnet match and do, in the order of issue.
    pub fn rules(
        self,
        subnet: Subnet,
        device: Option<&InterfaceName>,
    ) -> impl Iterator<Item = (RuleKind, Matches, Action)> {
        let layer = Layer::from(subnet.family());
        let to = move |destination, protocol| Matches {
            source: Some(subnet),
            destination: Some(destination),
            out_interface: device.cloned(),
            protocol,
            ..Matches::default()
        };
        let translated = [None, Some(Protocol::Udp), Some(Protocol::Tcp)]
            .into_iter()
            .map(move |protocol| {
                let matches = to(Destination::NotIn(subnet), protocol);
                (RuleKind::Nat, matches, self.action(protocol.is_some()))
            });
        let untranslated = UNTRANSLATED
            .into_iter()
            .filter(move |(kind, _)| kind.layers().contains(&layer))
            .map(move |(kind, destination)| (kind, to(destination, None), Action::Return));
        translated.chain(untranslated)
    }
}
