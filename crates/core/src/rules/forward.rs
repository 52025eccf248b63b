//! The rules of port forwards.
//!
//! A range of ports is a rule for each port, so that every layout can make an element of it.

use std::collections::BTreeSet;
use std::iter;
use std::net::IpAddr;

use super::action::Action;
use super::kind::RuleKind;
use super::layer::Layer;
use super::matches::{Destination, Matches, Protocol};
use crate::network::{Forward, InterfaceName, Network, PortForward, Subnet};

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
                destination: at.and_then(alone).map(Destination::In),
                protocol: Some(protocol),
                destination_port: Some(listen),
                to_host: at.is_none(),
                ..Matches::default()
            };
            (kind, matches, Action::Dnat { address, port })
        })
    })
}

/// The ports of the host, each with the guest's.
fn ports(forward: &PortForward) -> impl Iterator<Item = (u16, u16)> + use<> {
    let (listen, target) = (forward.listen().ports(), forward.target().ports());
    (listen.start()..=listen.end()).zip(target.start()..=target.end())
}

fn sources(forward: &PortForward) -> impl Iterator<Item = Option<Subnet>> {
    let every = forward.sources().is_empty().then_some(None);
    let some = forward.sources().iter().copied().map(Some);
    iter::chain(every, some)
}

fn reached(forward: &PortForward) -> impl Iterator<Item = Reached> {
    let protocol = Protocol::from(forward.protocol());
    let guest = alone(forward.target().address());
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

/// The subnet of one address.
fn alone(address: IpAddr) -> Option<Subnet> {
    Subnet::new(address, if address.is_ipv4() { 32 } else { 128 }).ok()
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
