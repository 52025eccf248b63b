//! Bridges and devices: those that networks need, and bridges that no network rules.

use palisade_core::network::Family;
use palisade_netlink::rtnetlink::{Link, PortState, RouteKind};

use super::finding::{Check, Evidence, Finding, Fix, Severity};
use super::scene::Scene;
use crate::shell::word;

/// How the bridges of networks are called, unless somebody names them.
const OF_NETWORKS: &str = "virbr";
/// Where libvirt keeps the definitions of running networks.
const RUNNING: &str = "/run/libvirt/network";

pub(super) fn findings(scene: &Scene) -> Vec<Finding> {
    let mut found = bridges(scene);
    found.extend(ports(scene));
    found.extend(devices(scene));
    found
}

fn bridges(scene: &Scene) -> Vec<Finding> {
    let mut found = Vec::new();
    for (record, bridge) in scene.ruled() {
        let network = record.network.name();
        let name = word(bridge.as_str());
        let (state, severity, meaning, fix) = match scene.host.link(bridge.as_str()) {
            None => (
                "not there",
                Severity::Warning,
                "has rules and no bridge: no guest is on it",
                vec![
                    scene
                        .commands
                        .inside(format!("ip link add name {name} type bridge")),
                    scene.commands.inside(format!("ip link set {name} up")),
                ]
                .into_iter()
                .chain(
                    record
                        .network
                        .subnets()
                        .iter()
                        .map(|&it| scene.add_address(bridge, it)),
                )
                .collect(),
            ),
            Some(link) if !link.is_up => (
                "down",
                Severity::Error,
                "has a bridge that passes nothing",
                vec![scene.commands.inside(format!("ip link set {name} up"))],
            ),
            Some(_) => continue,
        };
        found.push(Finding {
            check: Check::Bridge,
            severity,
            networks: vec![network.clone()],
            summary: format!("bridge `{bridge}` is {state}"),
            evidence: vec![Evidence::Interface {
                interface: bridge.to_string(),
                state: state.to_owned(),
            }],
            impact: format!("network `{network}` {meaning}"),
            fix: Fix::commands(fix),
        });
    }
    found
}

/// Ports of bridges that pass nothing. A port whose other end is down has a guest that does not run.
fn ports(scene: &Scene) -> Vec<Finding> {
    let mut found = Vec::new();
    for (record, bridge) in scene.bridges() {
        let Some(link) = scene.host.link(bridge.as_str()).filter(|link| link.is_up) else {
            continue;
        };
        for port in scene.host.ports(link) {
            let (network, name) = (record.network.name(), word(&port.name));
            let state = port.port_state.map_or("", PortState::name);
            let (severity, state, command) = match state {
                _ if !port.is_up => (Severity::Warning, "down", format!("ip link set {name} up")),
                "blocking" => (
                    Severity::Error,
                    state,
                    format!("bridge link set dev {name} state 3"),
                ),
                _ => continue,
            };
            found.push(Finding {
                check: Check::Bridge,
                severity,
                networks: vec![network.clone()],
                summary: format!("port `{}` of bridge `{bridge}` is {state}", port.name),
                evidence: vec![Evidence::Interface {
                    interface: port.name.clone(),
                    state: state.to_owned(),
                }],
                impact: format!(
                    "the guest of network `{network}` behind it is cut off. A bridge that runs the spanning \
                     tree blocks ports that lead back to it, and decides again"
                ),
                fix: Fix::commands([scene.commands.inside(command)]),
            });
        }
    }
    found
}

