//! Where the host's routes lead, as its main table has them.

use std::net::IpAddr;

use palisade_core::network::{Family, InterfaceName};
use palisade_netlink::rtnetlink::{Host, Link, Route, RouteKind};

/// The number of the main routing table.
const MAIN: u32 = 254;

/// The number of the table with what the host takes itself.
const LOCAL: u32 = 255;

/// Whether the host takes what comes for this address: one of its own, a broadcast beside it, or
/// what else its local table holds.
pub(super) fn is_local(host: &Host, destination: IpAddr) -> bool {
    let holds = |route: &Route| route.table == LOCAL && route.destination.contains(&destination);
    let mut addresses = host.addresses.iter();
    addresses.any(|address| address.address == destination) || host.routes.iter().any(holds)
}

/// The way from the host to an address.
pub(super) struct Way<'a> {
    /// The interface that it leads through.
    pub(super) link: &'a Link,
    route: &'a Route,
}

/// The host's longest route to an address, if that leads on.
pub(super) fn way(host: &Host, address: IpAddr) -> Option<Way<'_>> {
    let holds = |route: &&Route| route.table == MAIN && route.destination.contains(&address);
    let routes = host.routes.iter().filter(holds);
    let route = routes.max_by_key(|route| route.destination.prefix_len())?;
    let device = *route.devices.first()?;
    let link = host.links.iter().find(|link| link.index == device)?;
    (route.kind == RouteKind::UNICAST).then_some(Way { link, route })
}

impl Way<'_> {
    /// The interface's name, where our types hold it.
    pub(super) fn interface(&self) -> Option<InterfaceName> {
        self.link.name.parse().ok()
    }

    /// The address that the host takes for what it sends this way: one of the interface's, beside
    /// the next router where there is one.
    pub(super) fn source(&self, host: &Host, family: Family) -> Option<IpAddr> {
        let mut its = addresses(host, self.link, family);
        its.sort_by_key(|address| {
            let is_beside = self.route.gateway.is_none_or(|next| address.holds(next));
            (!is_beside, is_link_local(address.address))
        });
        its.first().map(|address| address.address)
    }
}

/// The address by which somebody at a link knows the host: one of the network's rather than the one
/// that the link gave itself.
pub(super) fn address_on(host: &Host, link: &Link, family: Family) -> Option<IpAddr> {
    let its = addresses(host, link, family);
    let its = its.iter().map(|address| address.address);
    its.min_by_key(|&address| is_link_local(address))
}

/// An address of the host, with its prefix.
struct Held {
    address: IpAddr,
    prefix: u8,
}

impl Held {
    /// Whether another address is in the same subnet.
    fn holds(&self, other: IpAddr) -> bool {
        ipnet::IpNet::new(self.address, self.prefix).is_ok_and(|net| net.contains(&other))
    }
}

fn addresses(host: &Host, link: &Link, family: Family) -> Vec<Held> {
    let is_its = |address: &&palisade_netlink::rtnetlink::Address| {
        let is_v4 = address.address.is_ipv4();
        address.device == link.index && is_v4 == (family == Family::Ipv4)
    };
    let its = host.addresses.iter().filter(is_its);
    its.map(|address| Held {
        address: address.address,
        prefix: address.prefix,
    })
    .collect()
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}
