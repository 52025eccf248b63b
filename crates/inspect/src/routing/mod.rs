//! Where a host sends packets: the kernel is asked, and its refusals are explained.

mod no_way;
mod settings;

use std::cell::RefCell;
use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use palisade_core::evaluate::Packet;
use palisade_core::network::{Family, InterfaceName};
use palisade_netlink::rtnetlink::{
    Address, FoundRoute, Host, HostError, Link, Neighbour, NoRoute, PortState, RouteAnswer,
    RouteKind, RouteQuestion, Routes, RoutingRule,
};

use serde::Serialize;

use settings::Settings;

pub use no_way::NoWay;

/// The number of the main routing table.
pub(crate) const MAIN: u32 = 254;

/// The routing of a network namespace.
pub(crate) struct Routing {
    /// Its interfaces, addresses and routes, read once.
    pub(crate) host: Host,
    routes: Routes,
    settings: Settings,
    /// Neighbours that did not answer, read when a question depends on them.
    silent: RefCell<Option<HashSet<Neighbour>>>,
}

/// Where the host sends a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Way {
    /// It takes the packet itself.
    ToHost,
    /// It sends the packet on.
    On(Onward),
    /// Nowhere.
    Nowhere(NoWay),
}

/// A way on from the host, as the kernel chose it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Onward {
    /// The interface that the packet leaves through.
    pub device: InterfaceName,
    /// The next router; none if the destination is on the link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<IpAddr>,
    /// The number of the routing table that decided: 254 is `main`.
    pub table: u32,
    /// The source that the host takes for packets of its own.
    #[serde(skip)]
    pub(crate) source: Option<IpAddr>,
}

impl Routing {
    /// That of the network namespace of this file, or of the caller's.
    ///
    /// # Errors
    /// If there is no such namespace, or the kernel does not answer.
    pub(crate) fn read(namespace: Option<&Path>) -> Result<Self, HostError> {
        Ok(Self {
            host: Host::read(namespace)?,
            routes: Routes::open(namespace)?,
            settings: Settings::of(namespace.map(Path::to_owned)),
            silent: RefCell::default(),
        })
    }

    /// Where the host sends a packet that comes in as its input interface says, or that it sends itself.
    ///
    /// # Errors
    /// If the kernel does not answer.
    pub(crate) fn way(&self, packet: &Packet) -> Result<Way, HostError> {
        let input = match &packet.in_interface {
            Some(name) => match self.usable(name, packet) {
                Ok(link) => Some(link),
                Err(no_way) => return Ok(Way::Nowhere(no_way)),
            },
            None => None,
        };
        if input.is_some() && is_for_all(packet.destination()) {
            return Ok(Way::ToHost);
        }
        let question = RouteQuestion {
            destination: packet.destination(),
            source: Some(packet.source()),
            input: input.map(|link| link.index),
            mark: 0,
            protocol: packet.protocol,
            ports: [packet.source_port, packet.destination_port],
        };
        match self.routes.ask(&question)? {
            RouteAnswer::Refused(why) => Ok(Way::Nowhere(match input {
                Some(link) => self.refused(&question, why, link)?,
                None => self.unsent(&question, why)?,
            })),
            RouteAnswer::Found(found) if found.kind != RouteKind::UNICAST => Ok(Way::ToHost),
            RouteAnswer::Found(found) => {
                let stopped = input.and_then(|link| self.not_forwarded(packet, link));
                Ok(stopped.map_or_else(|| self.onward(&found), Way::Nowhere))
            }
        }
    }

    /// The way of packets that the host itself sends to an address, from a source of its choice.
    ///
    /// # Errors
    /// If the kernel does not answer.
    pub(crate) fn towards(&self, to: IpAddr) -> Result<Way, HostError> {
        let question = RouteQuestion::to(to);
        match self.routes.ask(&question)? {
            RouteAnswer::Refused(why) => Ok(Way::Nowhere(no_route(to, why))),
            RouteAnswer::Found(found) if found.kind == RouteKind::LOCAL => Ok(Way::ToHost),
            RouteAnswer::Found(found) => Ok(self.onward(&found)),
        }
    }

