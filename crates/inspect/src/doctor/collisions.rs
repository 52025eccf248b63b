//! Subnets of guests, and routes to elsewhere for the same addresses.

use std::net::IpAddr;

use palisade_core::network::Subnet;
use palisade_core::state::Record;
use palisade_netlink::rtnetlink::{Route, RouteKind};

use super::finding::{Check, Evidence, Finding, Fix, Severity};
use super::scene::Scene;
use crate::routing::MAIN;
use crate::shell::word;

/// Shorter prefixes stand for a default route, as those of VPNs do (0.0.0.0/1 and 128.0.0.0/1).
const SHORTEST: u8 = 3;

pub(super) fn findings(scene: &Scene) -> Vec<Finding> {
    let mut found = Vec::new();
    for record in &scene.records {
        for &subnet in record.network.subnets() {
            let colliding = colliding(scene, record, subnet);
            for &route in &colliding {
                // An address of the host comes with the route that it brought.
                let is_brought = route.kind == RouteKind::LOCAL
                    && colliding.iter().any(|other| {
                        other.kind == RouteKind::UNICAST
                            && other.gateway.is_none()
                            && other.devices == route.devices
                            && other.destination.contains(&route.destination)
                    });
                if !is_brought {
                    found.push(finding(scene, (record, subnet), route));
                }
            }
        }
    }
    found
}

/// Whether another route than that to the bridge holds guests of a subnet.
pub(super) fn hides_guests(scene: &Scene, record: &Record, subnet: Subnet) -> bool {
    let net = subnet.net();
    let mut colliding = colliding(scene, record, subnet).into_iter();
    colliding.any(|route| net.contains(&route.destination))
}

fn colliding<'s>(scene: &'s Scene, record: &Record, subnet: Subnet) -> Vec<&'s Route> {
    let bridge = record.network.bridge();
    let bridge = bridge.and_then(|name| scene.host.link(name.as_str()));
    let net = subnet.net();
    let mut routes: Vec<&Route> = scene.host.routes.iter().collect();
    routes.retain(|route| {
        let destination = route.destination;
        let leads_to_bridge = bridge.is_some_and(|link| route.devices.contains(&link.index));
        // Those of tables that rules choose count where the kernel asks them.
        let is_inner = net.contains(&destination) && route.kind != RouteKind::BROADCAST;
        let is_wider = destination.contains(&net) && route.kind == RouteKind::UNICAST;
        route.is_usual()
            && destination.prefix_len() >= SHORTEST
            && (is_inner || is_wider)
            && !leads_to_bridge
            && !is_of_a_link(destination.addr())
    });
    routes
}

/// Addresses that each link has for itself.
fn is_of_a_link(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_multicast(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_multicast() || v6.is_unicast_link_local(),
    }
}

fn finding(scene: &Scene, (record, subnet): (&Record, Subnet), route: &Route) -> Finding {
    let network = record.network.name();
    let destination = route.destination;
    let is_wider = destination.prefix_len() < subnet.prefix();
    let told = told(scene, route);
    let (severity, meaning) = if route.kind == RouteKind::LOCAL {
        (
            Severity::Error,
            format!(
                "the host takes what is for the guest with address {}",
                destination.addr()
            ),
        )
    } else if is_wider {
        (
            Severity::Note,
            format!("hosts behind that route with an address of {subnet} are hidden by the guests"),
        )
    } else {
        (
            Severity::Error,
            format!("what is for guests in {destination} goes where that route leads"),
        )
    };
    Finding {
        check: Check::SubnetCollision,
        severity,
        networks: vec![network.clone()],
        summary: format!("subnet {subnet} of network `{network}` overlaps the route {told}"),
        evidence: vec![Evidence::Route {
            route: told.clone(),
        }],
        impact: meaning,
        fix: Fix::advice(format!(
            "give network `{network}` a subnet that no route of the host holds: change its definition, and \
             apply it"
        )),
    }
}

/// As `ip route` takes it.
fn told(scene: &Scene, route: &Route) -> String {
    let kind = match route.kind {
        RouteKind::LOCAL => "local ",
        RouteKind::BLACKHOLE => "blackhole ",
        RouteKind::UNREACHABLE => "unreachable ",
        RouteKind::PROHIBIT => "prohibit ",
        _ => "",
    };
    let mut told = format!("{kind}{}", route.destination);
    if let Some(gateway) = route.gateway {
        told += &format!(" via {gateway}");
    }
    if let [device] = route.devices.as_slice()
        && let Some(name) = scene.host.name(*device)
    {
        told += &format!(" dev {}", word(name));
    }
    if route.table != MAIN && route.kind == RouteKind::UNICAST {
        told += &format!(" table {}", route.table);
    }
    told
}
