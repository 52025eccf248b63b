//! Packets that must pass for a network's guests to have what their definition promises.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Deref;
use std::rc::Rc;

use palisade_core::evaluate::{Flow, Icmp, OriginalDestination, Packet};
use palisade_core::network::{Family, Forward, InterfaceName, Name, Network, PortForward, Subnet};
use palisade_core::rules::{
    BETWEEN_GUEST_AND_HOST, Carries, Endpoint, FORWARDED, Guard, ProbeFlow, ProbePacket, Protocol,
    Rule, RuleKind, rules,
};
use palisade_core::state::Record;
use palisade_netlink::rtnetlink::{Link, RouteKind};

use super::scene::Scene;

/// How many ports that rules name are looked at on a bridge.
const PORTS: usize = 32;

/// Somebody outside, of each family: an address that no rule should know.
const WORLD: (Ipv4Addr, Ipv6Addr) = (
    Ipv4Addr::new(1, 1, 1, 1),
    Ipv6Addr::new(0x2606, 0x4700, 0x4700, 0, 0, 0, 0, 0x1111),
);

/// The source of a guest without an address.
const NEW_GUEST: (Ipv4Addr, Ipv6Addr) = (
    Ipv4Addr::UNSPECIFIED,
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 2),
);
/// The address of all DHCP servers.
const DHCP_SERVERS: (Ipv4Addr, Ipv6Addr) = (
    Ipv4Addr::BROADCAST,
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2),
);

/// The address of all routers.
const ROUTERS: (Ipv4Addr, Ipv6Addr) = (
    Ipv4Addr::new(224, 0, 0, 2),
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2),
);

/// A packet, whose it is, and what for.
#[derive(Debug, Clone)]
pub(super) struct Probe<'s> {
    pub(super) network: &'s Name,
    pub(super) ends: Rc<Ends<'s>>,
    pub(super) wanted: Wanted,
    pub(super) packet: Packet,
    /// Whether the rules of IP see it, not those of bridges and devices alone.
    pub(super) meets_ip: bool,
}

/// A packet that must pass, as the table of kinds of rules describes it, and its place there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Wanted {
    place: usize,
    pub(super) packet: &'static ProbePacket,
}

impl Deref for Wanted {
    type Target = ProbePacket;

    fn deref(&self) -> &ProbePacket {
        self.packet
    }
}

/// All packets that kinds of rules describe, in order; those of no kind come last.
fn described() -> impl Iterator<Item = (Option<RuleKind>, Wanted)> {
    let of_kinds =
        RuleKind::all().flat_map(|kind| kind.probes().iter().map(move |it| (Some(kind), it)));
    let others = BETWEEN_GUEST_AND_HOST.iter().map(|it| (None, it));
    let all = of_kinds.chain(others).enumerate();
    all.map(|(place, (kind, packet))| (kind, Wanted { place, packet }))
}

/// The packets of all running networks. Beside a guest that stands for all there are those whose addresses
/// `named` gives for a network's subnet, and those at the `ports` of bridges that rules name.
pub(super) fn probes<'s>(
    scene: &'s Scene,
    named: &dyn Fn(Subnet) -> Vec<IpAddr>,
    ports: &BTreeSet<String>,
) -> Vec<Probe<'s>> {
    let mut probes = Vec::new();
    for (record, bridge) in scene.ruled() {
        let rules = rules(&record.network, Guard::Strict);
        for family in Family::BOTH {
            for (number, subnet) in record.network.subnets_of(family).enumerate() {
                let mut ends = Ends::of(scene, record, (bridge, subnet), &rules);
                let at_ports = ends.at_ports(scene, ports);
                let gateway = ends.gateway;
                let named = named(subnet).into_iter().filter(|&it| it != gateway);
                // One subnet stands for all of its family: others' rules mostly match interfaces.
                let usual = (number == 0).then(|| ends.clone());
                let named = named.map(|guest| ends.with_guest(guest));
                let at_ports = at_ports.into_iter().filter(|_| number == 0);
                for ends in usual.into_iter().chain(named).chain(at_ports) {
                    probes.extend(Rc::new(ends).probes(scene, &record.network, &rules));
                }
            }
        }
    }
    for (record, bridge) in scene.bridges() {
        let ruled = record.network.ruled_bridge().is_some();
        for family in Family::BOTH {
            if !ruled || record.network.subnets_of(family).next().is_none() {
                let Some(subnet) = subnet_on(scene, bridge, family) else {
                    continue;
                };
                let ends = Rc::new(Ends::of(scene, record, (bridge, subnet), &[]));
                probes.extend(ends.bridged(scene, record.network.name()));
            }
        }
    }
    probes
}