    /// Whether the host would send the answer to a packet with this source and destination back through the
    /// interface where it came in; none if there is no such interface, or the kernel cannot be asked.
    ///
    /// # Errors
    /// If the kernel does not answer.
    pub(crate) fn is_reached(
        &self,
        [source, destination]: [IpAddr; 2],
        through: &InterfaceName,
    ) -> Result<Option<bool>, HostError> {
        let Some(link) = self.host.link(through.as_str()) else {
            return Ok(None);
        };
        if is_of_link(source) && source.is_ipv6() {
            return Ok(Some(true));
        }
        self.routes.is_reached([source, destination], link.index)
    }

    /// Whether the host takes packets to a group that come in by an interface: it joined the group. Of IPv6
    /// the kernel cannot be asked.
    ///
    /// # Errors
    /// If the kernel does not answer.
    pub(crate) fn takes_group(&self, packet: &Packet) -> Result<bool, HostError> {
        let link = packet.in_interface.as_ref();
        let link = link.and_then(|name| self.host.link(name.as_str()));
        let (Some(link), true) = (link, packet.destination().is_ipv4()) else {
            return Ok(true);
        };
        let question = RouteQuestion {
            source: Some(packet.source()),
            input: Some(link.index),
            ..RouteQuestion::to(packet.destination())
        };
        Ok(matches!(self.routes.ask(&question)?, RouteAnswer::Found(_)))
    }

    /// Whether the host takes what goes to this address.
    ///
    /// # Errors
    /// If the kernel does not answer.
    pub(crate) fn is_local(&self, address: IpAddr) -> Result<bool, HostError> {
        Ok(is_for_all(address) || self.towards(address)? == Way::ToHost)
    }

    fn onward(&self, found: &FoundRoute) -> Way {
        let name = self.host.name(found.device).map(str::parse);
        match name {
            Some(Ok(device)) => Way::On(Onward {
                device,
                gateway: found.gateway,
                table: found.table,
                source: found.source,
            }),
            // It went away since the interfaces were read.
            _ => Way::ToHost,
        }
    }

    /// The interface, if packets can come in by it.
    ///
    /// # Errors
    /// Why they cannot.
    pub(crate) fn usable(&self, name: &InterfaceName, packet: &Packet) -> Result<&Link, NoWay> {
        let interface = name.clone();
        let Some(link) = self.host.link(name.as_str()) else {
            return Err(NoWay::InterfaceMissing { interface });
        };
        if !link.is_up {
            return Err(NoWay::InterfaceDown { interface });
        }
        if link.is_bridge() && self.has_silent_ports(link) {
            return Err(NoWay::PortsDown { bridge: interface });
        }
        let disabled = format!("net/ipv6/conf/{name}/disable_ipv6");
        if packet.source().is_ipv6() && self.settings.is(&disabled, 1) {
            return Err(NoWay::Ipv6Disabled { interface });
        }
        Ok(link)
    }

    /// Whether a bridge has ports, and none of them passes frames.
    fn has_silent_ports(&self, bridge: &Link) -> bool {
        let mut ports = self.host.ports(bridge).peekable();
        ports.peek().is_some() && ports.all(|port| !passes_frames(port))
    }

    /// The ports of an interface that is a bridge which pass no frames, though others do.
    pub(crate) fn silent_ports(&self, bridge: &InterfaceName) -> Vec<&str> {
        let link = self
            .host
            .link(bridge.as_str())
            .filter(|link| link.is_bridge());
        let ports = link.into_iter().flat_map(|link| self.host.ports(link));
        let silent = ports.filter(|port| !passes_frames(port));
        silent.map(|port| port.name.as_str()).collect()
    }

