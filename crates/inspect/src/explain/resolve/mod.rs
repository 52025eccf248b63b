//! From what is asked to a packet: what was not said is filled in, and named.

mod ends;
mod error;
mod hosts;
mod protocol;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use palisade_core::evaluate::Packet;
use palisade_core::network::{Family, InterfaceName, Network, Subnet};

use super::error::ExplainError;
use super::host_address::address_on;
use super::question::Question;
use crate::reverse_path;
use crate::routing::{NoWay, Onward, Routing, Way, is_for_all};
use ends::{End, Ends, Party};
use hosts::{hosts, nth};

pub use error::ResolveError;
use protocol::{ICMP, ICMPV6, TCP, UDP, WITH_PORTS};

/// The packet that is asked about.
pub(super) struct Resolved {
    pub(super) packet: Packet,
    /// What of it was assumed, in words.
    pub(super) assumptions: Vec<String>,
    /// What the host does otherwise than the question says, in words.
    pub(super) caveats: Vec<String>,
    /// The way on that the kernel names; none where it was not asked, or the host takes the packet.
    pub(super) route: Option<Onward>,
    /// Whether it stays on a bridge, without a route.
    pub(super) is_switched: bool,
    /// Why the host sends the packet nowhere.
    pub(super) no_way: Option<NoWay>,
}

/// The packet that is asked about.
///
/// # Errors
/// If there is no such packet, or the kernel does not answer.
pub(super) fn resolve(
    question: &Question,
    networks: &[Network],
    routing: Option<&Routing>,
) -> Result<Resolved, ExplainError> {
    let mut resolver = Resolver {
        question,
        networks,
        routing,
        ends: Ends::of(question, networks, routing)?,
        assumed: Vec::new(),
        caveats: Vec::new(),
        route: None,
        no_way: None,
        is_switched: false,
        is_frame: false,
    };
    let packet = resolver.packet()?;
    Ok(Resolved {
        packet,
        assumptions: resolver.assumed,
        caveats: resolver.caveats,
        route: resolver.route,
        is_switched: resolver.is_switched,
        no_way: resolver.no_way,
    })
}

struct Resolver<'a> {
    question: &'a Question,
    networks: &'a [Network],
    routing: Option<&'a Routing>,
    ends: Ends<'a>,
    assumed: Vec<String>,
    caveats: Vec<String>,
    route: Option<Onward>,
    no_way: Option<NoWay>,
    /// Whether it stays on a bridge, and whether rules of IP do not see it there.
    is_switched: bool,
    is_frame: bool,
}

impl<'a> Resolver<'a> {
    fn packet(&mut self) -> Result<Packet, ExplainError> {
        let family = self.family();
        let source = self.address(End::Source, family)?;
        let destination = self.address(End::Destination, family)?;
        let protocol = self.question.protocol.unwrap_or_else(|| {
            self.assumed.push("protocol tcp".to_owned());
            TCP
        });
        let mut packet = Packet::new(source, destination, protocol).map_err(ResolveError::from)?;
        self.fits(&packet)?;
        packet.flow = self.question.flow.unwrap_or_default();
        packet.source_port = self.question.source_port;
        packet.destination_port = self.question.destination_port;
        let is_short = self.question.from.is_some() || self.question.to.is_some();
        if is_short && [TCP, UDP].contains(&protocol) {
            self.ports(&mut packet);
        }
        packet.in_interface = self.input(source)?;
        packet.reverse_path = self.reverse_path(&packet)?;
        packet.out_interface = self.output(&packet)?;
        packet.is_frame = self.is_frame;
        Ok(packet)
    }

