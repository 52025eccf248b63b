//! Packets that get another destination on their way, and where they go then.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use palisade_core::evaluate::{
    Destination, Doubt, DoubtKind, Fate, Flow, Ground, Nat, Outcome, Packet, Verdict,
};
use palisade_core::network::{Family, Name, Network, PortForward, PortRange};
use palisade_netlink::rtnetlink::HostError;
use serde::Serialize;

use super::host_address::address_on;
use super::resolve::Resolved;
use crate::routing::{MAIN, NoWay, Onward, Routing, Way};

/// Why the source of a packet stays that never leaves.
const NOT_SO_FAR: &str = "it does not get that far";

/// What gives a packet another destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dnat {
    /// The new destination.
    pub to: Destination,
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
    /// Why the host sends it nowhere, if it does not.
    pub(super) no_way: Option<NoWay>,
    /// The way on that the kernel names.
    pub(super) route: Option<Onward>,
    pub(super) dnat: Option<Dnat>,
    pub(super) assumptions: Vec<String>,
}

/// Where a packet is explained: the rules, the networks, and the host's routing if there is a host.
#[derive(Clone, Copy)]
pub(super) struct Scenery<'a> {
    pub(super) ground: &'a Ground<'a>,
    pub(super) networks: &'a [Network],
    pub(super) routing: Option<&'a Routing>,
}

