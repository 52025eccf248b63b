//! Packets that must pass for a network's guests to have what their definition promises.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Deref;

use palisade_core::evaluate::{Flow, Packet};
use palisade_core::network::{Family, Forward, InterfaceName, Name, Network, Subnet};
use palisade_core::rules::{Endpoint, Guard, ProbePacket, Rule, RuleKind, rules};
use palisade_core::state::Record;
use palisade_netlink::rtnetlink::RouteKind;

use super::scene::Scene;
use crate::reverse_path;

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

/// A packet, whose it is, and what for.
#[derive(Debug, Clone)]
pub(super) struct Probe {
    pub(super) network: Name,
    pub(super) bridge: InterfaceName,
    pub(super) wanted: Wanted,
    pub(super) packet: Packet,
    /// Whether the rules of IP see it, not those of bridges and devices alone.
    pub(super) meets_ip: bool,
}

/// A packet that must pass, as the table of kinds of rules describes it, and its place there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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

/// The packets of all running networks.
pub(super) fn probes(scene: &Scene) -> Vec<Probe> {
    let mut probes = Vec::new();
    for (record, bridge) in scene.ruled() {
        let rules = rules(&record.network, Guard::Strict);
        for family in Family::BOTH {
            // One subnet stands for all of its family: others' rules mostly match interfaces.
            for subnet in record.network.subnets_of(family).take(1) {
                let ends = Ends::of(scene, record, bridge, subnet);
                probes.extend(ends.probes(scene, &record.network, &rules));
            }
        }
    }
    probes
}

/// The ends of packets of one subnet.
struct Ends<'a> {
    bridge: &'a InterfaceName,
    outside: InterfaceName,
    guest: IpAddr,
    other_guest: IpAddr,
    gateway: IpAddr,
    family: Family,
}

impl<'a> Ends<'a> {
    fn of(scene: &Scene, record: &Record, bridge: &'a InterfaceName, subnet: Subnet) -> Self {
        let family = subnet.family();
        Self {
            bridge,
            outside: outside(scene, record.network.forward(), family)
                .unwrap_or_else(|| bridge.clone()),
            guest: nth(subnet, 2),
            other_guest: nth(subnet, 3),
            gateway: gateway(scene, bridge, subnet),
            family,
        }
    }

    /// The packets of each kind of rule that the network has.
    fn probes(&self, scene: &Scene, network: &Network, rules: &[Rule]) -> Vec<Probe> {
        let described =
            RuleKind::all().flat_map(|kind| kind.probes().iter().map(move |p| (kind, p)));
        let mut probes = Vec::new();
        for (place, (kind, described)) in described.enumerate() {
            let Some(mut packet) = self.packet(described) else {
                continue;
            };
            packet.reverse_path = reverse_path::of_host(&scene.host, &packet);
            let accepts = |rule: &Rule| rule.kind == kind && rule.matches.apply(&packet).is_ok();
            if !rules.iter().any(accepts) || !is_promised(network, described) {
                continue;
            }
            probes.push(Probe {
                network: network.name().clone(),
                bridge: self.bridge.clone(),
                meets_ip: !described.stays_on_bridge() || frames_meet_ip(scene, self.family),
                wanted: Wanted {
                    place,
                    packet: described,
                },
                packet,
            });
        }
        probes
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
        let protocol = described.protocol.number();
        let mut packet = Packet::new(self.address(from), self.address(to), protocol).ok()?;
        packet.source_port = described.source_port;
        packet.destination_port = described.destination_port;
        packet.in_interface = self.interface(from).cloned();
        packet.out_interface = self.interface(to).cloned();
        if described.known_flow {
            packet.flow = Flow::Established;
        }
        Some(packet)
    }

    fn address(&self, end: Endpoint) -> IpAddr {
        let (v4, v6) = match end {
            Endpoint::Guest => return self.guest,
            Endpoint::OtherGuest => return self.other_guest,
            Endpoint::Host => return self.gateway,
            Endpoint::Outside => WORLD,
            Endpoint::NewGuest => NEW_GUEST,
            Endpoint::DhcpServer => DHCP_SERVERS,
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
            Endpoint::Host | Endpoint::DhcpServer => None,
        }
    }
}

/// Whether the network promises its guests that the packet passes. Others may connect to guests of
/// routed networks alone, even if no rule keeps them from guests of other networks.
fn is_promised(network: &Network, described: &ProbePacket) -> bool {
    let is_new = described.comes_in() && !described.known_flow;
    !is_new || matches!(network.forward(), Forward::Route { .. })
}

/// Whether the rules of IP see frames that stay on a bridge.
fn frames_meet_ip(scene: &Scene, family: Family) -> bool {
    let path = match family {
        Family::Ipv4 => "net/bridge/bridge-nf-call-iptables",
        Family::Ipv6 => "net/bridge/bridge-nf-call-ip6tables",
    };
    scene.settings.is(path, "1")
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
fn gateway(scene: &Scene, bridge: &InterfaceName, subnet: Subnet) -> IpAddr {
    let link = scene.host.link(bridge.as_str());
    let mut addresses = scene.host.addresses.iter();
    let own = addresses.find(|own| {
        link.is_some_and(|link| link.index == own.device) && subnet.net().contains(&own.address)
    });
    own.map_or_else(|| nth(subnet, 1), |own| own.address)
}

/// The address so far into a subnet, as far as it goes.
fn nth(subnet: Subnet, number: u8) -> IpAddr {
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