/// The subnet of a bridge of a network that has none: that of the host's address there, or any.
fn subnet_on(scene: &Scene, bridge: &InterfaceName, family: Family) -> Option<Subnet> {
    const ANY: (Ipv4Addr, Ipv6Addr) = (
        Ipv4Addr::new(192, 0, 2, 0),
        Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0),
    );
    let (any, prefix): (IpAddr, u8) = match family {
        Family::Ipv4 => (ANY.0.into(), 24),
        Family::Ipv6 => (ANY.1.into(), 64),
    };
    let own = own_address(scene, bridge, family);
    let own = own.and_then(|own| Subnet::new(own, prefix).ok());
    own.or_else(|| Subnet::new(any, prefix).ok())
}

/// The ends of packets of one subnet.
#[derive(Debug, Clone)]
pub(super) struct Ends<'s> {
    pub(super) bridge: &'s InterfaceName,
    pub(super) outside: InterfaceName,
    pub(super) subnet: Subnet,
    /// The guest, if rules of others name it.
    pub(super) named: Option<IpAddr>,
    /// Its port, if rules of others name that.
    pub(super) port: Option<InterfaceName>,
    /// A port that no rule names, where others of the bridge are named.
    other_port: Option<InterfaceName>,
    /// The address that guests leave with, if it is the host's.
    pub(super) translated: Option<IpAddr>,
    /// Whether guests leave with an address of the host.
    pub(super) is_translated: bool,
    guest: IpAddr,
    other_guest: IpAddr,
    gateway: IpAddr,
    family: Family,
    /// Whether the host reaches guests through their bridge, and the world through the device outside.
    guest_is_reached: Option<bool>,
    world_is_reached: Option<bool>,
}

