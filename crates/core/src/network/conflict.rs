//! What cannot run side by side.

use std::borrow::Cow;
use std::collections::HashSet;

use thiserror::Error;

use super::claim::{Claim, Holding, Space};
use super::interface::InterfaceName;
use super::name::Name;
use super::port_forward::PortForward;
use super::subnet::Subnet;
use super::validated::Network;
use crate::error_kind::ErrorKind;
use crate::hint::Hint;

/// Why networks of a set cannot run: mostly two that exclude each other.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Conflict {
    /// One name twice.
    #[error("two networks are named `{name}`")]
    Name {
        /// The name.
        name: Name,
    },
    /// One bridge twice, where at least one of the two rules it.
    #[error("networks `{first}` and `{second}` both use bridge `{bridge}`")]
    Bridge {
        /// The network that was named first.
        first: Name,
        /// The other one.
        second: Name,
        /// The bridge of both.
        bridge: InterfaceName,
    },
    /// Subnets that share addresses.
    #[error(
        "networks `{first}` and `{second}` overlap: {first_subnet} and {second_subnet} share addresses"
    )]
    Subnet {
        /// The network that was named first.
        first: Name,
        /// Its subnet.
        first_subnet: Subnet,
        /// The other network.
        second: Name,
        /// Its subnet.
        second_subnet: Subnet,
    },
    /// Forwards that a packet could match both.
    #[error(
        "networks `{first}` and `{second}` forward the same port: `{first_forward}` and `{second_forward}`"
    )]
    Forward {
        /// The network that was named first.
        first: Name,
        /// Its forward.
        first_forward: PortForward,
        /// The other network.
        second: Name,
        /// Its forward.
        second_forward: PortForward,
    },
}

impl Conflict {
    /// The two networks, in the order of the set; one that stands in it twice is both.
    #[must_use]
    pub fn networks(&self) -> [&Name; 2] {
        match self {
            Self::Name { name } => [name, name],
            Self::Bridge { first, second, .. }
            | Self::Subnet { first, second, .. }
            | Self::Forward { first, second, .. } => [first, second],
        }
    }
}

impl Hint for Conflict {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Conflict
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Name { .. } => "rename one, or give the definition only once",
            Self::Bridge { .. } => "give one of them a bridge of its own, or remove it first",
            Self::Subnet { .. } => "give one of them another subnet, or remove it first",
            Self::Forward { .. } => {
                "give one of them another port, address or source, or remove it first"
            }
        }
        .into()
    }
}

/// Conflicts in words, as many as people read; how many more there are.
#[must_use]
pub fn told(conflicts: &[Conflict]) -> String {
    const FEW: usize = 5;
    let mut told: Vec<String> = conflicts
        .iter()
        .take(FEW)
        .map(ToString::to_string)
        .collect();
    match conflicts.len().saturating_sub(FEW) {
        0 => {}
        more => told.push(format!("and {more} more")),
    }
    told.join("; ")
}

/// All conflicts within a set of networks, in the order of the set.
///
/// The set is the one that will run after a command: so two networks may swap bridges or subnets
/// in one go.
#[must_use]
pub fn conflicts<'a>(networks: impl IntoIterator<Item = &'a Network>) -> Vec<Conflict> {
    let networks: Vec<&Network> = networks.into_iter().collect();
    let names = same_names(&networks);
    match names.is_empty() {
        true => exclusions(&networks),
        false => names,
    }
}

fn same_names(networks: &[&Network]) -> Vec<Conflict> {
    let mut seen = HashSet::new();
    let mut told = HashSet::new();
    networks
        .iter()
        .map(|network| network.name())
        .filter(|&name| !seen.insert(name) && told.insert(name))
        .map(|name| Conflict::Name { name: name.clone() })
        .collect()
}

/// Claims that exclude each other, of different networks. Sorted by space and where they begin, those
/// that reach into a claim follow it.
fn exclusions(networks: &[&Network]) -> Vec<Conflict> {
    let each = networks.iter().enumerate();
    let mut all: Vec<_> = each
        .flat_map(|(i, network)| {
            network
                .holdings()
                .map(move |(claim, what)| (i, claim, what))
        })
        .map(|(i, claim, what)| (claim.space(), claim.range(), i, claim, what))
        .collect();
    all.sort_by(|a, b| (&a.0, a.1, a.2).cmp(&(&b.0, b.1, b.2)));
    let mut found = Vec::new();
    for (at, (space, (_, last), i, claim, what)) in all.iter().enumerate() {
        if let Claim::Bridge { is_own: false, .. } = claim {
            continue; // Behind it are only others that share the bridge.
        }
        let reach_in = all[at + 1..].iter();
        let reach_in =
            reach_in.take_while(|(other, (first, _), ..)| other == space && first <= last);
        for (_, _, j, other, others) in reach_in {
            if i != j && claim.excludes(other) {
                let mut pair = [(*i, *what), (*j, *others)];
                pair.sort_by_key(|&(network, _)| network);
                let begin = (claim.range().0, other.range().0);
                let key = (rank(space), pair[0].0, pair[1].0, begin);
                found.push((key, conflict(networks, pair)));
            }
        }
    }
    found.sort_by_key(|&(key, _)| key);
    let mut found: Vec<Conflict> = found.into_iter().filter_map(|(_, found)| found).collect();
    // Forwards with several sources have several claims.
    found.dedup();
    found
}

/// Bridges before addresses before ports.
fn rank(space: &Space<'_>) -> u8 {
    match space {
        Space::Bridge(_) => 0,
        Space::Addresses(_) => 1,
        Space::Ports(..) => 2,
    }
}