    /// Whether frames that stay on a bridge meet the rules of IP: by the bridge's own setting, or by that
    /// of the namespace, which are there where br_netfilter is.
    pub(crate) fn frames_meet_ip(&self, bridge: &InterfaceName, family: Family) -> bool {
        let (setting, place) = match family {
            Family::Ipv4 => ("net/bridge/bridge-nf-call-iptables", 0),
            Family::Ipv6 => ("net/bridge/bridge-nf-call-ip6tables", 1),
        };
        let link = self.host.link(bridge.as_str());
        let is_own = link.is_some_and(|link| link.nf_call[place]);
        let of_all = self.settings.number(setting);
        of_all.is_some_and(|all| all == 1 || is_own)
    }

    /// The rules of policy routing, in their order.
    pub(crate) fn rules(&self) -> &[RoutingRule] {
        self.routes.rules()
    }

    /// Whether rules of policy routing ask for the mark of packets to an address.
    pub(crate) fn asks_marks(&self, to: IpAddr) -> bool {
        self.routes.ask_marks(to)
    }

    /// Whether an interface carries packets away.
    ///
    /// # Errors
    /// Why it does not.
    pub(crate) fn carries(&self, name: &InterfaceName, packet: &Packet) -> Result<(), NoWay> {
        let link = self.usable(name, packet)?;
        if link.has_carrier || link.is_bridge() {
            return Ok(());
        }
        let interface = name.clone();
        Err(NoWay::NoCarrier { interface })
    }

    /// The ports of a bridge that are isolated from one another, and whether all of several are.
    pub(crate) fn isolated_ports(&self, bridge: &InterfaceName) -> (Vec<&str>, bool) {
        let link = self
            .host
            .link(bridge.as_str())
            .filter(|link| link.is_bridge());
        let ports: Vec<&Link> = link
            .into_iter()
            .flat_map(|link| self.host.ports(link))
            .collect();
        let isolated = ports.iter().filter(|port| port.is_isolated);
        let isolated: Vec<&str> = isolated.map(|port| port.name.as_str()).collect();
        let are_all = ports.len() > 1 && isolated.len() == ports.len();
        (isolated, are_all)
    }

    /// Whether a neighbour did not answer when the kernel asked last.
    ///
    /// # Errors
    /// If the kernel does not list neighbours.
    pub(crate) fn is_silent(
        &self,
        address: IpAddr,
        device: &InterfaceName,
    ) -> Result<bool, HostError> {
        let Some(link) = self.host.link(device.as_str()) else {
            return Ok(false);
        };
        let neighbour = Neighbour {
            address,
            device: link.index,
        };
        if self.silent.borrow().is_none() {
            let silent = Neighbour::known_silent(self.settings.namespace())?;
            *self.silent.borrow_mut() = Some(silent);
        }
        let silent = self.silent.borrow();
        Ok(silent
            .as_ref()
            .is_some_and(|silent| silent.contains(&neighbour)))
    }

    /// What speaks against forwarding what came in by an interface, although there is a route.
    fn not_forwarded(&self, packet: &Packet, input: &Link) -> Option<NoWay> {
        if packet.source().is_ipv4() {
            return None;
        }
        const OF_ALL: &str = "net/ipv6/conf/all/forwarding";
        let forced = format!("net/ipv6/conf/{}/force_forwarding", input.name);
        if self.settings.is(OF_ALL, 0) && !self.settings.is(&forced, 1) {
            return Some(not_forwarded(OF_ALL));
        }
        let (from, to) = (packet.source(), packet.destination());
        (is_of_link(from) || from.is_unspecified()).then_some(NoWay::Impossible { from, to })
    }

