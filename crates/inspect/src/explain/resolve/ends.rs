//! Who is at the ends of a packet's way, as far as the question says.

use std::net::IpAddr;

use palisade_core::network::{InterfaceName, Network};

use super::error::ResolveError;
use super::hosts::nth;
use crate::explain::error::ExplainError;
use crate::explain::question::{Endpoint, Question, Who};
use crate::routing::{Routing, is_for_all};

/// Which end of the packet's way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Source,
    Destination,
}

impl End {
    pub(super) const BOTH: [Self; 2] = [Self::Source, Self::Destination];

    pub(super) fn other(self) -> Self {
        match self {
            Self::Source => Self::Destination,
            Self::Destination => Self::Source,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Source => "from",
            Self::Destination => "to",
        }
    }
}

/// Who is at an end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Party<'a> {
    /// A guest of a network.
    Network(&'a Network),
    /// Somebody beyond the host.
    World,
    /// The host.
    Host,
    /// Whoever the host's routes lead to.
    Routed,
}

/// Who is at both ends.
pub(super) struct Ends<'a> {
    source: Party<'a>,
    destination: Party<'a>,
}

impl Question {
    /// The address that is said of an end.
    pub(super) fn said(&self, end: End) -> Option<IpAddr> {
        let said = match end {
            End::Source => self.source,
            End::Destination => self.destination,
        };
        said.or_else(|| self.endpoint(end)?.address)
    }

    fn endpoint(&self, end: End) -> Option<&Endpoint> {
        match end {
            End::Source => self.from.as_ref(),
            End::Destination => self.to.as_ref(),
        }
    }
}

impl<'a> Ends<'a> {
    /// Those of a question.
    ///
    /// # Errors
    /// If it names a network that is not among these, or leads from the host to the host.
    pub(super) fn of(
        question: &Question,
        networks: &'a [Network],
        routing: Option<&Routing>,
    ) -> Result<Self, ExplainError> {
        let asker = Asker {
            question,
            networks,
            routing,
        };
        let ends = Self {
            source: match &question.from {
                Some(end) => asker.named(end)?,
                None => asker.source()?,
            },
            destination: match &question.to {
                Some(end) => asker.named(end)?,
                None => asker.destination(),
            },
        };
        if ends.source == Party::Host && ends.destination == Party::Host {
            return Err(ResolveError::Within.into());
        }
        Ok(ends)
    }

    pub(super) fn at(&self, end: End) -> Party<'a> {
        match end {
            End::Source => self.source,
            End::Destination => self.destination,
        }
    }

    /// The networks at the ends.
    pub(super) fn networks(&self) -> impl Iterator<Item = &'a Network> {
        let ends = [self.source, self.destination].into_iter();
        ends.filter_map(|party| match party {
            Party::Network(network) => Some(network),
            Party::World | Party::Host | Party::Routed => None,
        })
    }
}

struct Asker<'a, 'q> {
    question: &'q Question,
    networks: &'a [Network],
    routing: Option<&'q Routing>,
}

impl<'a> Asker<'a, '_> {
    fn named(&self, end: &Endpoint) -> Result<Party<'a>, ResolveError> {
        let name = match &end.who {
            Who::World => return Ok(Party::World),
            Who::Host => return Ok(Party::Host),
            Who::Network(name) => name,
        };
        let found = self.networks.iter().find(|network| network.name() == name);
        found
            .map(Party::Network)
            .ok_or_else(|| ResolveError::Unknown {
                name: name.clone(),
                known: self.networks.iter().map(|n| n.name().clone()).collect(),
            })
    }

    /// Who sends it, as the interface or the source says.
    fn source(&self) -> Result<Party<'a>, ExplainError> {
        if let Some(interface) = &self.question.in_interface {
            return Ok(self.behind(interface));
        }
        let Some(source) = self.question.source else {
            return Ok(Party::Host);
        };
        let is_own = match self.routing {
            Some(routing) => routing.is_local(source)?,
            None => self.is_first(source),
        };
        Ok(match self.of_subnet(source) {
            _ if is_own => Party::Host,
            Some(network) => Party::Network(network),
            None if self.routing.is_some() => Party::World,
            None => Party::Host,
        })
    }

    /// Whom it is for, as the interface or the destination says.
    fn destination(&self) -> Party<'a> {
        if let Some(interface) = &self.question.out_interface {
            return self.behind(interface);
        }
        match self.question.destination {
            // From outside, packets go to guests rather than through.
            None if self.is_from_outside() => match self.networks.first() {
                Some(network) if network.bridge().is_some() => Party::Network(network),
                _ => Party::Host,
            },
            None => Party::World,
            Some(_) if self.routing.is_some() => Party::Routed,
            Some(to) if is_for_all(to) || self.is_first(to) => Party::Host,
            Some(to) => self.of_subnet(to).map_or(Party::World, Party::Network),
        }
    }

    /// Whether the question says that the packet comes from beyond the networks.
    fn is_from_outside(&self) -> bool {
        let by_end = self.question.from.as_ref();
        let interface = self.question.in_interface.as_ref();
        by_end.is_some_and(|end| end.who == Who::World)
            || interface.is_some_and(|interface| self.behind(interface) == Party::World)
    }

    fn behind(&self, interface: &InterfaceName) -> Party<'a> {
        let is_its = |network: &&Network| network.bridge() == Some(interface);
        let network = self.networks.iter().find(is_its);
        network.map_or(Party::World, Party::Network)
    }

    fn of_subnet(&self, address: IpAddr) -> Option<&'a Network> {
        let holds = |network: &&Network| {
            let mut subnets = network.subnets().iter();
            network.bridge().is_some() && subnets.any(|subnet| subnet.net().contains(&address))
        };
        self.networks.iter().find(holds)
    }

    /// Whether an address is the first of a network's subnet, which is usually the host's.
    fn is_first(&self, address: IpAddr) -> bool {
        let mut subnets = self.networks.iter().flat_map(Network::subnets);
        subnets.any(|&subnet| nth(subnet, 0) == address)
    }
}
