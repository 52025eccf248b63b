//! A packet that is treated otherwise, in words.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use palisade_core::evaluate::{Flow, Nat, Packet, Verdict};
use palisade_core::network::{InterfaceName, Network};

use super::case::Case;

/// How far a packet is from one that everybody knows: the first of these that is not zero counts most.
pub(super) fn oddness(case: &Case, networks: &[&Network]) -> impl Ord + use<> {
    let packet = &case.packet;
    let is_translation = case.expected.verdict == case.actual.verdict;
    let ends = Ends { packet, networks };
    let is_spoofed = ends
        .sender()
        .is_some_and(|network| !has(network, packet.source()));
    let is_astray = ends
        .receiver()
        .is_some_and(|network| !has(network, packet.destination()));
    let is_for_all = is_for_all(packet.destination());
    let protocol = match packet.protocol {
        6 => 0,
        17 => 1,
        _ => 2,
    };
    (
        is_spoofed,
        packet.flow,
        is_for_all,
        is_astray,
        is_translation,
        case.is_closed,
        ends.sender().is_some() && ends.receiver().is_some(),
        protocol,
    )
}

/// The same packet between addresses as guests have them, the plainest one first.
pub(super) fn plainer(packet: &Packet, networks: &[&Network]) -> Vec<Packet> {
    let ends = Ends { packet, networks };
    let plain = |network: Option<&Network>, address: IpAddr, place: usize| {
        let subnets = || network.into_iter().flat_map(Network::subnets);
        let own = subnets().find(|subnet| subnet.net().contains(&address));
        let of_family = || subnets().find(|subnet| subnet.family() == packet.family());
        own.or_else(of_family)?.net().hosts().nth(place)
    };
    let source = plain(ends.sender(), packet.source(), 4);
    let destination = plain(ends.receiver(), packet.destination(), 6);
    let between = |source: Option<IpAddr>, destination: Option<IpAddr>| {
        ends.same_between(source, destination)
    };
    let all = [
        between(source, destination),
        between(source, None),
        between(None, destination),
    ];
    likely(&ends, plain)
        .into_iter()
        .chain(all.into_iter().flatten())
        .collect()
}

/// Rules for NAT see packets without the bridge that they came from: the same one by the bridges of
/// the networks that its addresses are from.
fn likely(
    ends: &Ends<'_>,
    plain: impl Fn(Option<&Network>, IpAddr, usize) -> Option<IpAddr>,
) -> Option<Packet> {
    let packet = ends.packet;
    let from = ends.of_source().filter(|_| packet.in_interface.is_none())?;
    match ends.of_destination() {
        // The host has the first address of most networks.
        Some(to) => {
            let source = plain(Some(from), packet.source(), 0);
            let destination = plain(Some(to), packet.destination(), 6);
            let mut likely = ends.same_between(source, destination)?;
            likely.out_interface = Some(to.bridge()?.clone());
            Some(likely)
        }
        None => {
            let source = plain(Some(from), packet.source(), 4);
            let mut likely = ends.same_between(source, None)?;
            likely.in_interface = Some(from.bridge()?.clone());
            Some(likely)
        }
    }
}
fn has(network: &Network, address: IpAddr) -> bool {
    network
        .subnets()
        .iter()
        .any(|subnet| subnet.net().contains(&address))
}

fn is_for_all(address: IpAddr) -> bool {
    address.is_multicast() || address == Ipv4Addr::BROADCAST
}

/// Who sends a packet, and who gets it.
struct Ends<'a> {
    packet: &'a Packet,
    networks: &'a [&'a Network],
}

impl<'a> Ends<'a> {
    /// The same packet between these addresses.
    fn same_between(&self, source: Option<IpAddr>, destination: Option<IpAddr>) -> Option<Packet> {
        let packet = self.packet;
        let source = source.unwrap_or(packet.source());
        let destination = destination.unwrap_or(packet.destination());
        let mut plain = Packet::new(source, destination, packet.protocol).ok()?;
        plain.in_interface.clone_from(&packet.in_interface);
        plain.out_interface.clone_from(&packet.out_interface);
        plain.source_port = packet.source_port;
        plain.destination_port = packet.destination_port;
        plain.flow = packet.flow;
        Some(plain)
    }

