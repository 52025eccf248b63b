//! Subnets of guests, and routes to elsewhere for the same addresses.

use std::net::IpAddr;

use palisade_core::network::Subnet;
use palisade_core::state::Record;
use palisade_netlink::rtnetlink::{Route, RouteKind};

use super::finding::{Check, Evidence, Finding, Fix, Severity};
use super::scene::Scene;
use crate::shell::word;

/// `RT_TABLE_MAIN`.
const MAIN: u32 = 254;

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

fn colliding<'s>(scene: &'s Scene, record: &Record, subnet: Subnet) -> Vec<&'s Route> {
    let bridge = record.network.bridge();
    let bridge = bridge.and_then(|name| scene.host.link(name.as_str()));
    let net = subnet.net();
    let mut routes: Vec<&Route> = scene.host.routes.iter().collect();
    routes.retain(|route| {
        let destination = route.destination;
        let leads_to_bridge = bridge.is_some_and(|link| route.devices.contains(&link.index));
        matches!(route.kind, RouteKind::UNICAST | RouteKind::LOCAL)
            && destination.prefix_len() > 0
            && (net.contains(&destination) || destination.contains(&net))
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
            Severity::Warning,
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
        impact: format!(
            "{meaning}. Take the route away, or give network `{network}` another subnet: change \
             its definition and apply it"
        ),
        fix: Fix::commands([scene.commands.inside(fix(scene, route))]),
    }
}

fn fix(scene: &Scene, route: &Route) -> String {
    let family = if route.destination.addr().is_ipv4() {
        "-4"
    } else {
        "-6"
    };
    if route.kind == RouteKind::LOCAL {
        let mut addresses = scene.host.addresses.iter();
        let own = addresses.find(|own| own.address == route.destination.addr());
        if let Some(own) = own
            && let Some(device) = scene.host.name(own.device)
        {
            let device = word(device);
            return format!("ip address del {}/{} dev {device}", own.address, own.prefix);
        }
    }
    format!("ip {family} route del {}", told(scene, route))
}

/// As `ip route` takes it.
fn told(scene: &Scene, route: &Route) -> String {
    let kind = if route.kind == RouteKind::LOCAL {
        "local "
    } else {
        ""
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