impl<'s> Ends<'s> {
    fn of(
        scene: &Scene,
        record: &Record,
        (bridge, subnet): (&'s InterfaceName, Subnet),
        rules: &[Rule],
    ) -> Self {
        let family = subnet.family();
        let device = outside(scene, record.network.forward(), family);
        let is_nat = |rule: &Rule| rule.kind == RuleKind::Nat && rule.layer.family() == family;
        let is_translated = rules.iter().any(is_nat);
        let (guest, other) = (nth(subnet, 2), world(family));
        let reached = |ends, through| scene.routing.is_reached(ends, through).ok().flatten();
        Self {
            guest_is_reached: reached([guest, other], bridge),
            world_is_reached: device.as_ref().and_then(|it| reached([other, guest], it)),
            bridge,
            translated: device
                .as_ref()
                .filter(|_| is_translated)
                .and_then(|device| own_address(scene, device, family)),
            is_translated,
            outside: device.unwrap_or_else(|| bridge.clone()),
            subnet,
            named: None,
            port: None,
            other_port: None,
            guest,
            other_guest: nth(subnet, 3),
            gateway: gateway(scene, bridge, subnet),
            family,
        }
    }

    /// Whether it is about guests that rules name alone.
    pub(super) fn is_part(&self) -> bool {
        self.named.is_some() || self.port.is_some()
    }

    /// The guests at the ports of the bridge that rules name. All others are at a port that none names.
    fn at_ports(&mut self, scene: &Scene, named: &BTreeSet<String>) -> Vec<Self> {
        if named.is_empty() {
            return Vec::new();
        }
        let link = scene.host.link(self.bridge.as_str());
        let all = link.into_iter().flat_map(|link| scene.host.ports(link));
        let (named, others): (Vec<&Link>, Vec<_>) =
            all.partition(|port| named.contains(&port.name));
        let name = |port: &&Link| port.name.parse().ok();
        if !named.is_empty() {
            self.other_port = others.iter().find_map(name);
        }
        let at = |port| Self {
            port: Some(port),
            ..self.clone()
        };
        named.iter().filter_map(name).take(PORTS).map(at).collect()
    }

    fn with_guest(&self, guest: IpAddr) -> Self {
        let other_guest = match self.guest == guest {
            true => self.other_guest,
            false => self.guest,
        };
        Self {
            guest,
            other_guest,
            named: Some(guest),
            ..self.clone()
        }
    }

    /// Whether the host reaches the sender where it comes from.
    fn reached(&self, wanted: &ProbePacket) -> Option<bool> {
        match wanted.from {
            Endpoint::Guest | Endpoint::OtherGuest => self.guest_is_reached,
            Endpoint::NewGuest => Some(self.family == Family::Ipv6),
            Endpoint::Outside => self.world_is_reached,
            _ => None,
        }
    }

    /// The packets of each kind of rule that the network has.
    fn probes(
        self: Rc<Self>,
        scene: &Scene,
        network: &'s Network,
        rules: &[Rule],
    ) -> Vec<Probe<'s>> {
        let mut probes = Vec::new();
        for (kind, wanted) in described() {
            let Some(mut packet) = self.packet(&wanted) else {
                continue;
            };
            packet.reverse_path = self.reached(&wanted);
            // Rules for what the host answers are as libvirt has them, by the ports of requests.
            let accepts = |rule: &Rule| {
                let is_its = Some(rule.kind) == kind && rule.layer.family() == self.family;
                is_its && (wanted.is_from_host() || rule.matches.apply(&packet).is_ok())
            };
            let is_asked = kind.is_none() || rules.iter().any(accepts);
            if !is_asked || !is_promised(network, &wanted) {
                continue;
            }
            probes.push(Probe {
                network: network.name(),
                meets_ip: !wanted.stays_on_bridge()
                    || scene.frames_meet_ip(self.bridge, self.family).is_some(),
                ends: Rc::clone(&self),
                wanted,
                packet,
            });
        }
        if self.named.is_none() && self.port.is_none() {
            let its = network.port_forwards().iter();
            let its = its.filter(|forward| forward.family() == self.family);
            probes.extend(its.filter_map(|forward| self.forwarded(scene, network, forward)));
        }
        probes
    }

    /// The packets that stay on the bridge alone, and that every guest may send.
    fn bridged(self: Rc<Self>, scene: &Scene, network: &'s Name) -> Vec<Probe<'s>> {
        let meets_ip = scene.frames_meet_ip(self.bridge, self.family).is_some();
        let on_bridge = described().filter(|(_, wanted)| wanted.stays_on_bridge());
        let probes = on_bridge.filter_map(|(_, wanted)| {
            let mut packet = self.packet(&wanted)?;
            packet.reverse_path = Some(true);
            Some(Probe {
                network,
                meets_ip,
                ends: Rc::clone(&self),
                wanted,
                packet,
            })
        });
        probes.collect()
    }

    /// The first packet of a connection to a forward, as it is behind the forward's rule.
    fn forwarded(
        self: &Rc<Self>,
        scene: &Scene,
        network: &'s Network,
        forward: &PortForward,
    ) -> Option<Probe<'s>> {
        if self.outside == *self.bridge {
            return None;
        }
        let own = || own_address(scene, &self.outside, self.family);
        let listens = forward.listen().address().or_else(own)?;
        let source = forward.sources().first().map(|subnet| subnet.network());
        let source = source.unwrap_or_else(|| self.address(Endpoint::Outside));
        let number = Protocol::from(forward.protocol()).number();
        let mut packet = Packet::new(source, listens, number).ok()?;
        packet.source_port = Some(40_000);
        packet.destination_port = Some(forward.listen().ports().start());
        packet.in_interface = Some(self.outside.clone());
        packet.reverse_path = self.world_is_reached;
        let target = forward.target();
        let to = SocketAddr::new(target.address(), target.ports().start());
        Some(Probe {
            network: network.name(),
            ends: Rc::clone(self),
            packet: packet.with_dnat((to.ip(), Some(to.port())), Some(self.bridge.clone()))?,
            meets_ip: true,
            wanted: Wanted {
                place: usize::MAX,
                packet: &FORWARDED,
            },
        })
    }

