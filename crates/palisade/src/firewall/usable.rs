//! What makes networks useless at once that a change started: looked at on the host after it.

use std::fs;
use std::net::IpAddr;

use palisade_core::engine::{Action, HostNote, Report, Shortcoming};
use palisade_core::network::{Family, Forward, Network, Subnet};
use palisade_netlink::rtnetlink::{Host, Link, Route, RouteKind};
use palisade_netlink::within;

use super::Firewall;

/// `RT_TABLE_MAIN`.
const MAIN: u32 = 254;
/// More networks than these are left to `palisade doctor`: nobody reads so many notes.
const MOST: usize = 64;
/// Shorter prefixes stand for a default route.
const SHORTEST: u8 = 3;

/// The host as far as networks depend on it.
struct Seen {
    host: Host,
    /// The families that are not forwarded.
    unforwarded: Vec<Family>,
}

impl Firewall {
    /// Notes what makes the networks useless that a change added or replaced. A host that cannot be read is passed over.
    pub(super) fn note_shortcomings(&self, report: &mut Report) {
        let is_started = |action| matches!(action, Action::Add | Action::Replace);
        let started = report.changes.iter().filter(|it| is_started(it.action));
        let mut networks: Vec<(Network, &[Subnet])> = Vec::new();
        let mut found = Vec::new();
        for change in started {
            self.state.recall([&change.network], |record| {
                let guests = record.network.blocked().len();
                if self.has_rules(&record.placement) {
                    networks.push((record.network.clone(), &change.subnets_before));
                } else if guests > 0 {
                    found.push(HostNote {
                        network: record.network.name().clone(),
                        shortcoming: Shortcoming::Unenforced { guests },
                    });
                }
            });
        }
        if networks.len() > MOST {
            networks.clear();
        }
        // What stays in its subnets was looked at when it started: a daemon changes forwards often.
        let is_elsewhere = |(network, before): &(Network, &[Subnet])| network.subnets() != *before;
        let looks = self.looks_at_host && networks.iter().any(is_elsewhere);
        let seen = match looks.then(|| self.seen()) {
            Some(Ok(seen)) => Some(seen),
            Some(Err(why)) => {
                log::debug!("the host was not looked at: {why}");
                None
            }
            None => None,
        };
        for (network, before) in networks {
            if let Some(seen) = &seen {
                let its = seen.shortcomings(&network, before).into_iter();
                found.extend(its.map(|shortcoming| HostNote {
                    network: network.name().clone(),
                    shortcoming,
                }));
            }
            found.extend(HostNote::of_definition(&network));
        }
        report.notes.extend(found.iter().map(ToString::to_string));
        report.host_notes = found;
    }

    fn seen(&self) -> Result<Seen, String> {
        let host = Host::read(self.namespace()).map_err(|error| error.to_string())?;
        let unforwarded = match self.namespace() {
            None => unforwarded(),
            Some(path) => {
                within(path.to_owned(), || Ok(unforwarded())).map_err(|error| error.to_string())?
            }
        };
        Ok(Seen { host, unforwarded })
    }
}

/// The families that the network namespace of the calling thread does not forward.
fn unforwarded() -> Vec<Family> {
    let mut families = Family::BOTH.to_vec();
    families.retain(|family| {
        let file = match family {
            Family::Ipv4 => "/proc/sys/net/ipv4/ip_forward",
            Family::Ipv6 => "/proc/sys/net/ipv6/conf/all/forwarding",
        };
        fs::read_to_string(file).is_ok_and(|value| value.trim() == "0")
    });
    families
}

impl Seen {
    fn shortcomings(&self, network: &Network, before: &[Subnet]) -> Vec<Shortcoming> {
        let mut found = Vec::new();
        let Some(name) = network.ruled_bridge() else {
            return found;
        };
        let bridge = self.host.link(name.as_str());
        if bridge.is_none() {
            let bridge = name.clone();
            found.push(Shortcoming::NoBridge { bridge });
        }
        let subnets = network.subnets();
        let forwards = matches!(network.forward(), Forward::Nat(_) | Forward::Route { .. });
        for &family in &self.unforwarded {
            if forwards && subnets.iter().any(|subnet| subnet.family() == family) {
                found.push(Shortcoming::NoForwarding { family });
            }
        }
        for &subnet in subnets {
            let colliding = self
                .host
                .routes
                .iter()
                .find(|route| collides(route, subnet, bridge));
            if let Some(route) = colliding {
                let device = route
                    .devices
                    .first()
                    .and_then(|&index| self.host.name(index));
                found.push(Shortcoming::Collision {
                    subnet,
                    route: route.destination,
                    device: device.unwrap_or("?").to_owned(),
                });
            }
        }
        let Some(link) = bridge else {
            return found;
        };
        let own = self
            .host
            .addresses
            .iter()
            .filter(|it| it.device == link.index);
        let addresses: Vec<_> = own.map(|it| it.address).collect();
        for &subnet in subnets {
            if !addresses.iter().any(|it| subnet.net().contains(it)) {
                let bridge = name.clone();
                found.push(Shortcoming::NoAddress { bridge, subnet });
            }
        }
        let is_in =
            |all: &[Subnet], it: &IpAddr| all.iter().any(|subnet| subnet.net().contains(it));
        for address in addresses {
            if is_in(before, &address) && !is_in(subnets, &address) {
                let bridge = name.clone();
                found.push(Shortcoming::OldAddress { bridge, address });
            }
        }
        found
    }
}

/// Whether a route of the main table leads elsewhere than to the bridge with addresses of a subnet.
fn collides(route: &Route, subnet: Subnet, bridge: Option<&Link>) -> bool {
    let (net, destination) = (subnet.net(), route.destination);
    let overlaps = net.contains(&destination) || destination.contains(&net);
    let leads_to_bridge = bridge.is_some_and(|link| route.devices.contains(&link.index));
    route.table == MAIN
        && route.kind == RouteKind::UNICAST
        && destination.prefix_len() >= SHORTEST
        && overlaps
        && !leads_to_bridge
        && !route.devices.is_empty()
}