impl Scenery<'_> {
    /// What becomes of a packet, also behind a rule that gives it another destination.
    ///
    /// # Errors
    /// If the kernel does not answer.
    pub(super) fn follow(&self, resolved: &Resolved) -> Result<Followed, HostError> {
        let packet = &resolved.packet;
        let mut followed = Followed {
            outcome: match &resolved.no_way {
                None => self.ground.evaluate(packet),
                Some(_) if packet.out_interface.is_some() => self.ground.evaluate(packet),
                Some(no_way) if packet.in_interface.is_none() || no_way.is_before_rules() => {
                    unmet()
                }
                Some(_) => Outcome {
                    nat_because: NOT_SO_FAR.to_owned(),
                    ..self.ground.before_routing(packet)
                },
            },
            packet: packet.clone(),
            no_way: resolved.no_way.clone(),
            route: resolved.route.clone(),
            dnat: None,
            assumptions: Vec::new(),
        };
        if packet.flow.is_known() {
            self.follow_known(&mut followed)?;
        } else if let Nat::Dnat { to } = followed.outcome.fate.nat {
            let dnat = self.dnat(packet, to, &followed.outcome);
            self.redirect(&mut followed, dnat)?;
        }
        self.doubt_route(&mut followed);
        Ok(followed)
    }

    /// Where rules of policy routing ask for a mark that is not known, the way of the packet is not.
    fn doubt_route(&self, followed: &mut Followed) {
        let packet = &followed.packet;
        if packet.is_frame || !self.asks_marks(packet) {
            return;
        }
        // A mark that it gets behind the routing comes too late.
        let is_marked = match packet.in_interface {
            Some(_) => self.ground.before_routing(packet).is_marked,
            None => followed.outcome.is_marked,
        };
        if is_marked {
            let passes = followed.outcome.fate.verdict.passes();
            let may_pass = passes && followed.no_way.is_none();
            followed.no_way = None;
            followed.outcome.doubts.push(by_mark(may_pass));
        }
    }

    /// Whether the route of a packet depends on its mark.
    pub(super) fn asks_marks(&self, packet: &Packet) -> bool {
        let to = packet.destination();
        self.routing.is_some_and(|routing| routing.asks_marks(to))
    }

    /// A packet of an established connection goes where the first one went; or it answers one that was
    /// translated.
    fn follow_known(&self, followed: &mut Followed) -> Result<(), HostError> {
        let mut first = followed.packet.clone();
        first.flow = Flow::New;
        let outcome = self.ground.evaluate(&first);
        if let Nat::Dnat { to } = outcome.fate.nat {
            let assumed = format!("the connection goes to {to} since its first packet");
            followed.assumptions.push(assumed);
            let dnat = self.dnat(&first, to, &outcome);
            self.redirect(followed, dnat)?;
        } else if let Some((network, forward)) = self.answered(&first) {
            let name = network.name();
            let assumed = format!("it answers a connection to the forward `{forward}` of `{name}`");
            followed.assumptions.push(assumed);
            followed.packet.redirected = true;
            followed.outcome = self.ground.evaluate(&followed.packet);
        }
        Ok(())
    }

    /// Sends the packet on with its new destination.
    fn redirect(&self, followed: &mut Followed, dnat: Dnat) -> Result<(), HostError> {
        let to = dnat.to;
        followed.dnat = Some(dnat);
        (followed.no_way, followed.route) = (None, None);
        let to = (to.address, to.port);
        let (Some(address), port) = to else {
            let doubt = nowhere(
                &followed.outcome,
                "the host has no address to redirect packets to",
            );
            followed.outcome.doubts.extend(doubt);
            return Ok(());
        };
        // A frame whose address stays is not routed either.
        let is_kept = address == followed.packet.destination();
        let kept = followed.packet.out_interface.clone().filter(|_| is_kept);
        let Some(mut behind) = followed.packet.with_dnat((address, port), kept) else {
            return Ok(());
        };
        if behind.out_interface.is_some() {
            followed.outcome = self.ground.evaluate(&behind);
            followed.packet = behind;
            return Ok(());
        }
        let out = match self.way(&behind)? {
            Some(Way::On(way)) => {
                let device = way.device.clone();
                let carried = self
                    .routing
                    .map(|routing| routing.carries(&device, &behind));
                let lost = carried.and_then(Result::err);
                followed.no_way = self.cut_off(&behind).or(lost);
                followed.route = Some(way);
                Some(device)
            }
            Some(Way::ToHost) => None,
            Some(Way::Nowhere(no_way)) => {
                followed.no_way = Some(self.cut_off(&behind).unwrap_or(no_way));
                return Ok(());
            }
            None => {
                let why = format!("where the host sends packets to {address} is not known here");
                let doubt = nowhere(&followed.outcome, &why);
                followed.outcome.doubts.extend(doubt);
                return Ok(());
            }
        };
        behind.out_interface = out;
        followed.outcome = self.ground.evaluate(&behind);
        followed.packet = behind;
        Ok(())
    }

    fn dnat(&self, packet: &Packet, to: Destination, outcome: &Outcome) -> Dnat {
        let to = self.resolved(packet, to);
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

    /// A destination in full: the host's own address is that of the interface where the packet came in, or a
    /// loopback address, and the port may stay the packet's own.
    fn resolved(&self, packet: &Packet, to: Destination) -> Destination {
        let family = packet.family();
        let own = || match (&packet.in_interface, self.routing) {
            (None, _) => Some(match family {
                Family::Ipv4 => IpAddr::from(Ipv4Addr::LOCALHOST),
                Family::Ipv6 => Ipv6Addr::LOCALHOST.into(),
            }),
            (Some(input), Some(routing)) => {
                let link = routing.host.link(input.as_str())?;
                address_on(&routing.host, link, family)
            }
            (Some(_), None) => None,
        };
        Destination {
            address: to.address.or_else(own),
            port: to.port.or(packet.destination_port),
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

    /// Why a packet does not come to the guest that it is for: the bridge is down, or not there.
    fn cut_off(&self, packet: &Packet) -> Option<NoWay> {
        let routing = self.routing?;
        let to = packet.destination();
        let is_its = |network: &&Network| {
            let mut subnets = network.subnets().iter();
            subnets.any(|subnet| subnet.net().contains(&to))
        };
        let bridges = self.networks.iter().filter(is_its);
        let mut bridges = bridges.filter_map(Network::bridge);
        bridges.find_map(|bridge| routing.usable(bridge, packet).err())
    }

    /// Where the host sends a packet; none where that is not known.
    fn way(&self, packet: &Packet) -> Result<Option<Way>, HostError> {
        if let Some(routing) = self.routing {
            return routing.way(packet).map(Some);
        }
        let to = packet.destination();
        let is_behind = |network: &&Network| {
            let mut subnets = network.subnets().iter();
            subnets.any(|subnet| subnet.net().contains(&to))
        };
        let network = self.networks.iter().find(is_behind);
        let bridge = network.and_then(Network::bridge).cloned();
        Ok(bridge.map(|device| {
            Way::On(Onward {
                device,
                gateway: None,
                table: MAIN,
                source: None,
            })
        }))
    }
}

/// What becomes of a packet that comes to no rule.
fn unmet() -> Outcome {
    Outcome {
        fate: Fate {
            verdict: Verdict::Accept,
            nat: Nat::None,
        },
        path: Vec::new(),
        nat_because: NOT_SO_FAR.to_owned(),
        doubts: Vec::new(),
        stop: None,
        is_marked: false,
    }
}

/// Whether a forward gives a packet this destination.
fn leads(forward: &PortForward, packet: &Packet, to: Destination) -> bool {
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
        && Some(target.address()) == to.address
        && place.and_then(|place| target.ports().start().checked_add(place)) == to.port
}

fn is_of_protocol(forward: &PortForward, packet: &Packet) -> bool {
    palisade_core::rules::Protocol::from(forward.protocol()).number() == packet.protocol
}

/// What is left open of a packet whose route depends on its mark.
fn by_mark(may_pass: bool) -> Doubt {
    Doubt {
        kind: DoubtKind::Route,
        base: String::new(),
        table: "routing".to_owned(),
        chain: "rules".to_owned(),
        rule: "fwmark".to_owned(),
        why: "which mark rules give the packet is not known here, and its route depends on it"
            .to_owned(),
        may: match may_pass {
            true => vec![Verdict::Reject, Verdict::Drop],
            false => vec![Verdict::Accept],
        },
        may_translate: true,
    }
}

/// What is left open of a packet that goes to where no route leads.
fn nowhere(outcome: &Outcome, why: &str) -> Option<Doubt> {
    let rule = outcome.path.last()?;
    Some(Doubt {
        kind: DoubtKind::Translation,
        base: rule.chain.clone(),
        table: rule.table.clone().unwrap_or_default(),
        chain: rule.chain.clone(),
        rule: rule.rule.clone(),
        why: why.to_owned(),
        may: vec![Verdict::Reject, Verdict::Drop],
        may_translate: true,
    })
}

fn holds(ports: PortRange, port: u16) -> bool {
    (ports.start()..=ports.end()).contains(&port)
}
