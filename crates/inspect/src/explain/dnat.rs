//! Packets that get another destination on their way, and where they go then.

use std::net::{IpAddr, SocketAddr};

use palisade_core::evaluate::{Doubt, DoubtKind, Flow, Ground, Nat, Outcome, Packet, Verdict};
use palisade_core::network::{InterfaceName, Name, Network, PortForward, PortRange};
use palisade_netlink::rtnetlink::Host;
use serde::Serialize;

use super::routes;

/// What gives a packet another destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dnat {
    /// The new destination.
    pub to: SocketAddr,
    /// The network whose forward it is; none for a rule of another program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Name>,
    /// The forward.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forward: Option<PortForward>,
    /// Which rule does it, and why, in words.
    pub because: String,
}

/// What becomes of a packet, with its new destination if it gets one.
pub(super) struct Followed {
    /// The packet as it leaves.
    pub(super) packet: Packet,
    pub(super) outcome: Outcome,
    pub(super) dnat: Option<Dnat>,
    pub(super) assumptions: Vec<String>,
    pub(super) notes: Vec<String>,
}

/// Where a packet is explained: the rules, the networks, and the host if there is one.
#[derive(Clone, Copy)]
pub(super) struct Scenery<'a> {
    pub(super) ground: &'a Ground<'a>,
    pub(super) networks: &'a [Network],
    pub(super) host: Option<&'a Host>,
}

impl Scenery<'_> {
    /// What becomes of a packet, also behind a rule that gives it another destination.
    pub(super) fn follow(&self, packet: &Packet) -> Followed {
        let mut followed = Followed {
            outcome: self.ground.evaluate(packet),
            packet: packet.clone(),
            dnat: None,
            assumptions: Vec::new(),
            notes: Vec::new(),
        };
        if packet.flow.is_known() {
            self.follow_known(&mut followed);
        } else if let Nat::Dnat { to } = followed.outcome.fate.nat {
            let dnat = self.dnat(packet, to, &followed.outcome);
            self.redirect(&mut followed, dnat);
        }
        followed
    }

    /// A packet of an established connection goes where the first one went; or it answers one that was
    /// translated.
    fn follow_known(&self, followed: &mut Followed) {
        let mut first = followed.packet.clone();
        first.flow = Flow::New;
        let outcome = self.ground.evaluate(&first);
        if let Nat::Dnat { to } = outcome.fate.nat {
            let assumed = format!("the connection goes to {to} since its first packet");
            followed.assumptions.push(assumed);
            let dnat = self.dnat(&first, to, &outcome);
            self.redirect(followed, dnat);
        } else if let Some((network, forward)) = self.answered(&first) {
            let name = network.name();
            let assumed = format!("it answers a connection to the forward `{forward}` of `{name}`");
            followed.assumptions.push(assumed);
            followed.packet.redirected = true;
            followed.outcome = self.ground.evaluate(&followed.packet);
        }
    }

    /// Sends the packet on with its new destination.
    fn redirect(&self, followed: &mut Followed, dnat: Dnat) {
        let to = dnat.to;
        followed.dnat = Some(dnat);
        let Some(out) = self.way(to.ip(), &mut followed.notes) else {
            followed
                .outcome
                .doubts
                .extend(nowhere(&followed.outcome, to));
            return;
        };
        if let Some(behind) = followed.packet.with_dnat(to, out) {
            followed.outcome = self.ground.evaluate(&behind);
            followed.packet = behind;
        }
    }

    fn dnat(&self, packet: &Packet, to: SocketAddr, outcome: &Outcome) -> Dnat {
        let mut applied = outcome.path.iter().rev();
        let rule = applied.find(|visit| visit.matched == Some(true));
        let name = rule.and_then(|visit| visit.network.clone());
        let network = self
            .networks
            .iter()
            .find(|n| Some(n.name()) == name.as_ref());
        let leads = |forward: &&PortForward| leads(forward, packet, to);
        let mut forwards = network.into_iter().flat_map(Network::port_forwards);
        Dnat {
            to,
            network: name,
            forward: forwards.find(leads).cloned(),
            because: outcome.nat_because.clone(),
        }
    }

    /// The forward to whose guest the source of a packet belongs.
    fn answered(&self, packet: &Packet) -> Option<(&Network, &PortForward)> {
        let is_answer = |forward: &&PortForward| {
            let target = forward.target();
            is_of_protocol(forward, packet)
                && target.address() == packet.source()
                && packet.source_port.is_some_and(|p| holds(target.ports(), p))
        };
        let its = |network: &&Network| network.bridge() == packet.in_interface.as_ref();
        let mut networks = self.networks.iter().filter(its);
        networks.find_map(|network| {
            let forward = network.port_forwards().iter().find(is_answer)?;
            Some((network, forward))
        })
    }

    /// The interface by which the host sends packets to an address, or none if it takes them itself.
    fn way(&self, to: IpAddr, notes: &mut Vec<String>) -> Option<Option<InterfaceName>> {
        if let Some(host) = self.host {
            if routes::is_local(host, to) {
                return Some(None);
            }
            if let Some(way) = routes::way(host, to) {
                return Some(Some(way.interface()?));
            }
            notes.push(format!(
                "the host has no route to {to}: as it is now, it sends no such packet on"
            ));
        }
        let is_behind = |network: &&Network| {
            let mut subnets = network.subnets().iter();
            subnets.any(|subnet| subnet.net().contains(&to))
        };
        let network = self.networks.iter().find(is_behind)?;
        Some(Some(network.bridge()?.clone()))
    }
}

/// Whether a forward gives a packet this destination.
fn leads(forward: &PortForward, packet: &Packet, to: SocketAddr) -> bool {
    let (listen, target) = (forward.listen(), forward.target());
    let is_at = listen.address().is_none_or(|at| at == packet.destination());
    let port = packet
        .destination_port
        .filter(|&p| holds(listen.ports(), p));
    let place = port.map(|port| port - listen.ports().start());
    let mut sources = forward.sources().iter();
    let is_from =
        forward.sources().is_empty() || sources.any(|s| s.net().contains(&packet.source()));
    is_of_protocol(forward, packet)
        && is_at
        && is_from
        && target.address() == to.ip()
        && place.and_then(|place| target.ports().start().checked_add(place)) == Some(to.port())
}

fn is_of_protocol(forward: &PortForward, packet: &Packet) -> bool {
    palisade_core::rules::Protocol::from(forward.protocol()).number() == packet.protocol
}

/// What is left open of a packet that goes to where no route leads.
fn nowhere(outcome: &Outcome, to: SocketAddr) -> Option<Doubt> {
    let rule = outcome.path.last()?;
    Some(Doubt {
        kind: DoubtKind::Translation,
        base: rule.chain.clone(),
        table: rule.table.clone().unwrap_or_default(),
        chain: rule.chain.clone(),
        rule: rule.rule.clone(),
        why: format!("where the host sends packets to {to} is not known here"),
        may: vec![Verdict::Reject, Verdict::Drop],
        may_translate: true,
    })
}

fn holds(ports: PortRange, port: u16) -> bool {
    (ports.start()..=ports.end()).contains(&port)
}