    fn sender(&self) -> Option<&'a Network> {
        self.behind(self.packet.in_interface.as_ref())
    }

    fn receiver(&self) -> Option<&'a Network> {
        self.behind(self.packet.out_interface.as_ref())
    }

    fn behind(&self, interface: Option<&InterfaceName>) -> Option<&'a Network> {
        let mut networks = self.networks.iter().copied();
        networks.find(|network| interface.is_some() && network.bridge() == interface)
    }

    fn who(&self) -> String {
        match (self.sender(), &self.packet.in_interface) {
            (Some(network), _) if has(network, self.packet.source()) => {
                format!("a guest of `{}`", network.name())
            }
            (Some(network), _) => {
                format!("a guest of `{}` with a made-up address", network.name())
            }
            (None, Some(interface)) => format!("somebody outside{}", self.through(interface)),
            (None, None) => match self.of_source() {
                Some(network) => format!("the host, by its address in `{}`,", network.name()),
                None => "the host".to_owned(),
            },
        }
    }

    /// The network that the source is from.
    fn of_source(&self) -> Option<&'a Network> {
        self.that_has(self.packet.source())
    }

    /// The network that the destination is in.
    fn of_destination(&self) -> Option<&'a Network> {
        self.that_has(self.packet.destination())
    }

    fn that_has(&self, address: IpAddr) -> Option<&'a Network> {
        let mut networks = self.networks.iter().copied();
        networks.find(|network| has(network, address))
    }

    fn whom(&self) -> String {
        format!("{}{}", self.receiver_in_words(), self.at_port())
    }

    /// A port that a rule asks for; classes that no rule tells apart by ports have that of the web.
    fn at_port(&self) -> String {
        const ANY: u16 = 443;
        let protocol = match self.packet.protocol {
            6 => "tcp",
            _ => "udp",
        };
        let port = self.packet.destination_port.filter(|&port| port != ANY);
        port.map_or_else(String::new, |port| format!(" at {protocol} port {port}"))
    }

    fn receiver_in_words(&self) -> String {
        match (self.receiver(), &self.packet.out_interface) {
            _ if is_for_all(self.packet.destination()) => {
                format!("everybody at {}", self.packet.destination())
            }
            (Some(network), _) if has(network, self.packet.destination()) => {
                format!("a guest of `{}`", network.name())
            }
            (Some(network), _) => format!("other addresses on the bridge of `{}`", network.name()),
            (None, Some(interface)) => match self.of_destination() {
                Some(network) => format!("an address of `{}`", network.name()),
                None => format!("the world{}", self.through(interface)),
            },
            (None, None) => "the host".to_owned(),
        }
    }

    /// A device that a network names is told.
    fn through(&self, interface: &InterfaceName) -> String {
        let mut devices = self.networks.iter().filter_map(|n| n.forward().device());
        if devices.any(|device| device == interface) {
            format!(" through `{interface}`")
        } else {
            String::new()
        }
    }
}

/// What it means that a packet is treated otherwise.
pub(super) struct Told<'a> {
    pub(super) case: &'a Case,
    pub(super) networks: &'a [&'a Network],
}

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Case {
            packet,
            expected,
            actual,
            is_closed,
        } = self.case;
        let ends = Ends {
            packet,
            networks: self.networks,
        };
        let (who, whom) = (ends.who(), ends.whom());
        let who = match packet.flow {
            Flow::Established | Flow::Related => format!("an answer of {who}"),
            Flow::New | Flow::Invalid | Flow::Untracked => who,
        };
        if *is_closed {
            f.write_str("where the host drops what nobody accepts, ")?;
        }
        match (expected.verdict, actual.verdict) {
            (Verdict::Accept, Verdict::Accept) => {
                write!(f, "what {who} sends to {whom} ")?;
                match (expected.nat, actual.nat) {
                    (_, Nat::None) => {
                        write!(f, "leaves with its own address, without {}", expected.nat)
                    }
                    (Nat::None, nat) => write!(f, "leaves with another address: {nat}"),
                    (wanted, nat) => {
                        write!(f, "is translated otherwise: {nat} instead of {wanted}")
                    }
                }
            }
            (Verdict::Accept, _) => write!(f, "{who} cannot reach {whom} any more"),
            (_, Verdict::Accept) => write!(f, "{who} can now reach {whom}"),
            (_, Verdict::Reject) => write!(
                f,
                "{who} now gets an answer when it is refused to reach {whom}"
            ),
            (_, Verdict::Drop) => write!(
                f,
                "{who} gets no answer any more when it is refused to reach {whom}"
            ),
        }
    }
}
