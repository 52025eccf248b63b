//! Whether the host passes packets on at all.

use palisade_core::network::Family;
use palisade_netlink::rtnetlink::{Link, RouteKind};

use super::finding::{Check, Finding, Fix, Severity};
use super::scene::{Scene, names, told};

pub(super) fn findings(scene: &Scene) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(ipv4(scene));
    found.extend(ipv4_by_interface(scene));
    found.extend(ipv6(scene));
    found.extend(ipv6_disabled(scene));
    found.extend(accept_ra(scene));
    found
}

fn ipv4(scene: &Scene) -> Option<Finding> {
    const PATH: &str = "net/ipv4/ip_forward";
    if !scene.settings.is(PATH, "0") {
        return None;
    }
    let leaving = scene.leaving(Family::Ipv4);
    let networks = names(leaving.map(|(record, _)| record));
    if networks.is_empty() {
        return None;
    }
    Some(Finding {
        check: Check::Ipv4Forwarding,
        severity: Severity::Error,
        summary: "the host does not forward IPv4".to_owned(),
        evidence: vec![scene.settings.evidence(PATH)],
        impact: format!(
            "guests of {} reach the host and one another, and nobody else, by IPv4. To keep it \
             over a reboot, write net.ipv4.ip_forward=1 into a file in /etc/sysctl.d",
            told(&networks)
        ),
        fix: Fix::commands([scene.commands.sysctl(PATH, "1")]),
        networks,
    })
}

/// Where the host forwards, an interface may still not: of the one that a packet comes in through
/// it depends.
fn ipv4_by_interface(scene: &Scene) -> Vec<Finding> {
    let mut found = Vec::new();
    if scene.settings.is("net/ipv4/ip_forward", "0") {
        return found;
    }
    for (record, bridge) in scene.leaving(Family::Ipv4) {
        let network = record.network.name();
        let device = record.network.forward().device();
        for (interface, meaning) in [
            (Some(bridge), "what guests of it send goes nowhere"),
            (device, "no answer comes back to guests of it"),
        ] {
            let Some(interface) = interface else { continue };
            let path = format!("net/ipv4/conf/{interface}/forwarding");
            if !scene.settings.is(&path, "0") {
                continue;
            }
            found.push(Finding {
                check: Check::Ipv4Forwarding,
                severity: Severity::Error,
                networks: vec![network.clone()],
                summary: format!("the host does not forward IPv4 that comes in by `{interface}`"),
                evidence: vec![scene.settings.evidence(&path)],
                impact: format!("of network `{network}`: {meaning} by IPv4"),
                fix: Fix::commands([scene.commands.sysctl(&path, "1")]),
            });
        }
    }
    found
}

fn ipv6(scene: &Scene) -> Option<Finding> {
    const PATH: &str = "net/ipv6/conf/all/forwarding";
    if !scene.settings.is(PATH, "0") {
        return None;
    }
    // Since Linux 6.17 an interface may forward although the host as a whole does not.
    let is_forced = |interface: &str| {
        let path = format!("net/ipv6/conf/{interface}/force_forwarding");
        scene.settings.is(&path, "1")
    };
    let leaving = scene
        .leaving(Family::Ipv6)
        .filter(|(_, bridge)| !is_forced(bridge.as_str()));
    let networks = names(leaving.map(|(record, _)| record));
    if networks.is_empty() {
        return None;
    }
    let mut fix = Vec::new();
    let mut advice = "";
    // Forwarding makes the kernel forget what routers told: first it is to listen all the same.
    for link in listening(scene) {
        let path = format!("net/ipv6/conf/{}/accept_ra", link.name);
        fix.push(scene.commands.sysctl(&path, "2"));
        advice = ". The host's own addresses and routes come from routers' advertisements: \
                  accept_ra=2 keeps them";
    }
    fix.push(scene.commands.sysctl(PATH, "1"));
    Some(Finding {
        check: Check::Ipv6Forwarding,
        severity: Severity::Error,
        summary: "the host does not forward IPv6".to_owned(),
        evidence: vec![scene.settings.evidence(PATH)],
        impact: format!(
            "guests of {} reach the host and one another, and nobody else, by IPv6. To keep it \
             over a reboot, write net.ipv6.conf.all.forwarding=1 into a file in \
             /etc/sysctl.d{advice}",
            told(&networks)
        ),
        fix: Fix::commands(fix),
        networks,
    })
}

