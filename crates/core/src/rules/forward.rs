//! The rules of port forwards.
//!
//! A range of ports is a rule for each port, so that every layout can make an element of it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::action::Action;
use super::kind::RuleKind;
use super::layer::Layer;
use super::matches::{Destination, Matches, Protocol};
use super::rule::Rule;
use crate::network::{
    Forward, ForwardProtocol, InterfaceName, Listen, Network, PortForward, PortRange, Subnet,
    Target,
};

/// What a rule of a forward matches and does.
type Issued = (RuleKind, Matches, Action);

/// The guest's end of forwards.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Reached {
    protocol: Protocol,
    guest: Subnet,
    port: u16,
}

/// The rules by which a network's forwards lead to its guests, and let them be reached, in the order of
/// issue.
pub(super) fn forward_rules(
    network: &Network,
    bridge: &InterfaceName,
    layer: Layer,
) -> impl Iterator<Item = Issued> {
    let here = move |forward: &&PortForward| Layer::from(forward.family()) == layer;
    let forwards = || network.port_forwards().iter().filter(here);
    let reached: BTreeSet<Reached> = forwards().flat_map(reached).collect();
    let device = network.forward().device();
    // Elsewhere the network lets its guests answer whomever they like.
    let needs_answers = device.is_some() || *network.forward() == Forward::Isolated;
    let to_guests = reached.into_iter().flat_map(move |reached| {
        let answer = needs_answers.then(|| reached.answer(bridge));
        let [from_elsewhere, from_guest] = reached.reach(bridge, device);
        answer.into_iter().chain([from_elsewhere, from_guest])
    });
    to_guests.chain(forwards().flat_map(redirections))
}

/// The rules by which guests reach guests of their own subnet at a forward: the answer must come back by
/// the host, which gave the connection its destination.
pub(super) fn hairpin_rules(network: &Network) -> impl Iterator<Item = (Layer, Issued)> {
    let is_reached = |subnet: &&Subnet| {
        let mut forwards = network.port_forwards().iter();
        forwards.any(|forward| subnet.net().contains(&forward.target().address()))
    };
    let subnets = network.subnets().iter().filter(is_reached);
    subnets.map(|&subnet| {
        let matches = Matches {
            source: Some(subnet),
            destination: Some(Destination::In(subnet)),
            redirected: true,
            ..Matches::default()
        };
        let masquerade = Action::Masquerade { ports: None };
        let rule = (RuleKind::Hairpin, matches, masquerade);
        (Layer::from(subnet.family()), rule)
    })
}

/// The rules that give connections to a forward their guest as destination.
fn redirections(forward: &PortForward) -> impl Iterator<Item = Issued> {
    let protocol = Protocol::from(forward.protocol());
    let at = forward.listen().address();
    let address = forward.target().address();
    ports(forward).flat_map(move |(listen, port)| {
        sources(forward).map(move |source| {
            let kind = match at {
                Some(_) => RuleKind::ForwardAt,
                None => RuleKind::ForwardAny,
            };
            let matches = Matches {
                source,
                destination: at.and_then(Subnet::of_host).map(Destination::In),
                protocol: Some(protocol),
                destination_port: Some(listen),
                to_host: at.is_none(),
                ..Matches::default()
            };
            (kind, matches, Action::Dnat { address, port })
        })
    })
}

/// The forwards whose rules these are. Ports side by side that lead alike are one range.
pub(super) fn read_back<'r>(rules: impl Iterator<Item = &'r Rule>) -> Vec<PortForward> {
    let mut sources: BTreeMap<Led, Vec<Subnet>> = BTreeMap::new();
    for rule in rules {
        if let Some(led) = Led::of(rule) {
            sources.entry(led).or_default().extend(rule.matches.source);
        }
    }
    let mut ranges: Vec<(Led, u16, Vec<Subnet>)> = Vec::new();
    for (led, mut sources) in sources {
        sources.sort();
        match ranges.last_mut() {
            Some((first, more, of)) if *of == sources && first.is_before(*more, led) => *more += 1,
            _ => ranges.push((led, 0, sources)),
        }
    }
    let forwards = ranges.into_iter();
    let forwards = forwards.filter_map(|(first, more, sources)| first.forward(more, sources));
    forwards.collect()
}

