//! What rules ask of packets, whoever enforces them: which values they tell apart from others.

use std::collections::HashSet;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use thiserror::Error;

use super::{Flow, Hook, Packet};
use crate::network::{Family, InterfaceName};
use crate::rules::{Destination, Rule, Unaddressed};

/// What one rule asks of a packet: all of these tests must hold.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Condition {
    /// The tests.
    pub tests: Vec<Test>,
}

/// A test of one field of a packet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Test {
    /// What is asked.
    pub asked: Asked,
    /// Whether the contrary must hold.
    pub is_negated: bool,
}

/// What is asked of one field of a packet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Asked {
    /// It came in through this interface.
    In(InterfaceName),
    /// It leaves through this interface.
    Out(InterfaceName),
    /// Its source is one of these.
    Source(RangeInclusive<IpAddr>),
    /// Its destination is one of these.
    Destination(RangeInclusive<IpAddr>),
    /// Its protocol's number.
    Protocol(u8),
    /// The port that it comes from is one of these.
    SourcePort(RangeInclusive<u16>),
    /// The port that it goes to is one of these.
    DestinationPort(RangeInclusive<u16>),
    /// It goes to an address of the host.
    ToHost,
    /// NAT gave its flow another destination.
    Redirected,
    /// What conntrack knows of its flow is one of these.
    Flow(Vec<Flow>),
    /// The host reaches its source through the interface that it came in through.
    ReversePath,
}

/// A rule that matches more than a [`Condition`] can say.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the rule `{rule}` of chain {chain} asks for more than packets are compared by")]
pub struct UnknownCondition {
    /// Its chain.
    pub chain: String,
    /// The rule, in the words of the backend's usual program.
    pub rule: String,
}

/// What the rules of a family ask, hook by hook. What is asked twice counts once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Conditions {
    all: HashSet<(Hook, Condition)>,
}

impl Conditions {
    /// Adds what a rule asks.
    pub fn add(&mut self, hook: Hook, condition: Condition) {
        self.all.insert((hook, condition));
    }

    /// Adds what others ask.
    pub fn extend(&mut self, others: Self) {
        self.all.extend(others.all);
    }

    /// What is asked here and not there.
    #[must_use]
    pub fn without(mut self, others: &Self) -> Self {
        self.all.retain(|asked| !others.all.contains(asked));
        self
    }

    /// What is asked at a hook, in no order.
    pub fn at(&self, hook: Hook) -> impl Iterator<Item = &Condition> {
        let its = self.all.iter().filter(move |(at, _)| *at == hook);
        its.map(|(_, condition)| condition)
    }

    /// All interfaces that are named.
    pub(super) fn interfaces(&self) -> impl Iterator<Item = &InterfaceName> {
        let tests = self.all.iter().flat_map(|(_, condition)| &condition.tests);
        tests.filter_map(|test| test.asked.interface())
    }
}

impl Condition {
    /// What a rule of a network asks.
    pub(super) fn of(rule: &Rule) -> Self {
        let matches = &rule.matches;
        let destination = matches.destination.map(|destination| {
            let asked = destination.net(rule.layer.family());
            Test {
                asked: Asked::Destination(asked.network()..=asked.broadcast()),
                is_negated: matches!(destination, Destination::NotIn(_)),
            }
        });
        let source = matches.source.map(|subnet| {
            let net = subnet.net();
            Asked::Source(net.network()..=net.broadcast())
        });
        let known = [Flow::Established, Flow::Related];
        let known = matches.known_flow.then(|| Asked::Flow(known.to_vec()));
        let none = [Flow::Invalid, Flow::Untracked];
        let none = matches.no_flow.then(|| Asked::Flow(none.to_vec()));
        let missing = matches.forged.then_some(Test {
            asked: Asked::ReversePath,
            is_negated: true,
        });
        let port = |port: Option<u16>| port.map(|port| port..=port);
        let plain = [
            matches.in_interface.clone().map(Asked::In),
            matches.out_interface.clone().map(Asked::Out),
            source,
            matches.protocol.map(|p| Asked::Protocol(p.number())),
            port(matches.source_port).map(Asked::SourcePort),
            port(matches.destination_port).map(Asked::DestinationPort),
            matches.to_host.then_some(Asked::ToHost),
            matches.redirected.then_some(Asked::Redirected),
            known,
            none,
        ];
        let plain = plain.into_iter().flatten().map(Test::from);
        Self {
            tests: plain.chain(destination).chain(missing).collect(),
        }
    }