    /// Why the kernel does not take a packet that came in.
    fn refused(
        &self,
        question: &RouteQuestion,
        why: NoRoute,
        input: &Link,
    ) -> Result<NoWay, HostError> {
        let to = question.destination;
        let from = question.source.unwrap_or(to);
        if let NoRoute::Missing | NoRoute::Prohibited = why {
            return Ok(no_route(to, why));
        }
        const OF_ALL: &str = "net/ipv4/ip_forward";
        let of_one = format!("net/ipv4/conf/{}/forwarding", input.name);
        let is_off = from.is_ipv4() && why == NoRoute::Unreachable && self.settings.is(&of_one, 0);
        if is_off && self.settings.is(OF_ALL, 0) {
            return Ok(not_forwarded(OF_ALL));
        }
        if is_off {
            return Ok(not_forwarded(&of_one));
        }
        let is_own = self.is_own(from);
        if is_own || to.is_loopback() || from.is_loopback() || to.is_unspecified() {
            return Ok(NoWay::Impossible { from, to });
        }
        if from.is_ipv4() && self.fails_reverse_path([from, to], input)? {
            let interface = input.name.parse();
            return Ok(
                interface.map_or(NoWay::Impossible { from, to }, |interface| {
                    NoWay::ReversePath { from, interface }
                }),
            );
        }
        // If the host takes packets from there itself, nothing speaks against the source.
        let takes = |own| {
            let destination = RouteQuestion {
                destination: own,
                ..question.clone()
            };
            self.routes.ask(&destination)
        };
        let is_welcome = match self.address_of(input, from) {
            Some(own) => matches!(takes(own)?, RouteAnswer::Found(_)),
            None => false,
        };
        Ok(match why {
            NoRoute::Invalid if !is_welcome => NoWay::Impossible { from, to },
            why => no_route(to, why),
        })
    }

    /// An address that the host has on a link, of the family of another.
    fn address_of(&self, link: &Link, like: IpAddr) -> Option<IpAddr> {
        let mut its = self.host.addresses.iter();
        let is_its =
            |held: &&Address| held.device == link.index && held.address.is_ipv4() == like.is_ipv4();
        its.find(is_its).map(|held| held.address)
    }

    /// Why the kernel does not send a packet of the host itself.
    fn unsent(&self, question: &RouteQuestion, why: NoRoute) -> Result<NoWay, HostError> {
        let to = question.destination;
        if let Way::Nowhere(no_way) = self.towards(to)? {
            return Ok(no_way);
        }
        match question.source {
            Some(from) if !from.is_unspecified() && !self.is_local(from)? => {
                Ok(NoWay::ForeignSource { from })
            }
            _ => Ok(no_route(to, why)),
        }
    }

    /// Whether the host has an address.
    pub(crate) fn is_own(&self, address: IpAddr) -> bool {
        let mut its = self.host.addresses.iter();
        its.any(|held| held.address == address)
    }

    /// Whether the reverse path filter of IPv4 refuses a source: 1 wants the route back to lead through
    /// the interface, 2 any route back. The stricter of two settings counts.
    fn fails_reverse_path(&self, [from, to]: [IpAddr; 2], input: &Link) -> Result<bool, HostError> {
        let of = |name: &str| {
            let path = format!("net/ipv4/conf/{name}/rp_filter");
            self.settings.number(&path).unwrap_or(0)
        };
        Ok(match of("all").max(of(&input.name)) {
            0 => false,
            1 => self.routes.is_reached([from, to], input.index)? != Some(true),
            _ => !matches!(self.towards(from)?, Way::On(_)),
        })
    }
}

/// Whether a port of a bridge passes frames.
fn passes_frames(port: &Link) -> bool {
    /// `BR_STATE_FORWARDING`.
    const FORWARDING: PortState = PortState(3);
    port.is_up && port.port_state.is_none_or(|state| state == FORWARDING)
}

fn not_forwarded(path: &str) -> NoWay {
    // A name with a dot in it is written with slashes around it.
    let setting = match path.contains('.') {
        true => path.to_owned(),
        false => path.replace('/', "."),
    };
    NoWay::NotForwarded { setting }
}

fn no_route(to: IpAddr, why: NoRoute) -> NoWay {
    match why {
        NoRoute::Missing | NoRoute::Source => NoWay::NoRoute { to },
        NoRoute::Unreachable => NoWay::Unreachable { to },
        NoRoute::Prohibited => NoWay::Prohibited { to },
        NoRoute::Invalid => NoWay::Blackhole { to },
    }
}

/// Whether packets to this address are for everybody on a link: the host takes its copy.
pub(crate) fn is_for_all(destination: IpAddr) -> bool {
    destination.is_multicast() || destination == Ipv4Addr::BROADCAST
}

/// Whether an address belongs to a link alone.
pub(crate) fn is_of_link(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}
