//! Packets that must pass for a network's guests to have what their definition promises.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use palisade_core::evaluate::{Flow, Packet};
use palisade_core::network::{Family, Forward, InterfaceName, Name, Network, Subnet};
use palisade_core::state::Record;
use palisade_netlink::rtnetlink::{Host, RouteKind};

use super::scene::{Scene, leaves};

/// Somebody outside, of each family: an address that no rule should know.
const WORLD: (Ipv4Addr, Ipv6Addr) = (
    Ipv4Addr::new(1, 1, 1, 1),
    Ipv6Addr::new(0x2606, 0x4700, 0x4700, 0, 0, 0, 0, 0x1111),
);
const TCP: u8 = 6;
const UDP: u8 = 17;

/// A packet, whose it is, and what for.
#[derive(Debug, Clone)]
pub(super) struct Probe {
    pub(super) network: Name,
    pub(super) bridge: InterfaceName,
    pub(super) wanted: Wanted,
    pub(super) packet: Packet,
    /// Whether the host's way back to its source leads through the interface that it came in by.
    pub(super) has_way_back: bool,
    /// Whether the rules of IP see it, not those of bridges and devices alone.
    pub(super) meets_ip: bool,
}

/// What a packet is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wanted {
    /// A guest reaches somebody outside.
    Out,
    /// An answer comes back.
    Answers,
    /// Somebody outside reaches a guest of a routed network.
    In,
    /// Guests of one bridge reach each other, where bridged frames meet rules.
    Cross,
    /// A guest asks the host for an address by DHCP.
    Dhcp,
    /// A guest asks the host for an address by DHCPv6.
    Dhcpv6,
    /// A guest asks the host for a name over UDP.
    DnsUdp,
    /// A guest asks the host for a name over TCP.
    DnsTcp,
}

impl Wanted {
    /// Whether the host itself takes the packet.
    pub(super) fn is_for_host(self) -> bool {
        matches!(
            self,
            Self::Dhcp | Self::Dhcpv6 | Self::DnsUdp | Self::DnsTcp
        )
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Out => "what guests send to the outside",
            Self::Answers => "answers to guests",
            Self::In => "what comes from outside to guests",
            Self::Cross => "what guests of the bridge send each other",
            Self::Dhcp => "DHCP (udp 67)",
            Self::Dhcpv6 => "DHCPv6 (udp 547)",
            Self::DnsUdp => "DNS (udp 53)",
            Self::DnsTcp => "DNS (tcp 53)",
        }
    }

    /// The protocol and port that the host is asked at.
    pub(super) fn service(self) -> Option<(&'static str, u16)> {
        match self {
            Self::Dhcp => Some(("udp", 67)),
            Self::Dhcpv6 => Some(("udp", 547)),
            Self::DnsUdp => Some(("udp", 53)),
            Self::DnsTcp => Some(("tcp", 53)),
            Self::Out | Self::Answers | Self::In | Self::Cross => None,
        }
    }
}

/// The packets of all running networks.
pub(super) fn probes(scene: &Scene) -> Vec<Probe> {
    let mut probes = Vec::new();
    for (record, bridge) in scene.ruled() {
        for family in Family::BOTH {
            // One subnet stands for all of its family: others' rules mostly ask for interfaces.
            for subnet in record.network.subnets_of(family).take(1) {
                let way = Way::of(scene, record, bridge, subnet);
                probes.extend(way.forwarded(&record.network));
                probes.extend(way.bridged(scene));
                probes.extend(way.to_host());
            }
        }
    }
    probes
}

/// Who talks to whom, and over what.
struct Way<'a> {
    host: &'a Host,
    network: &'a Name,
    bridge: &'a InterfaceName,
    outside: InterfaceName,
    guest: IpAddr,
    other_guest: IpAddr,
    gateway: IpAddr,
    world: IpAddr,
    family: Family,
}

impl<'a> Way<'a> {
    fn of(scene: &'a Scene, record: &'a Record, bridge: &'a InterfaceName, subnet: Subnet) -> Self {
        let family = subnet.family();
        Self {
            host: &scene.host,
            network: record.network.name(),
            bridge,
            outside: outside(scene, record.network.forward(), family)
                .unwrap_or_else(|| bridge.clone()),
            guest: nth(subnet, 2),
            other_guest: nth(subnet, 3),
            gateway: gateway(scene, bridge, subnet),
            world: match family {
                Family::Ipv4 => WORLD.0.into(),
                Family::Ipv6 => WORLD.1.into(),
            },
            family,
        }
    }

