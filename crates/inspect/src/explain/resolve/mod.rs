//! From what is asked to a packet: what was not said is filled in, and told.

mod error;
mod protocol;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use palisade_core::evaluate::Packet;
use palisade_core::network::{Family, InterfaceName, Network, Subnet};
use palisade_netlink::rtnetlink::Host;

use super::question::{Endpoint, Question, Who};
use super::routes;
use crate::reverse_path;

pub use error::ResolveError;
use protocol::{ICMP, ICMPV6, TCP, UDP, WITH_PORTS};

/// The packet that is asked about.
pub(super) struct Resolved {
    pub(super) packet: Packet,
    /// What of it was assumed, in words.
    pub(super) assumptions: Vec<String>,
    /// What of the host speaks against it.
    pub(super) notes: Vec<String>,
}

/// The packet that is asked about.
///
/// # Errors
/// If there is no such packet.
pub(super) fn resolve(
    question: &Question,
    networks: &[Network],
    host: Option<&Host>,
) -> Result<Resolved, ResolveError> {
    let mut resolver = Resolver {
        question,
        networks,
        host,
        assumed: Vec::new(),
    };
    let packet = resolver.packet()?;
    Ok(Resolved {
        notes: host
            .and_then(|host| {
                without_route(host, &packet).or_else(|| not_taken(host, question, &packet))
            })
            .into_iter()
            .collect(),
        packet,
        assumptions: resolver.assumed,
    })
}

/// What to say if the host does not know where to send the packet.
fn without_route(host: &Host, packet: &Packet) -> Option<String> {
    let destination = packet.destination();
    let leaves = packet.out_interface.is_some() && packet.in_interface != packet.out_interface;
    let is_for_all = destination.is_multicast() || destination == Ipv4Addr::BROADCAST;
    if !leaves || is_for_all || routes::way(host, destination).is_some() {
        return None;
    }
    Some(format!(
        "the host has no route to {destination}: as it is now, it sends no such packet on"
    ))
}

/// What to say if the host does not take the packet that it shall take, which is easily asked by
/// leaving `--out` away. An address that was made up is told as such already.
fn not_taken(host: &Host, question: &Question, packet: &Packet) -> Option<String> {
    let destination = packet.destination();
    let end = question.to.as_ref().and_then(|end| end.address);
    let is_said = question.destination.or(end).is_some();
    let is_for_all = destination.is_multicast() || destination == Ipv4Addr::BROADCAST;
    let is_taken = is_for_all || routes::is_local(host, destination);
    if packet.out_interface.is_some() || !is_said || is_taken {
        return None;
    }
    let sent = match routes::way(host, destination).and_then(|way| way.interface()) {
        Some(interface) => format!(
            "sends such a packet on through `{interface}`, which `--out {interface}` asks about"
        ),
        None => "neither takes such a packet nor knows a route for it".to_owned(),
    };
    Some(format!(
        "{destination} is no address of the host: as it is now, it {sent}"
    ))
}

struct Resolver<'a> {
    question: &'a Question,
    networks: &'a [Network],
    host: Option<&'a Host>,
    assumed: Vec<String>,
}

/// Which end of the packet's way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Source,
    Destination,
}

impl End {
    fn other(self) -> Self {
        match self {
            Self::Source => Self::Destination,
            Self::Destination => Self::Source,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Source => "from",
            Self::Destination => "to",
        }
    }
}