    /// What a packet must be beside that, not to count as [forged](Packet::is_forged).
    pub(super) fn unaddressed(mut self, family: Family) -> Self {
        let Unaddressed { source, service } = Unaddressed::of(family);
        let ports = service.map(|(protocol, port)| {
            [
                Asked::Protocol(protocol.number()),
                Asked::DestinationPort(port..=port),
            ]
        });
        let asked = [Asked::Source(source..=source)].into_iter();
        let asked = asked.chain(ports.into_iter().flatten());
        self.tests.extend(asked.map(Test::from));
        self
    }

    /// The same, of packets that passed these tests before.
    pub(super) fn behind(mut self, tests: &[Test]) -> Self {
        let new = tests.iter().filter(|test| !self.tests.contains(test));
        let new: Vec<Test> = new.cloned().collect();
        self.tests.extend(new);
        self
    }

    /// What every rule for NAT asks, said or not: conntrack decides on the first packet of a flow.
    pub(super) fn first_packet() -> Asked {
        Asked::Flow(vec![Flow::New])
    }
}

impl From<Asked> for Test {
    fn from(asked: Asked) -> Self {
        Self {
            asked,
            is_negated: false,
        }
    }
}

impl Condition {
    /// Whether a packet fits.
    #[must_use]
    pub fn holds(&self, packet: &Packet) -> bool {
        self.tests.iter().all(|test| test.holds(packet))
    }

    /// Whether a packet fits, as far as this field tells.
    pub(super) fn is_open(&self, field: Field, packet: &Packet) -> bool {
        let mut of_field = self.tests.iter().filter(|test| test.asked.field() == field);
        of_field.all(|test| test.holds(packet))
    }
}

impl Test {
    fn holds(&self, packet: &Packet) -> bool {
        self.asked.holds(packet) != self.is_negated
    }
}

/// A field of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    In,
    Out,
    Source,
    Destination,
    Protocol,
    SourcePort,
    DestinationPort,
    Redirected,
    Flow,
    ReversePath,
}

impl Asked {
    pub(super) fn field(&self) -> Field {
        match self {
            Self::In(_) => Field::In,
            Self::Out(_) => Field::Out,
            Self::Source(_) => Field::Source,
            // What else says so is chosen before.
            Self::Destination(_) | Self::ToHost => Field::Destination,
            Self::Protocol(_) => Field::Protocol,
            Self::SourcePort(_) => Field::SourcePort,
            Self::DestinationPort(_) => Field::DestinationPort,
            Self::Redirected => Field::Redirected,
            Self::Flow(_) => Field::Flow,
            Self::ReversePath => Field::ReversePath,
        }
    }

    pub(super) fn interface(&self) -> Option<&InterfaceName> {
        match self {
            Self::In(name) | Self::Out(name) => Some(name),
            _ => None,
        }
    }

    pub(super) fn addresses(&self) -> Option<&RangeInclusive<IpAddr>> {
        match self {
            Self::Source(range) | Self::Destination(range) => Some(range),
            _ => None,
        }
    }

    pub(super) fn protocol(&self) -> Option<u8> {
        match self {
            Self::Protocol(number) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn ports(&self) -> Option<&RangeInclusive<u16>> {
        match self {
            Self::SourcePort(range) | Self::DestinationPort(range) => Some(range),
            _ => None,
        }
    }

    fn holds(&self, packet: &Packet) -> bool {
        match self {
            Self::In(name) => packet.in_interface.as_ref() == Some(name),
            Self::Out(name) => packet.out_interface.as_ref() == Some(name),
            Self::Source(range) => range.contains(&packet.source()),
            Self::Destination(range) => range.contains(&packet.destination()),
            Self::Protocol(number) => packet.protocol == *number,
            Self::SourcePort(range) => packet.source_port.is_some_and(|p| range.contains(&p)),
            Self::DestinationPort(range) => {
                packet.destination_port.is_some_and(|p| range.contains(&p))
            }
            Self::ToHost => packet.goes_to_host() == Some(true),
            Self::Redirected => packet.redirected,
            Self::Flow(flows) => flows.contains(&packet.flow),
            Self::ReversePath => packet.reverse_path == Some(true),
        }
    }
}
