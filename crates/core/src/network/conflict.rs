//! What cannot run side by side.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use thiserror::Error;

use super::interface::InterfaceName;
use super::name::Name;
use super::subnet::Subnet;
use super::validated::Network;
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
    /// A field that no rules enforce yet: a network with it would run without what it asks for.
    #[error("network `{network}` has `{field}`, which this version does not enforce yet")]
    NotEnforced {
        /// The network.
        network: Name,
        /// The field.
        field: &'static str,
    },
}

impl Conflict {
    /// The two networks, in the order of the set; one that stands in it twice is both.
    #[must_use]
    pub fn networks(&self) -> [&Name; 2] {
        match self {
            Self::Name { name } | Self::NotEnforced { network: name, .. } => [name, name],
            Self::Bridge { first, second, .. } | Self::Subnet { first, second, .. } => {
                [first, second]
            }
        }
    }
}

impl Hint for Conflict {
    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Name { .. } => "rename one, or give the definition only once",
            Self::Bridge { .. } => "give one of them a bridge of its own, or remove it first",
            Self::Subnet { .. } => "give one of them another subnet, or remove it first",
            Self::NotEnforced { .. } => "leave it out",
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
    let mut found = not_enforced(&networks);
    found.extend(same_names(&networks));
    if found.is_empty() {
        found = same_bridges(&networks);
        found.extend(overlaps(&networks));
    }
    found
}

/// Fields that have no rules yet. A field leaves this list with the commit that adds its rules.
fn not_enforced(networks: &[&Network]) -> Vec<Conflict> {
    let found = |network: &&Network| {
        let fields = [
            ("forwards", !network.port_forwards().is_empty()),
            ("log", network.log().is_some()),
        ];
        let given = fields.into_iter().filter(|&(_, is_given)| is_given);
        let network = network.name().clone();
        given.map(move |(field, _)| Conflict::NotEnforced {
            network: network.clone(),
            field,
        })
    };
    networks.iter().flat_map(found).collect()
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

/// Several networks may hand guests to one bridge of the host; a bridge that a network brings
/// itself, with rules or without, is that network's alone.
fn same_bridges(networks: &[&Network]) -> Vec<Conflict> {
    let mut seen: HashMap<&InterfaceName, &Network> = HashMap::new();
    let mut found = Vec::new();
    for network in networks {
        let Some(bridge) = network.bridge() else {
            continue;
        };
        let Some(first) = seen.get(bridge) else {
            seen.insert(bridge, network);
            continue;
        };
        if first.owns_bridge() || network.owns_bridge() {
            found.push(Conflict::Bridge {
                first: first.name().clone(),
                second: network.name().clone(),
                bridge: bridge.clone(),
            });
        }
    }
    found
}

/// Subnets nest or are disjoint: sorted by first address, the shorter prefix before the longer, an
/// overlap is always with the last subnet that has not ended yet.
fn overlaps(networks: &[&Network]) -> Vec<Conflict> {
    let mut all: Vec<(Subnet, usize)> = networks
        .iter()
        .enumerate()
        .flat_map(|(i, network)| network.subnets().iter().map(move |&subnet| (subnet, i)))
        .collect();
    let key = |subnet: Subnet| -> (IpAddr, u8) { (subnet.network(), subnet.prefix()) };
    all.sort_by_key(|&(subnet, i)| (key(subnet), i));
    let mut found = Vec::new();
    let mut outer: Option<(Subnet, usize)> = None;
    for &(subnet, i) in &all {
        match outer {
            Some((other, j)) if other.overlaps(subnet) => {
                let mut pair = [(j, other), (i, subnet)];
                pair.sort_by_key(|&(index, _)| index);
                let [(first, first_subnet), (second, second_subnet)] = pair;
                found.push((
                    (first, second),
                    Conflict::Subnet {
                        first: networks[first].name().clone(),
                        first_subnet,
                        second: networks[second].name().clone(),
                        second_subnet,
                    },
                ));
            }
            _ => outer = Some((subnet, i)),
        }
    }
    found.sort_by_key(|&(at, _)| at);
    found.into_iter().map(|(_, conflict)| conflict).collect()
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
    fn a_bridge_of_the_host_may_serve_many() {
        let host = Forward::Unmanaged(UnmanagedMode::Bridge);
        let a = network("a", "br0", host.clone(), &[]);
        let b = network("b", "br0", host, &[]);
        assert!(conflicts([&a, &b]).is_empty());
        let c = network("c", "br0", Forward::Isolated, &[]);
        assert_eq!(conflicts([&a, &c]).len(), 1);
    }
}