impl<'a> Resolver<'a> {
    fn packet(&mut self) -> Result<Packet, ResolveError> {
        let is_host = |end: Option<&Endpoint>| end.is_some_and(|end| end.who == Who::Host);
        if is_host(self.endpoint(End::Source)) && is_host(self.endpoint(End::Destination)) {
            return Err(ResolveError::Within);
        }
        let family = self.family()?;
        let source = self.address(End::Source, family)?;
        let destination = self.address(End::Destination, family)?;
        let protocol = self.question.protocol.unwrap_or_else(|| {
            self.assumed.push("protocol tcp".to_owned());
            TCP
        });
        let mut packet = Packet::new(source, destination, protocol)?;
        self.fits(&packet)?;
        packet.in_interface = self.interface(End::Source, source)?;
        packet.out_interface = self.interface(End::Destination, destination)?;
        packet.flow = self.question.flow.unwrap_or_default();
        packet.reverse_path = self.reverse_path(&packet);
        packet.source_port = self.question.source_port;
        packet.destination_port = self.question.destination_port;
        let is_short = self.question.from.is_some() || self.question.to.is_some();
        if is_short && [TCP, UDP].contains(&protocol) {
            self.ports(&mut packet);
        }
        Ok(packet)
    }

    /// Whether the host reaches the source where the packet comes from.
    fn reverse_path(&self, packet: &Packet) -> Option<bool> {
        let is_there = |host: &&Host| reverse_path::is_there(host, packet.in_interface.as_ref());
        match self.host.filter(is_there) {
            Some(host) => reverse_path::of_host(host, packet),
            None => reverse_path::of_networks(self.networks, packet),
        }
    }

    /// Whether the protocol is one of the packet's family, and has the ports that were said.
    fn fits(&self, packet: &Packet) -> Result<(), ResolveError> {
        let of = match packet.protocol {
            ICMP => Family::Ipv4,
            ICMPV6 => Family::Ipv6,
            _ => packet.family(),
        };
        if of != packet.family() {
            return Err(ResolveError::Protocol {
                number: packet.protocol,
                of,
                source_address: packet.source(),
                destination: packet.destination(),
            });
        }
        let has_ports =
            self.question.source_port.is_some() || self.question.destination_port.is_some();
        if has_ports && !WITH_PORTS.contains(&packet.protocol) {
            return Err(ResolveError::Ports(packet.protocol));
        }
        Ok(())
    }

    fn ports(&mut self, packet: &mut Packet) {
        if packet.source_port.is_none() {
            packet.source_port = Some(40_000);
            self.assumed.push("source port 40000".to_owned());
        }
        if packet.destination_port.is_none() {
            let port = if packet.protocol == TCP { 443 } else { 53 };
            packet.destination_port = Some(port);
            self.assumed.push(format!("destination port {port}"));
        }
    }