/// A port of the host, and where it leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Led {
    protocol: Protocol,
    at: Option<IpAddr>,
    address: IpAddr,
    listen: u16,
    port: u16,
}

impl Led {
    fn of(rule: &Rule) -> Option<Self> {
        let Action::Dnat { address, port } = rule.action else {
            return None;
        };
        let at = match rule.matches.destination {
            Some(Destination::In(host)) => Some(host.network()),
            _ => None,
        };
        Some(Self {
            protocol: rule.matches.protocol?,
            at,
            address,
            listen: rule.matches.destination_port?,
            port,
        })
    }

    /// Whether another is the port behind this one and so many more.
    fn is_before(self, more: u16, other: Self) -> bool {
        let behind = |port: u16| port.checked_add(more)?.checked_add(1);
        let ends = (behind(self.listen), behind(self.port));
        let is_alike =
            (self.protocol, self.at, self.address) == (other.protocol, other.at, other.address);
        is_alike && ends == (Some(other.listen), Some(other.port))
    }

    /// The forward of this port and so many more.
    fn forward(self, more: u16, sources: Vec<Subnet>) -> Option<PortForward> {
        let mut protocols = ForwardProtocol::ALL.into_iter();
        let protocol = protocols.find(|it| Protocol::from(*it) == self.protocol)?;
        let range = |start: u16| PortRange::new(start, start.checked_add(more)?).ok();
        let listen = Listen::new(self.at, range(self.listen)?).ok()?;
        let target = Target::new(self.address, range(self.port)?);
        let forward = PortForward::new(protocol, listen, target).ok()?;
        match sources.is_empty() {
            true => Some(forward),
            false => forward.with_sources(sources).ok(),
        }
    }
}

/// The ports of the host, each with the guest's.
fn ports(forward: &PortForward) -> impl Iterator<Item = (u16, u16)> + use<> {
    let (listen, target) = (forward.listen().ports(), forward.target().ports());
    (listen.start()..=listen.end()).zip(target.start()..=target.end())
}

fn sources(forward: &PortForward) -> impl Iterator<Item = Option<Subnet>> {
    let every = forward.sources().is_empty().then_some(None);
    let some = forward.sources().iter().copied().map(Some);
    every.into_iter().chain(some)
}

fn reached(forward: &PortForward) -> impl Iterator<Item = Reached> {
    let protocol = Protocol::from(forward.protocol());
    let guest = Subnet::of_host(forward.target().address());
    let of_port = move |(_, port)| {
        let guest = guest?;
        Some(Reached {
            protocol,
            guest,
            port,
        })
    };
    ports(forward).filter_map(of_port)
}

impl Reached {
    /// `daddr T [iifname D] oifname B PROTOCOL dport P ct status dnat accept`, and above that one the same
    /// without the device, where the sender's network decides.
    fn reach(self, bridge: &InterfaceName, device: Option<&InterfaceName>) -> [Issued; 2] {
        let from_guest = Matches {
            out_interface: Some(bridge.clone()),
            destination: Some(Destination::In(self.guest)),
            protocol: Some(self.protocol),
            destination_port: Some(self.port),
            redirected: true,
            ..Matches::default()
        };
        let from_elsewhere = Matches {
            in_interface: device.cloned(),
            ..from_guest.clone()
        };
        [
            (RuleKind::ForwardIn, from_elsewhere, Action::Accept),
            (
                RuleKind::ForwardFromGuest,
                from_guest,
                Action::SenderDecides,
            ),
        ]
    }

    /// `saddr T iifname B PROTOCOL sport P ct status dnat ct state established,related accept`.
    fn answer(self, bridge: &InterfaceName) -> Issued {
        let matches = Matches {
            in_interface: Some(bridge.clone()),
            source: Some(self.guest),
            protocol: Some(self.protocol),
            source_port: Some(self.port),
            known_flow: true,
            redirected: true,
            ..Matches::default()
        };
        (RuleKind::ForwardAnswer, matches, Action::Accept)
    }
}