fn devices(scene: &Scene) -> Vec<Finding> {
    let mut found = Vec::new();
    for record in &scene.records {
        let network = record.network.name();
        let Some(device) = record.network.forward().device() else {
            continue;
        };
        let name = word(device.as_str());
        let (state, fix) = match scene.host.link(device.as_str()) {
            None => (
                "not there",
                Fix::advice(format!(
                    "make the device, or name one that `{}` lists in the definition of `{network}`, \
                     and apply it",
                    scene.commands.inside("ip -brief link")
                )),
            ),
            Some(link) if !link.is_up => (
                "down",
                Fix::commands([scene.commands.inside(format!("ip link set {name} up"))]),
            ),
            Some(_) => continue,
        };
        found.push(Finding {
            check: Check::ForwardDevice,
            severity: Severity::Error,
            networks: vec![network.clone()],
            summary: format!("device `{device}` is {state}"),
            evidence: vec![Evidence::Interface {
                interface: device.to_string(),
                state: state.to_owned(),
            }],
            impact: format!(
                "network `{network}` forwards through `{device}` alone: guests reach nobody \
                 outside until it is there and up"
            ),
            fix,
        });
    }
    found
}

/// Bridges of networks that were: they are up and called as libvirt calls those of its networks, the host
/// has an address there, and no running network has them. Guests on them are forwarded without rules.
pub(super) fn unruled(scene: &Scene) -> Vec<&Link> {
    let networks = &scene.records;
    let mut links: Vec<&Link> = scene.host.links.iter().collect();
    links.retain(|link| {
        let mut bridges = networks.iter().filter_map(|r| r.network.bridge());
        let mut addresses = scene.host.addresses.iter();
        link.is_bridge()
            && link.is_up
            && link.name.starts_with(OF_NETWORKS)
            && addresses.any(|own| own.device == link.index)
            && !bridges.any(|bridge| bridge.as_str() == link.name)
            && !is_uplink(scene, link)
            && !is_of_libvirt(&link.name)
    });
    links
}

/// Whether libvirt runs a network with this bridge, be it one without rules (mode open).
fn is_of_libvirt(bridge: &str) -> bool {
    let Ok(files) = std::fs::read_dir(RUNNING) else {
        return false;
    };
    let named = [format!("name='{bridge}'"), format!("name=\"{bridge}\"")];
    let mut texts = files.filter_map(|file| std::fs::read_to_string(file.ok()?.path()).ok());
    texts.any(|text| named.iter().any(|named| text.contains(named)))
}

pub(super) fn unruled_finding(scene: &Scene, link: &Link) -> Finding {
    const FORWARDING: [(Family, &str); 2] = [
        (Family::Ipv4, "net/ipv4/ip_forward"),
        (Family::Ipv6, "net/ipv6/conf/all/forwarding"),
    ];
    let mut evidence = vec![Evidence::Interface {
        interface: link.name.clone(),
        state: "bridge, up, of no running network".to_owned(),
    }];
    let mut families = Vec::new();
    for (family, path) in FORWARDING {
        if scene.settings.is(path, "1") {
            families.push(family.to_string());
            evidence.push(scene.settings.evidence(path));
        }
    }
    let bridge = word(&link.name);
    let (severity, meaning) = match families.as_slice() {
        [] => (
            Severity::Note,
            "if the host comes to forward, guests on it are forwarded without rules".to_owned(),
        ),
        families => (
            Severity::Warning,
            format!(
                "the host forwards {} for guests on it, and no rule of ours says where to: a \
                 network that was removed leaves its bridge like that",
                families.join(" and ")
            ),
        ),
    };
    Finding {
        check: Check::UnruledBridge,
        severity,
        networks: Vec::new(),
        summary: format!(
            "bridge `{}` is up, and no running network has it",
            link.name
        ),
        evidence,
        impact: format!("{meaning}. Apply a network for it, or set it down"),
        fix: Fix::commands([scene.commands.inside(format!("ip link set {bridge} down"))]),
    }
}

/// Whether the host itself is on the outside by it: a real device is a port of it, or the way
/// outside leads through it.
fn is_uplink(scene: &Scene, link: &Link) -> bool {
    let host = &scene.host;
    let is_real =
        |port: &Link| matches!(port.kind.as_deref(), None | Some("bond" | "vlan" | "team"));
    let mut ways = host
        .routes
        .iter()
        .filter(|route| route.kind == RouteKind::UNICAST && route.destination.prefix_len() == 0);
    host.ports(link).any(is_real) || ways.any(|route| route.devices.contains(&link.index))
}
