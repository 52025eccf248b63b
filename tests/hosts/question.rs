//! Connections between the ends of a host's world.

use std::net::{IpAddr, Ipv4Addr};

use palisade_core::evaluate::protocol_number;
use palisade_core::network::InterfaceName;
use palisade_inspect::explain::{self, Explanation, Reply};
use palisade_tests::Chance;

/// An address that both worlds have.
const EVERYWHERE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 30);

/// Somebody with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whom {
    /// A guest on the bridge.
    Guest,
    /// Another one.
    Other,
    /// The world behind `wan0`.
    First,
    /// The world behind `wan1`.
    Second,
    /// The host.
    Host,
}

impl Whom {
    pub(crate) const ALL: [Self; 5] = [
        Self::Guest,
        Self::Other,
        Self::First,
        Self::Second,
        Self::Host,
    ];

    /// The interface of the host behind which they are.
    pub(crate) fn device(self) -> Option<&'static str> {
        match self {
            Self::Guest | Self::Other => Some("virbr0"),
            Self::First => Some("wan0"),
            Self::Second => Some("wan1"),
            Self::Host => None,
        }
    }

    /// Their own addresses.
    fn addresses(self) -> &'static [Ipv4Addr] {
        const GUEST: [Ipv4Addr; 1] = [Ipv4Addr::new(10, 1, 0, 5)];
        const OTHER: [Ipv4Addr; 1] = [Ipv4Addr::new(10, 1, 0, 6)];
        const FIRST: [Ipv4Addr; 2] = [Ipv4Addr::new(192, 0, 2, 2), Ipv4Addr::new(198, 51, 100, 10)];
        const SECOND: [Ipv4Addr; 2] = [
            Ipv4Addr::new(203, 0, 113, 9),
            Ipv4Addr::new(198, 51, 100, 20),
        ];
        const HOST: [Ipv4Addr; 3] = [
            Ipv4Addr::new(10, 1, 0, 1),
            Ipv4Addr::new(192, 0, 2, 1),
            Ipv4Addr::new(203, 0, 113, 1),
        ];
        match self {
            Self::Guest => &GUEST,
            Self::Other => &OTHER,
            Self::First => &FIRST,
            Self::Second => &SECOND,
            Self::Host => &HOST,
        }
    }

    /// All addresses at which they listen.
    pub(crate) fn listens(self) -> impl Iterator<Item = Ipv4Addr> {
        let is_world = [Self::First, Self::Second].contains(&self);
        let own = self.addresses().iter().copied();
        own.chain(is_world.then_some(EVERYWHERE))
    }

    /// Who has an address behind an interface, or on the host.
    pub(crate) fn at(device: Option<&str>, address: IpAddr) -> Option<Self> {
        let mut all = Self::ALL.into_iter().filter(|whom| whom.device() == device);
        all.find(|whom| whom.listens().any(|own| own == address))
    }
}

/// A connection of udp.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question {
    pub(crate) from: Whom,
    pub(crate) source: Ipv4Addr,
    pub(crate) destination: Ipv4Addr,
    /// Each has its own.
    pub(crate) port: u16,
}

impl Question {
    pub(crate) fn random(chance: &mut Chance, number: usize) -> Self {
        let from = *chance.one_of(&Whom::ALL);
        let to = loop {
            let to = *chance.one_of(&Whom::ALL);
            if to != from {
                break to;
            }
        };
        Self {
            from,
            source: *chance.one_of(from.addresses()),
            destination: match chance.below(5) {
                0 if from != Whom::First && from != Whom::Second => EVERYWHERE,
                _ => *chance.one_of(to.addresses()),
            },
            port: 5000 + u16::try_from(number).expect("few connections"),
        }
    }

    /// The port that it comes from.
    pub(crate) fn source_port(&self) -> u16 {
        self.port + 30_000
    }

    /// What is asked of `explain`: nothing of the way on.
    pub(crate) fn asked(&self) -> explain::Question {
        let device = self.from.device();
        explain::Question {
            in_interface: device.map(|name| name.parse().expect("a name")),
            source: Some(self.source.into()),
            destination: Some(self.destination.into()),
            protocol: protocol_number("udp"),
            source_port: Some(self.source_port()),
            destination_port: Some(self.port),
            ..explain::Question::default()
        }
    }

    /// Whether somebody has the address behind the interface through which the packet leaves.
    pub(crate) fn is_there(&self, explanation: &Explanation) -> bool {
        self.receiver(explanation).is_some()
    }

    /// Whether who asked is where the answer goes.
    pub(crate) fn is_asked_at(&self, reply: &Reply) -> bool {
        let device = reply.leaves_by.as_ref().map(InterfaceName::as_str);
        let device = device.or_else(|| self.from.device());
        Whom::at(device, self.source.into()) == Some(self.from)
    }

    fn receiver(&self, explanation: &Explanation) -> Option<Whom> {
        let to = explanation.dnat.as_ref().and_then(|dnat| dnat.to.address);
        let to = to.unwrap_or(self.destination.into());
        let leaves = explanation.leaves().map(InterfaceName::as_str);
        // Nobody takes a packet that comes back with their own address as its source.
        Whom::at(leaves, to).filter(|whom| *whom != self.from)
    }
}