fn conflict(
    networks: &[&Network],
    [(i, what), (j, others)]: [(usize, Holding<'_>); 2],
) -> Option<Conflict> {
    let (first, second) = (networks[i].name().clone(), networks[j].name().clone());
    let conflict = match (what, others) {
        (Holding::Bridge(bridge), _) => Conflict::Bridge {
            first,
            second,
            bridge: bridge.clone(),
        },
        (Holding::Subnet(first_subnet), Holding::Subnet(second_subnet)) => Conflict::Subnet {
            first,
            first_subnet,
            second,
            second_subnet,
        },
        (Holding::Forward(own), Holding::Forward(others)) => Conflict::Forward {
            first,
            first_forward: own.clone(),
            second,
            second_forward: others.clone(),
        },
        _ => return None, // Claims of two kinds exclude nothing.
    };
    Some(conflict)
}

#[cfg(test)]
mod tests {
    use super::super::{Description, Forward, UnmanagedMode};
    use super::*;

    fn network(name: &str, bridge: &str, forward: Forward, subnets: &[&str]) -> Network {
        Network::new(Description {
            subnets: subnets.iter().map(|s| s.parse().unwrap()).collect(),
            ..Description::new(
                name.parse().unwrap(),
                Some(bridge.parse().unwrap()),
                forward,
            )
        })
        .unwrap()
    }

    fn told(networks: &[Network]) -> Vec<String> {
        conflicts(networks)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn both_sides_are_named() {
        let a = network("a", "br0", Forward::Isolated, &["10.0.0.0/8", "fd00::/48"]);
        let b = network("b", "br1", Forward::Open, &["10.9.0.0/16", "fd00:1::/64"]);
        let c = network("c", "br0", Forward::Isolated, &["fd00:0:0:7::/64"]);
        assert_eq!(
            told(&[a.clone(), b, c]),
            [
                "networks `a` and `c` both use bridge `br0`",
                "networks `a` and `b` overlap: 10.0.0.0/8 and 10.9.0.0/16 share addresses",
                "networks `a` and `c` overlap: fd00::/48 and fd00:0:0:7::/64 share addresses",
            ]
        );
        assert_eq!(told(&[a.clone(), a]), ["two networks are named `a`"]);
    }

    #[test]
    fn a_wide_subnet_hides_none_of_those_inside() {
        let wide = network("wide", "br0", Forward::Isolated, &["10.0.0.0/8"]);
        let one = network("one", "br1", Forward::Isolated, &["10.0.0.0/24"]);
        let two = network("two", "br2", Forward::Isolated, &["10.200.0.0/24"]);
        let apart = network("apart", "br3", Forward::Isolated, &["11.0.0.0/24"]);
        assert_eq!(told(&[one, apart, two, wide]).len(), 2);
    }

    #[test]
    fn a_port_leads_to_one_guest() {
        let with = |name: &str, octet: u8, forwards: &[(&str, &[&str])]| {
            let forward = |&(words, from): &(&str, &[&str])| {
                let forward: PortForward = words.parse().unwrap();
                let sources = from.iter().map(|s| PortForward::parse_source(s).unwrap());
                match from {
                    [] => forward,
                    _ => forward.with_sources(sources.collect()).unwrap(),
                }
            };
            let bridge = format!("br{octet}").parse().unwrap();
            Network::new(Description {
                subnets: vec![format!("10.0.{octet}.0/24").parse().unwrap()],
                forwards: forwards.iter().map(forward).collect(),
                ..Description::new(name.parse().unwrap(), Some(bridge), Forward::Isolated)
            })
            .unwrap()
        };
        let taken = with(
            "a",
            1,
            &[
                ("tcp 80-89 -> 10.0.1.2:80-89", &[]),
                ("udp 53 -> 10.0.1.2:53", &["198.51.100.0/24", "203.0.113.9"]),
            ],
        );
        let clashes = |forward: &str, from: &[&str]| {
            let forward = forward.replace("GUEST", "10.0.2.2");
            let other = with("b", 2, &[(forward.as_str(), from)]);
            let both = [&taken, &other];
            let forwards = |c: &Conflict| matches!(c, Conflict::Forward { .. });
            let found = exclusions(&both);
            assert!(found.iter().all(forwards), "{found:?}");
            found.len()
        };
        assert_eq!(clashes("tcp 85-90 -> GUEST:1-6", &[]), 1);
        assert_eq!(clashes("tcp 90 -> GUEST:90", &[]), 0);
        assert_eq!(clashes("udp 80 -> GUEST:80", &[]), 0);
        assert_eq!(clashes("tcp 192.0.2.1:80 -> GUEST:80", &[]), 0);
        assert_eq!(clashes("udp 53 -> GUEST:53", &["198.51.0.0/16"]), 1);
        assert_eq!(clashes("udp 53 -> GUEST:53", &["192.0.2.0/24"]), 0);
        assert_eq!(
            clashes("udp 53 -> GUEST:53", &[]),
            1,
            "two sources, one conflict"
        );
    }

    #[test]
    fn a_bridge_of_the_host_may_serve_many() {
        let host = Forward::Unmanaged(UnmanagedMode::Bridge);
        let a = network("a", "br0", host.clone(), &[]);
        let b = network("b", "br0", host, &[]);
        assert!(conflicts([&a, &b]).is_empty());
        let c = network("c", "br0", Forward::Isolated, &[]);
        assert_eq!(conflicts([&a, &c]).len(), 1);
    }
}