    /// A packet with these ends; none where it is of another family, or does not leave the bridge.
    fn packet(&self, described: &ProbePacket) -> Option<Packet> {
        let (from, to) = (described.from, described.to);
        let is_forwarded = [from, to].contains(&Endpoint::Outside);
        if !described.layers.contains(&self.family.into())
            || is_forwarded && self.outside == *self.bridge
        {
            return None;
        }
        let protocol = match (described.carries, self.family) {
            (Carries::Ports { protocol, .. }, _) => protocol.number(),
            (Carries::Icmp { .. }, Family::Ipv4) => 1,
            (Carries::Icmp { .. }, Family::Ipv6) => 58,
        };
        let mut packet = Packet::new(self.address(from), self.address(to), protocol).ok()?;
        match (described.carries, self.family) {
            (
                Carries::Ports {
                    source,
                    destination,
                    ..
                },
                _,
            ) => {
                packet.source_port = Some(source);
                packet.destination_port = Some(destination);
            }
            (
                Carries::Icmp {
                    ipv4: (kind, code), ..
                },
                Family::Ipv4,
            )
            | (
                Carries::Icmp {
                    ipv6: (kind, code), ..
                },
                Family::Ipv6,
            ) => {
                packet.icmp = Some(Icmp { kind, code });
            }
        }
        let port = self.port.as_ref().or(self.other_port.as_ref());
        packet.bridge_ports = match (from.is_guest(), to.is_guest()) {
            (true, true) => [port.cloned(), self.other_port.clone()],
            (true, false) => [port.cloned(), None],
            _ => [None, port.cloned()],
        };
        packet.in_interface = self.interface(from).cloned();
        packet.out_interface = self.interface(to).cloned();
        packet.flow = match described.flow {
            ProbeFlow::New => Flow::New,
            ProbeFlow::Established => Flow::Established,
            ProbeFlow::Related => Flow::Related,
            ProbeFlow::Untracked => Flow::Untracked,
        };
        // Neighbours and routers are those of one link.
        if described.flow == ProbeFlow::Untracked {
            packet.hop_limit = Some(255);
        }
        // Until its connection is looked up, an answer is for the address that the guest left with.
        if described.comes_in() && described.is_of_known_flow() {
            packet.original = self.translated.map(|address| OriginalDestination {
                address,
                port: packet.destination_port,
                is_host: true,
            });
        }
        Some(packet)
    }

    fn address(&self, end: Endpoint) -> IpAddr {
        let (v4, v6) = match end {
            Endpoint::Guest => return self.guest,
            Endpoint::OtherGuest => return self.other_guest,
            Endpoint::Host => return self.gateway,
            Endpoint::Neighbour => return solicited(self.gateway),
            Endpoint::Outside => WORLD,
            Endpoint::NewGuest => NEW_GUEST,
            Endpoint::DhcpServer => DHCP_SERVERS,
            Endpoint::AllRouters => ROUTERS,
        };
        match self.family {
            Family::Ipv4 => v4.into(),
            Family::Ipv6 => v6.into(),
        }
    }

    /// The interface by which packets of this end pass the host; none of the host itself.
    fn interface(&self, end: Endpoint) -> Option<&InterfaceName> {
        match end {
            Endpoint::Guest | Endpoint::OtherGuest | Endpoint::NewGuest => Some(self.bridge),
            Endpoint::Outside => Some(&self.outside),
            Endpoint::Host | Endpoint::DhcpServer | Endpoint::AllRouters | Endpoint::Neighbour => {
                None
            }
        }
    }
}