    fn endpoint(&self, end: End) -> Option<&'a Endpoint> {
        match end {
            End::Source => self.question.from.as_ref(),
            End::Destination => self.question.to.as_ref(),
        }
    }

    /// The network at an end.
    fn network(&self, end: End) -> Result<Option<&'a Network>, ResolveError> {
        let Some(Who::Network(name)) = self.endpoint(end).map(|end| &end.who) else {
            return Ok(None);
        };
        let found = self.networks.iter().find(|network| network.name() == name);
        found.map(Some).ok_or_else(|| ResolveError::Unknown {
            name: name.clone(),
            known: self.networks.iter().map(|n| n.name().clone()).collect(),
        })
    }

    fn said(&self, end: End) -> Option<IpAddr> {
        let said = match end {
            End::Source => self.question.source,
            End::Destination => self.question.destination,
        };
        said.or_else(|| self.endpoint(end)?.address)
    }

    /// That of an address that is said, or of the protocol, or of the networks' subnets.
    fn family(&mut self) -> Result<Family, ResolveError> {
        let ends = [End::Source, End::Destination];
        let of = |address: IpAddr| match address {
            IpAddr::V4(_) => Family::Ipv4,
            IpAddr::V6(_) => Family::Ipv6,
        };
        let mut networks = Vec::new();
        for end in ends {
            networks.extend(self.network(end)?);
        }
        let said = ends.into_iter().find_map(|end| self.said(end)).map(of);
        let asked = match self.question.protocol {
            Some(ICMP) => Some(Family::Ipv4),
            Some(ICMPV6) => Some(Family::Ipv6),
            _ => None,
        };
        if let Some(family) = said.or(asked) {
            return Ok(family);
        }
        let has = |network: &Network, family| network.subnets_of(family).next().is_some();
        let all_have = |family| networks.iter().all(|network| has(network, family));
        let has_one = |family| networks.iter().any(|network| has(network, family));
        // One that both ends speak, where there is one.
        let is_ipv6 = if all_have(Family::Ipv4) || all_have(Family::Ipv6) {
            !all_have(Family::Ipv4)
        } else {
            !has_one(Family::Ipv4) && has_one(Family::Ipv6)
        };
        let family = if is_ipv6 { Family::Ipv6 } else { Family::Ipv4 };
        self.assumed.push(family.to_string());
        Ok(family)
    }

    fn address(&mut self, end: End, family: Family) -> Result<IpAddr, ResolveError> {
        if let Some(said) = self.said(end) {
            return Ok(said);
        }
        let Some(endpoint) = self.endpoint(end) else {
            return Err(ResolveError::Missing(match end {
                End::Source => "from where",
                End::Destination => "where to",
            }));
        };
        let (address, what) = match &endpoint.who {
            Who::World => (self.world(family), "an address of the world".to_owned()),
            Who::Network(_) => match self.network(end)? {
                Some(network) => self.guest(network, family, end),
                None => (self.world(family), String::new()),
            },
            Who::Host => self.of_host(end, family)?,
        };
        self.assumed
            .push(format!("{} {address}, {what}", end.word()));
        Ok(address)
    }

    /// The host's address towards the other end.
    fn of_host(&self, end: End, family: Family) -> Result<(IpAddr, String), ResolveError> {
        let network = self.network(end.other())?;
        if let Some(host) = self.host {
            let bridge = network.and_then(Network::bridge);
            if let Some(link) = bridge.and_then(|bridge| host.link(bridge.as_str()))
                && let Some(address) = routes::address_on(host, link, family)
            {
                return Ok((address, format!("the host's address on `{}`", link.name)));
            }
            if network.is_none()
                && let Some(found) = self.towards_world(host, end, family)
            {
                return Ok(found);
            }
        }
        let subnet = network.and_then(|network| network.subnets_of(family).next());
        Ok(match subnet {
            Some(subnet) => {
                let address = nth(subnet, 0);
                (address, format!("the first address of {}", subnet.net()))
            }
            None => {
                let address = match family {
                    Family::Ipv4 => IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1)),
                    Family::Ipv6 => IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 2, 0, 0, 0, 1)),
                };
                (address, "as an address of the host".to_owned())
            }
        })
    }

    /// The host's address towards somebody in the world.
    fn towards_world(&self, host: &Host, end: End, family: Family) -> Option<(IpAddr, String)> {
        let other = self.said(end.other());
        let other = other.unwrap_or_else(|| self.world(family));
        let way = routes::way(host, other)?;
        let address = way.source(host, family)?;
        let interface = &way.link.name;
        let why = format!("the host's address on `{interface}`, where its route to {other} leads");
        Some((address, why))
    }

    fn interface(
        &mut self,
        end: End,
        address: IpAddr,
    ) -> Result<Option<InterfaceName>, ResolveError> {
        let said = match end {
            End::Source => &self.question.in_interface,
            End::Destination => &self.question.out_interface,
        };
        if said.is_some() {
            return Ok(said.clone());
        }
        let Some(endpoint) = self.endpoint(end) else {
            return Ok(None);
        };
        let word = match end {
            End::Source => "in",
            End::Destination => "out",
        };
        match &endpoint.who {
            Who::Host => Ok(None),
            Who::Network(name) => match self.network(end)?.and_then(Network::bridge) {
                Some(bridge) => {
                    self.assumed
                        .push(format!("{word} `{bridge}`, the bridge of `{name}`"));
                    Ok(Some(bridge.clone()))
                }
                None => Err(ResolveError::NoBridge(name.clone())),
            },
            Who::World => {
                let (interface, why) = self
                    .towards(address, self.network(end.other())?)
                    .ok_or(ResolveError::Missing("through which interface"))?;
                self.assumed.push(format!("{word} `{interface}`, {why}"));
                Ok(Some(interface))
            }
        }
    }

    /// The interface towards somebody in the world.
    fn towards(
        &self,
        address: IpAddr,
        network: Option<&Network>,
    ) -> Option<(InterfaceName, String)> {
        if let Some(interface) = self
            .host
            .and_then(|host| routes::way(host, address)?.interface())
        {
            let why = format!("where the host's route to {address} leads");
            return Some((interface, why));
        }
        if let Some(network) = network
            && let Some(device) = network.forward().device()
        {
            let why = format!("the device of `{}`", network.name());
            return Some((device.clone(), why));
        }
        let is_free = |name: &InterfaceName| {
            self.networks.iter().all(|network| {
                network.bridge() != Some(name) && network.forward().device() != Some(name)
            })
        };
        let mut named =
            (0..=self.networks.len() * 2).filter_map(|number| format!("eth{number}").parse().ok());
        let name = named.find(is_free)?;
        Some((name, "as an interface that no network names".to_owned()))
    }

    /// A guest of a network: another one at each end.
    fn guest(&self, network: &Network, family: Family, end: End) -> (IpAddr, String) {
        let place = match end {
            End::Source => 1,
            End::Destination => 2,
        };
        if let Some(subnet) = network.subnets_of(family).next() {
            let is_hosts = |address: &IpAddr| {
                let mut its = self.host.iter().flat_map(|host| &host.addresses);
                its.any(|held| held.address == *address)
            };
            // The first address is usually the host's.
            let guests = hosts(subnet).skip(1).filter(|address| !is_hosts(address));
            let address = guests.take(place).last();
            let why = format!("a guest in {}", subnet.net());
            return (address.unwrap_or_else(|| nth(subnet, place)), why);
        }
        let address = match family {
            Family::Ipv4 => IpAddr::V4(Ipv4Addr::new(192, 0, 2, 10 * place as u8)),
            Family::Ipv6 => IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, place as u16)),
        };
        let why = format!("made up: `{}` has no {family} subnet", network.name());
        (address, why)
    }

    /// An address beyond every network: one for documentation or for benchmarks (RFC 5737, 2544,
    /// 3849, 9637, 5180).
    fn world(&self, family: Family) -> IpAddr {
        let candidates: [IpAddr; 3] = match family {
            Family::Ipv4 => {
                [[198, 51, 100, 10], [203, 0, 113, 10], [198, 18, 0, 10]].map(Into::into)
            }
            Family::Ipv6 => [
                [0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 0x10],
                [0x3fff, 0, 0, 0, 0, 0, 0, 0x10],
                [0x2001, 2, 0, 0, 0, 0, 0, 0x10],
            ]
            .map(Into::into),
        };
        let is_beyond = |address: &IpAddr| {
            let mut subnets = self.networks.iter().flat_map(Network::subnets);
            !subnets.any(|subnet| subnet.net().contains(address))
        };
        candidates
            .into_iter()
            .find(is_beyond)
            .unwrap_or(candidates[0])
    }
}

/// The address of a subnet behind so many others, or its last one.
fn nth(subnet: Subnet, place: usize) -> IpAddr {
    let found = hosts(subnet).take(place + 1).last();
    found.unwrap_or_else(|| subnet.network())
}

/// The addresses that a subnet has for hosts.
fn hosts(subnet: Subnet) -> impl Iterator<Item = IpAddr> {
    // In IPv6 the first belongs to all routers.
    let skipped = usize::from(subnet.family() == Family::Ipv6);
    subnet.net().hosts().skip(skipped)
}
