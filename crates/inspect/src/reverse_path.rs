//! Whether a packet's source is reached through the interface that the packet came in through.

use std::net::IpAddr;

use palisade_core::evaluate::Packet;
use palisade_core::network::Network;
use palisade_netlink::rtnetlink::{Host, Route, RouteKind};

/// What the host's routes say; none of a packet that the host sends, and where routes of tables that rules
/// of policy routing choose would say something else: those rules are not read.
pub(crate) fn of_host(host: &Host, packet: &Packet) -> Option<bool> {
    let into = packet.in_interface.as_ref()?;
    let source = packet.source();
    if is_on_link(source) {
        return Some(true);
    }
    let leads_back = |route: &Route| {
        let mut names = route.devices.iter().map(|&device| host.name(device));
        route.kind == RouteKind::UNICAST && names.any(|name| name == Some(into.as_str()))
    };
    let holds = |route: &&Route| route.destination.contains(&source);
    let (usual, others): (Vec<&Route>, Vec<&Route>) = host
        .routes
        .iter()
        .filter(holds)
        .partition(|route| route.is_usual());
    let narrowest = usual
        .into_iter()
        .max_by_key(|route| route.destination.prefix_len());
    let is_reached = narrowest.is_some_and(leads_back);
    let is_certain = others
        .into_iter()
        .all(|route| leads_back(route) == is_reached);
    is_certain.then_some(is_reached)
}

/// What the networks' subnets say, where the host has no such interface: behind a bridge are the subnets
/// of its network, and behind other interfaces is everything else.
pub(crate) fn of_networks(networks: &[Network], packet: &Packet) -> Option<bool> {
    let into = packet.in_interface.as_ref()?;
    let is_behind = |network: &Network| {
        let mut subnets = network.subnets().iter();
        subnets.any(|subnet| subnet.net().contains(&packet.source()))
    };
    let is_its = |network: &&Network| network.bridge() == Some(into);
    let is_reached = match networks.iter().find(is_its) {
        Some(network) => is_behind(network),
        None => !networks.iter().any(is_behind),
    };
    Some(is_reached || is_on_link(packet.source()))
}

/// Each link leads to these.
fn is_on_link(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => false,
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use palisade_netlink::rtnetlink::Link;

    use super::*;

    fn route(destination: &str, device: u32, table: u32) -> Route {
        Route {
            destination: destination.parse().unwrap(),
            devices: vec![device],
            gateway: None,
            table,
            kind: RouteKind::UNICAST,
            is_advertised: false,
        }
    }

    /// Whether a guest's packet in by virbr0 has its source behind it, with these routes.
    fn of(routes: Vec<Route>) -> Option<bool> {
        let link = |index: u32, name: &str| Link {
            index,
            name: name.to_owned(),
            is_up: true,
            ..Link::default()
        };
        let host = Host {
            links: vec![link(1, "virbr0"), link(2, "tailscale0")],
            routes,
            ..Host::default()
        };
        let (guest, world) = ("192.168.122.9", "203.0.113.9");
        let mut packet = Packet::new(guest.parse().unwrap(), world.parse().unwrap(), 6).unwrap();
        packet.in_interface = "virbr0".parse().ok();
        of_host(&host, &packet)
    }

    #[test]
    fn tables_that_rules_choose_leave_it_open() {
        let subnet = route("192.168.122.0/24", 1, 254);
        assert_eq!(of(vec![subnet.clone()]), Some(true));
        assert_eq!(of(Vec::new()), Some(false));
        let elsewhere = route("0.0.0.0/0", 2, 52);
        assert_eq!(of(vec![subnet.clone(), elsewhere]), None);
        let back = route("192.168.0.0/16", 1, 52);
        assert_eq!(of(vec![subnet, back]), Some(true));
    }
}