/// Somebody outside.
pub(super) fn world(family: Family) -> IpAddr {
    match family {
        Family::Ipv4 => WORLD.0.into(),
        Family::Ipv6 => WORLD.1.into(),
    }
}

/// The address at which neighbours ask for the owner of an address: RFC 4291, 2.7.1.
fn solicited(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => {
            let [.., high, low] = v6.segments();
            let high = 0xff00 | high & 0xff;
            Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, high, low).into()
        }
    }
}

/// An address of a device by which others know the host.
pub(super) fn own_address(scene: &Scene, device: &InterfaceName, family: Family) -> Option<IpAddr> {
    let link = scene.host.link(device.as_str())?;
    let mut addresses = scene.host.addresses.iter();
    let is_its = |address: IpAddr| match address {
        IpAddr::V4(v4) => family == Family::Ipv4 && !v4.is_link_local(),
        IpAddr::V6(v6) => family == Family::Ipv6 && !v6.is_unicast_link_local(),
    };
    let own = addresses.find(|own| own.device == link.index && is_its(own.address));
    own.map(|own| own.address)
}

/// Whether the network promises its guests that the packet passes. Others may connect to guests of
/// routed networks alone, even if no rule keeps them from guests of other networks.
fn is_promised(network: &Network, described: &ProbePacket) -> bool {
    let is_new = described.comes_in() && !described.is_of_known_flow();
    !is_new || matches!(network.forward(), Forward::Route { .. })
}

/// The device that leads outside: the one that the network names, that of the host's own way
/// outside, or any that is no bridge and no port of one.
pub(super) fn outside(scene: &Scene, forward: &Forward, family: Family) -> Option<InterfaceName> {
    if let Some(device) = forward.device() {
        return Some(device.clone());
    }
    let host = &scene.host;
    let mut ways = host.routes.iter().filter(|route| {
        let destination = route.destination;
        route.kind == RouteKind::UNICAST
            && destination.prefix_len() == 0
            && destination.addr().is_ipv4() == (family == Family::Ipv4)
    });
    let way = ways.find_map(|route| host.name(*route.devices.first()?));
    let any = || {
        let mut links = host.links.iter().filter(|link| {
            link.is_up && !link.is_bridge() && link.master.is_none() && link.name != "lo"
        });
        links.next().map(|link| link.name.as_str())
    };
    // Without any device, packets have nowhere to go, but rules for all devices can be asked.
    way.or_else(any).unwrap_or("outside").parse().ok()
}

/// The host's own address on the bridge, or where it mostly is.
pub(super) fn gateway(scene: &Scene, bridge: &InterfaceName, subnet: Subnet) -> IpAddr {
    let link = scene.host.link(bridge.as_str());
    let mut addresses = scene.host.addresses.iter();
    let own = addresses.find(|own| {
        link.is_some_and(|link| link.index == own.device) && subnet.net().contains(&own.address)
    });
    own.map_or_else(|| nth(subnet, 1), |own| own.address)
}

/// The address so far into a subnet, as far as it goes.
pub(super) fn nth(subnet: Subnet, number: u8) -> IpAddr {
    let bits = match subnet.family() {
        Family::Ipv4 => 32,
        Family::Ipv6 => 128,
    };
    let room = (bits - subnet.prefix()).min(7);
    let number = number.min((1 << room) - 1);
    match subnet.network() {
        IpAddr::V4(v4) => Ipv4Addr::from(u32::from(v4) | u32::from(number)).into(),
        IpAddr::V6(v6) => Ipv6Addr::from(u128::from(v6) | u128::from(number)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_stay_in_their_subnet() {
        for (subnet, two) in [
            ("10.0.0.0/24", "10.0.0.2"),
            ("10.0.0.8/31", "10.0.0.9"),
            ("10.0.0.8/32", "10.0.0.8"),
            ("fd00::/64", "fd00::2"),
        ] {
            assert_eq!(nth(subnet.parse().unwrap(), 2).to_string(), two);
        }
    }
}