    fn forwarded(&self, network: &Network) -> Vec<Probe> {
        if !leaves(network, self.family) || self.outside == *self.bridge {
            return Vec::new();
        }
        let mut probes = vec![
            self.probe(Wanted::Out, self.guest, self.world, (TCP, 40000, 443)),
            self.probe(Wanted::Answers, self.world, self.guest, (TCP, 443, 40000)),
        ];
        if matches!(network.forward(), Forward::Route { .. }) {
            probes.push(self.probe(Wanted::In, self.world, self.guest, (TCP, 40000, 22)));
        }
        probes.into_iter().flatten().collect()
    }

    /// From guest to guest; the rules of IP see it where frames that stay on a bridge are shown them.
    fn bridged(&self, scene: &Scene) -> Option<Probe> {
        let path = match self.family {
            Family::Ipv4 => "net/bridge/bridge-nf-call-iptables",
            Family::Ipv6 => "net/bridge/bridge-nf-call-ip6tables",
        };
        let ports = (TCP, 40000, 22);
        let probe = self.probe(Wanted::Cross, self.guest, self.other_guest, ports);
        probe.map(|probe| Probe {
            meets_ip: scene.settings.is(path, "1"),
            ..probe
        })
    }

    fn to_host(&self) -> Vec<Probe> {
        let (guest, gateway) = (self.guest, self.gateway);
        let names = [
            self.probe(Wanted::DnsUdp, guest, gateway, (UDP, 40000, 53)),
            self.probe(Wanted::DnsTcp, guest, gateway, (TCP, 40000, 53)),
        ];
        // A guest without an address asks everybody.
        let address = match self.family {
            Family::Ipv4 => self.probe(
                Wanted::Dhcp,
                Ipv4Addr::UNSPECIFIED.into(),
                Ipv4Addr::BROADCAST.into(),
                (UDP, 68, 67),
            ),
            Family::Ipv6 => self.probe(
                Wanted::Dhcpv6,
                Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 2).into(),
                Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2).into(),
                (UDP, 546, 547),
            ),
        };
        names.into_iter().chain([address]).flatten().collect()
    }

    fn probe(
        &self,
        wanted: Wanted,
        source: IpAddr,
        destination: IpAddr,
        (protocol, source_port, destination_port): (u8, u16, u16),
    ) -> Option<Probe> {
        let mut packet = Packet::new(source, destination, protocol).ok()?;
        packet.source_port = Some(source_port);
        packet.destination_port = Some(destination_port);
        let (into, out_of) = match wanted {
            Wanted::Out => (self.bridge, Some(&self.outside)),
            Wanted::Answers | Wanted::In => (&self.outside, Some(self.bridge)),
            Wanted::Cross => (self.bridge, Some(self.bridge)),
            Wanted::Dhcp | Wanted::Dhcpv6 | Wanted::DnsUdp | Wanted::DnsTcp => (self.bridge, None),
        };
        packet.in_interface = Some(into.clone());
        packet.out_interface = out_of.cloned();
        if wanted == Wanted::Answers {
            packet.flow = Flow::Established;
        }
        Some(Probe {
            has_way_back: has_way_back(self.host, &packet),
            network: self.network.clone(),
            bridge: self.bridge.clone(),
            wanted,
            packet,
            meets_ip: true,
        })
    }
}

/// The device that leads outside: the one that the network names, that of the host's own way
/// outside, or any that is no bridge and no port of one.
fn outside(scene: &Scene, forward: &Forward, family: Family) -> Option<InterfaceName> {
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

fn has_way_back(host: &Host, packet: &Packet) -> bool {
    let source = packet.source();
    if matches!(source, IpAddr::V6(v6) if v6.is_unicast_link_local()) || source.is_unspecified() {
        return true; // Each link leads there.
    }
    let routes = host
        .routes
        .iter()
        .filter(|route| route.kind == RouteKind::UNICAST && route.destination.contains(&source));
    let narrowest = routes.max_by_key(|route| route.destination.prefix_len());
    let into = packet.in_interface.as_ref().map(InterfaceName::as_str);
    narrowest.is_some_and(|route| {
        let mut names = route.devices.iter().map(|&device| host.name(device));
        names.any(|name| name.is_some() && name == into)
    })
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