fn ipv6_disabled(scene: &Scene) -> Vec<Finding> {
    let with_ipv6 = scene
        .ruled()
        .filter(|(record, _)| record.network.subnets_of(Family::Ipv6).next().is_some());
    with_ipv6
        .filter_map(|(record, bridge)| {
            let path = format!("net/ipv6/conf/{bridge}/disable_ipv6");
            let network = record.network.name();
            scene.settings.is(&path, "1").then(|| Finding {
                check: Check::Ipv6Disabled,
                severity: Severity::Error,
                networks: vec![network.clone()],
                summary: format!("IPv6 is disabled on bridge `{bridge}`"),
                evidence: vec![scene.settings.evidence(&path)],
                impact: format!(
                    "network `{network}` has an IPv6 subnet, and the host takes no IPv6 packet \
                     from its guests"
                ),
                fix: Fix::commands(
                    [scene.commands.sysctl(&path, "0")].into_iter().chain(
                        record
                            .network
                            .subnets_of(Family::Ipv6)
                            .map(|subnet| scene.add_address(bridge, subnet)),
                    ),
                ),
            })
        })
        .collect()
}

/// Interfaces that learned from routers, as long as they listen.
fn listening(scene: &Scene) -> Vec<&Link> {
    let links = scene.host.links.iter().filter(|link| link.is_up);
    links
        .filter(|link| {
            let path = format!("net/ipv6/conf/{}/accept_ra", link.name);
            scene.settings.is(&path, "1") && has_learned(scene, link)
        })
        .collect()
}

fn has_learned(scene: &Scene, link: &Link) -> bool {
    let host = &scene.host;
    let is_learned_route = |route: &&palisade_netlink::rtnetlink::Route| {
        route.is_advertised && route.devices.contains(&link.index)
    };
    let mut addresses = host.addresses.iter();
    host.routes.iter().any(|route| is_learned_route(&route))
        || addresses.any(|address| {
            address.device == link.index && !address.is_permanent && address.address.is_ipv6()
        })
}

/// Forwarding makes interfaces deaf to routers, unless `accept_ra` is 2.
fn accept_ra(scene: &Scene) -> Vec<Finding> {
    if !scene.settings.is("net/ipv6/conf/all/forwarding", "1") {
        return Vec::new();
    }
    let networks = names(scene.leaving(Family::Ipv6).map(|(record, _)| record));
    if networks.is_empty() {
        return Vec::new();
    }
    let bridges: Vec<&str> = scene.ruled().map(|(_, bridge)| bridge.as_str()).collect();
    let links = scene.host.links.iter().filter(|link| {
        let forwards = format!("net/ipv6/conf/{}/forwarding", link.name);
        let accepts = format!("net/ipv6/conf/{}/accept_ra", link.name);
        link.is_up
            && scene.settings.is(&forwards, "1")
            && scene.settings.is(&accepts, "1")
            && !bridges.contains(&link.name.as_str())
            && (has_learned(scene, link) || waits_for_a_router(scene, link))
    });
    links
        .map(|link| {
            let path = format!("net/ipv6/conf/{}/accept_ra", link.name);
            Finding {
                check: Check::AcceptRa,
                // Whether there is a router at all is not known where none was heard.
                severity: match has_learned(scene, link) {
                    true => Severity::Warning,
                    false => Severity::Note,
                },
                networks: networks.clone(),
                summary: format!(
                    "`{}` ignores IPv6 routers' advertisements since the host forwards IPv6",
                    link.name
                ),
                evidence: vec![
                    scene.settings.evidence(&path),
                    scene.settings.evidence("net/ipv6/conf/all/forwarding"),
                ],
                impact: format!(
                    "the host loses its own IPv6 route to the outside, or has lost it, and guests \
                     of {} with it",
                    told(&networks)
                ),
                fix: Fix::commands([scene.commands.sysctl(&path, "2")]),
            }
        })
        .collect()
}

/// Whether this is the way outside by IPv4, and nobody gave it IPv6: there is no route outside by
/// IPv6, and no address that could have one.
fn waits_for_a_router(scene: &Scene, link: &Link) -> bool {
    let host = &scene.host;
    let leads_outside = |is_ipv4: bool| {
        let unicast = host.routes.iter().filter(move |route| {
            route.kind == RouteKind::UNICAST
                && route.destination.prefix_len() == 0
                && route.destination.addr().is_ipv4() == is_ipv4
        });
        unicast.flat_map(|route| &route.devices)
    };
    let is_global = |address: &&palisade_netlink::rtnetlink::Address| match address.address {
        std::net::IpAddr::V4(_) => false,
        std::net::IpAddr::V6(v6) => !v6.is_unicast_link_local(),
    };
    let mut own = host.addresses.iter().filter(|a| a.device == link.index);
    leads_outside(true).any(|&device| device == link.index)
        && leads_outside(false).next().is_none()
        && !own.any(|address| is_global(&address))
}