    /// Whether the host reaches the source where the packet comes from.
    fn reverse_path(&self, packet: &Packet) -> Result<Option<bool>, ExplainError> {
        let ends = [packet.source(), packet.destination()];
        let is_there =
            |routing: &Routing, name: &InterfaceName| routing.host.link(name.as_str()).is_some();
        match (self.routing, &packet.in_interface) {
            (Some(routing), Some(input)) if is_there(routing, input) => {
                Ok(routing.is_reached(ends, input)?)
            }
            _ => Ok(reverse_path::of_networks(self.networks, packet)),
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

    /// That of an address that is said, or of the protocol, or of the networks' subnets.
    fn family(&mut self) -> Family {
        let of = |address: IpAddr| match address {
            IpAddr::V4(_) => Family::Ipv4,
            IpAddr::V6(_) => Family::Ipv6,
        };
        let said = End::BOTH
            .into_iter()
            .find_map(|end| self.question.said(end));
        let asked = match self.question.protocol {
            Some(ICMP) => Some(Family::Ipv4),
            Some(ICMPV6) => Some(Family::Ipv6),
            _ => None,
        };
        if let Some(family) = said.map(of).or(asked) {
            return family;
        }
        let networks: Vec<&Network> = self.ends.networks().collect();
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
        family
    }

    fn address(&mut self, end: End, family: Family) -> Result<IpAddr, ExplainError> {
        if let Some(said) = self.question.said(end) {
            return Ok(said);
        }
        let (address, what) = match self.ends.at(end) {
            Party::Network(network) => self.guest(network, family, end),
            Party::Host => self.of_host(end, family)?,
            Party::World | Party::Routed => {
                (self.world(family), "an address of the world".to_owned())
            }
        };
        self.assumed
            .push(format!("{} {address}, {what}", end.word()));
        Ok(address)
    }

    /// The host's address towards the other end.
    fn of_host(&self, end: End, family: Family) -> Result<(IpAddr, String), ExplainError> {
        let network = match self.ends.at(end.other()) {
            Party::Network(network) => Some(network),
            Party::World | Party::Host | Party::Routed => None,
        };
        if let Some(routing) = self.routing {
            let host = &routing.host;
            let bridge = network.and_then(Network::bridge);
            if let Some(link) = bridge.and_then(|bridge| host.link(bridge.as_str()))
                && let Some(address) = address_on(host, link, family)
            {
                return Ok((address, format!("the host's address on `{}`", link.name)));
            }
            if network.is_none()
                && let Some(found) = self.towards_world(routing, end, family)?
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
    fn towards_world(
        &self,
        routing: &Routing,
        end: End,
        family: Family,
    ) -> Result<Option<(IpAddr, String)>, ExplainError> {
        let other = self.question.said(end.other());
        let other = other.unwrap_or_else(|| self.world(family));
        let way = routing.towards(other)?;
        if way == Way::ToHost {
            return Ok(Some((other, "the host's own address".to_owned())));
        }
        let Way::On(Onward {
            device,
            source: Some(address),
            ..
        }) = way
        else {
            return Ok(None);
        };
        let why = format!("the host's address on `{device}`, where its route to {other} leads");
        Ok(Some((address, why)))
    }

    /// The interface that the packet comes in through; none if the host sends it.
    fn input(&mut self, source: IpAddr) -> Result<Option<InterfaceName>, ExplainError> {
        if let Some(said) = &self.question.in_interface {
            return Ok(Some(said.clone()));
        }
        let (interface, why) = match self.ends.at(End::Source) {
            Party::Host => return Ok(None),
            Party::Network(network) => bridge_of(network)?,
            Party::World | Party::Routed => match self.entrance(source)? {
                Some(found) => found,
                None => return Ok(None),
            },
        };
        self.assumed.push(format!("in `{interface}`, {why}"));
        Ok(Some(interface))
    }

    /// The interface through which packets of somebody in the world come.
    fn entrance(
        &mut self,
        source: IpAddr,
    ) -> Result<Option<(InterfaceName, String)>, ExplainError> {
        let Some(routing) = self.routing else {
            return Ok(self.made_up(End::Source));
        };
        let bound = self.bound_device(End::Destination);
        Ok(match routing.towards(source)? {
            Way::On(way) => {
                let why = format!("where the host's route to {source} leads");
                Some((way.device, why))
            }
            Way::ToHost | Way::Nowhere(_) if bound.is_some() => bound,
            Way::ToHost => {
                self.no_way = Some(NoWay::Impossible {
                    from: source,
                    to: source,
                });
                None
            }
            Way::Nowhere(_) => {
                self.no_way = Some(NoWay::NoRouteBack { from: source });
                None
            }
        })
    }

    /// The interface that the packet leaves through; none if the host takes it, or sends it nowhere.
    fn output(&mut self, packet: &Packet) -> Result<Option<InterfaceName>, ExplainError> {
        if self.no_way.is_some() {
            return Ok(None);
        }
        match self.routing {
            Some(routing) => self.routed(routing, packet),
            None => self.defined(packet),
        }
    }

    /// As definitions alone say.
    fn defined(&mut self, packet: &Packet) -> Result<Option<InterfaceName>, ExplainError> {
        if let Some(said) = &self.question.out_interface {
            return Ok(Some(said.clone()));
        }
        let found = match self.ends.at(End::Destination) {
            Party::Host => None,
            Party::Network(network) => Some(bridge_of(network)?),
            Party::World | Party::Routed if is_for_all(packet.destination()) => None,
            Party::World | Party::Routed => self.made_up(End::Destination),
        };
        if let Some((interface, why)) = &found {
            self.assumed.push(format!("out `{interface}`, {why}"));
        }
        Ok(found.map(|(interface, _)| interface))
    }

    /// As the kernel says.
    fn routed(
        &mut self,
        routing: &Routing,
        packet: &Packet,
    ) -> Result<Option<InterfaceName>, ExplainError> {
        let said = self.question.out_interface.clone();
        let is_there = |name: &InterfaceName| routing.host.link(name.as_str()).is_some();
        if let Some(said) = &said {
            // The kernel has no say on interfaces that do not exist: the rules alone are asked.
            if ![Some(said), packet.in_interface.as_ref()]
                .into_iter()
                .flatten()
                .all(is_there)
            {
                return Ok(Some(said.clone()));
            }
        }
        if let Some(bridge) = self.switched(packet) {
            if let Err(no_way) = routing.usable(bridge, packet) {
                self.no_way = Some(no_way);
                return Ok(None);
            }
            if let Some(said) = said.as_ref().filter(|&said| said != bridge) {
                self.caveats.push(format!(
                    "it does not leave by `{said}`: it stays on `{bridge}`"
                ));
            }
            if let (_, true) = routing.isolated_ports(bridge) {
                let bridge = bridge.clone();
                self.no_way = Some(NoWay::PortsIsolated { bridge });
            }
            self.is_switched = true;
            self.is_frame = !routing.frames_meet_ip(bridge, packet.family());
            return Ok(said.or_else(|| Some(bridge.clone())));
        }
        // What is for a guest ends at its bridge, wherever routes lead.
        if let Party::Network(network) = self.ends.at(End::Destination)
            && let Some(Err(no_way)) = network.bridge().map(|name| routing.usable(name, packet))
        {
            self.no_way = Some(no_way);
            return Ok(None);
        }
        let way = routing.way(packet)?;
        let destination = packet.destination();
        Ok(match (way, said) {
            (Way::Nowhere(no_way), _) => {
                self.no_way = Some(no_way);
                None
            }
            (Way::ToHost, None) if packet.in_interface.is_none() => {
                return Err(ResolveError::Within.into());
            }
            (Way::ToHost, None) => None,
            (Way::ToHost, Some(said)) => {
                self.caveats.push(format!(
                    "it does not leave by `{said}`: the host takes it itself"
                ));
                Some(said)
            }
            (Way::On(way), Some(said)) if way.device != said => {
                self.caveats.push(format!(
                    "it does not leave by `{said}`: the host's route to {destination} leads through \
                     `{}`",
                    way.device
                ));
                Some(said)
            }
            (Way::On(way), said) => {
                if said.is_none() {
                    self.assumed.push(format!(
                        "out `{}`, where the host's route to {destination} leads",
                        way.device
                    ));
                }
                self.caveats.extend(self.misled(&way, destination));
                self.no_way = routing.carries(&way.device, packet).err();
                self.route = Some(way.clone());
                Some(way.device)
            }
        })
    }

    /// What to say of a way that leads elsewhere than to whom the packet is said to be for.
    fn misled(&self, way: &Onward, destination: IpAddr) -> Option<String> {
        let device = &way.device;
        match self.ends.at(End::Destination) {
            Party::Host => Some(format!(
                "{destination} is no address of the host, which sends it on through `{device}`"
            )),
            Party::Network(network) if network.bridge() != Some(device) => Some(format!(
                "the host's route to {destination} leads through `{device}`, and not to the bridge of \
                 network `{}`",
                network.name()
            )),
            Party::Network(_) | Party::World | Party::Routed => None,
        }
    }

    /// The bridge on which a packet stays from guest to guest of one subnet, without a route.
    fn switched(&self, packet: &Packet) -> Option<&'a InterfaceName> {
        let input = packet.in_interface.as_ref()?;
        let is_its = |network: &&Network| network.bridge() == Some(input);
        let network = self.networks.iter().find(is_its)?;
        let holds_both = |subnet: &Subnet| {
            let net = subnet.net();
            net.contains(&packet.source()) && net.contains(&packet.destination())
        };
        let is_guest = |address: IpAddr| {
            let hosts = self.routing.iter().map(|routing| &routing.host);
            let mut its = hosts.flat_map(|host| &host.addresses);
            !its.any(|held| held.address == address)
        };
        let mut subnets = network.subnets().iter();
        let is_switched = subnets.any(holds_both)
            && is_guest(packet.destination())
            && !is_last(network, packet.destination());
        is_switched.then(|| network.bridge()).flatten()
    }

    /// The device of the network at an end, if it is bound to one.
    fn bound_device(&self, end: End) -> Option<(InterfaceName, String)> {
        let Party::Network(network) = self.ends.at(end) else {
            return None;
        };
        let device = network.forward().device()?;
        Some((
            device.clone(),
            format!("the device of `{}`", network.name()),
        ))
    }

    /// An interface towards somebody in the world, where no host is asked.
    fn made_up(&self, end: End) -> Option<(InterfaceName, String)> {
        if let Some(bound) = self.bound_device(end.other()) {
            return Some(bound);
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
                let hosts = self.routing.iter().map(|routing| &routing.host);
                let mut its = hosts.flat_map(|host| &host.addresses);
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

/// The bridge of a network.
fn bridge_of(network: &Network) -> Result<(InterfaceName, String), ResolveError> {
    let name = network.name();
    let bridge = network.bridge();
    let bridge = bridge.ok_or_else(|| ResolveError::NoBridge(name.clone()))?;
    Ok((bridge.clone(), format!("the bridge of `{name}`")))
}

/// Whether an address is the last of a subnet of IPv4: the one for everybody.
fn is_last(network: &Network, address: IpAddr) -> bool {
    let mut subnets = network.subnets_of(Family::Ipv4);
    subnets.any(|subnet| subnet.net().broadcast() == address)
}
