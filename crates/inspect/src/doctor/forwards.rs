//! Forwards of ports that lead nowhere, or that other programs share a port with.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use palisade_core::evaluate::{Destination, Ground, Nat, Outcome, Packet};
use palisade_core::network::{Family, Network, PortForward};
use palisade_core::rules::Protocol;
use palisade_netlink::rtnetlink::{HostError, Neighbour};

use super::finding::{Check, Evidence, Finding, Fix, Severity};
use super::listeners::Listener;
use super::packets::outside;
use super::scene::Scene;
use crate::devices::devices;
use crate::host_rules::{HostRules, TableGroup};
use crate::routing::is_of_link;
use crate::shell::word;

/// Somebody outside, of each family: an address that no rule should know.
const WORLD: (Ipv4Addr, Ipv6Addr) = (
    Ipv4Addr::new(1, 1, 1, 1),
    Ipv6Addr::new(0x2606, 0x4700, 0x4700, 0, 0, 0, 0, 0x1111),
);

/// All forwards of networks that run, each with its network.
fn forwards(scene: &Scene) -> impl Iterator<Item = (&Network, &PortForward)> {
    let networks = scene.ruled().map(|(record, _)| &record.network);
    networks.flat_map(|network| network.port_forwards().iter().map(move |it| (network, it)))
}

pub(super) fn findings(
    scene: &Scene,
    rules: &HostRules,
    listeners: &[Listener],
    whole: &mut dyn FnMut() -> Option<Ground<'static>>,
) -> Vec<Finding> {
    let mut found = Vec::new();
    for (network, forward) in forwards(scene) {
        found.extend(listener(scene, network, forward, listeners));
    }
    let groups: Vec<&dyn TableGroup> = rules.groups().collect();
    for group in groups.iter().filter(|group| !group.owner().is_palisade()) {
        let ground = group.alone().on(devices(&scene.host));
        for (network, forward) in forwards(scene) {
            let Some(packet) = first_packet(scene, network, forward) else {
                continue;
            };
            if let Some(rule) = translating(&ground.evaluate(&packet)) {
                let whole = whole().map(|ground| ground.on(devices(&scene.host)).fate(&packet).nat);
                found.push(shared(scene, (network, forward), *group, rule, whole));
            }
        }
    }
    found.extend(hairpin(scene));
    found
}

/// Forwards whose target answers no ARP and no neighbour discovery.
pub(super) fn silent_targets(
    scene: &Scene,
    namespace: Option<&Path>,
) -> Result<Vec<Finding>, HostError> {
    let target = |(network, forward): (&Network, &PortForward)| {
        let link = scene.host.link(network.bridge()?.as_str())?;
        link.is_up.then_some(Neighbour {
            address: forward.target().address(),
            device: link.index,
        })
    };
    let targets: BTreeSet<Neighbour> = forwards(scene).filter_map(target).collect();
    let targets: Vec<Neighbour> = targets.into_iter().collect();
    let silent = Neighbour::silent(&targets, namespace)?;
    let is_silent =
        |at: &(&Network, &PortForward)| target(*at).is_some_and(|it| silent.contains(&it));
    let finding = |(network, forward): (&Network, &PortForward)| {
        let (name, guest) = (network.name(), forward.target().address());
        let bridge = network
            .bridge()
            .map(ToString::to_string)
            .unwrap_or_default();
        Finding {
            check: Check::ForwardTarget,
            severity: Severity::Note,
            networks: vec![name.clone()],
            summary: format!(
                "no guest answers at {guest}, where `{forward}` of network `{name}` leads"
            ),
            evidence: vec![Evidence::Interface {
                interface: bridge.clone(),
                state: format!("nobody there has the address {guest}"),
            }],
            impact: "connections to the forward time out until a guest has that address".to_owned(),
            fix: Fix::advice(format!(
                "start the guest, or give it the address {guest}; `{}` shows who is there",
                scene
                    .commands
                    .inside(format!("ip neighbour show dev {}", word(&bridge)))
            )),
        }
    };
    Ok(forwards(scene).filter(is_silent).map(finding).collect())
}

/// A program of the host that listens where a forward takes the connections.
fn listener(
    scene: &Scene,
    network: &Network,
    forward: &PortForward,
    listeners: &[Listener],
) -> Option<Finding> {
    let listener = listeners.iter().find(|listener| listener.is_at(forward))?;
    let (name, port, protocol) = (network.name(), listener.port, forward.protocol());
    let kind = if protocol.name() == "udp" { "u" } else { "t" };
    let show = format!("ss -Hl{kind}np 'sport = :{port}'");
    Some(Finding {
        check: Check::ForwardedPort,
        severity: Severity::Warning,
        networks: vec![name.clone()],
        summary: format!(
            "a program of the host listens at {protocol} port {port}, which `{forward}` of network \
             `{name}` forwards"
        ),
        evidence: vec![Evidence::File {
            file: listener.file.to_owned(),
            value: listener.to_string(),
        }],
        impact: "the forward wins: the program gets no new connections from elsewhere".to_owned(),
        fix: Fix::advice(format!(
            "forward another port, or let the program listen at another address; `{}` names it",
            scene.commands.inside(show)
        )),
    })
}

/// The first packet of a connection from outside to a forward.
fn first_packet(scene: &Scene, network: &Network, forward: &PortForward) -> Option<Packet> {
    let family = forward.family();
    let device = outside(scene, network.forward(), family)?;
    let world = match family {
        Family::Ipv4 => IpAddr::V4(WORLD.0),
        Family::Ipv6 => IpAddr::V6(WORLD.1),
    };
    let source = forward
        .sources()
        .first()
        .map_or(world, |subnet| subnet.network());
    let own = || {
        let link = scene.host.link(device.as_str())?;
        let mut addresses = scene.host.addresses.iter();
        let is_its =
            |address: IpAddr| address.is_ipv4() == source.is_ipv4() && !is_of_link(address);
        let own = addresses.find(|own| own.device == link.index && is_its(own.address));
        own.map(|own| own.address)
    };
    let to = forward.listen().address().or_else(own)?;
    let protocol = Protocol::from(forward.protocol()).number();
    let mut packet = Packet::new(source, to, protocol).ok()?;
    packet.in_interface = Some(device);
    packet.source_port = Some(40_000);
    packet.destination_port = Some(forward.listen().ports().start());
    packet.reverse_path = Some(true);
    Some(packet)
}

/// The rule of another program that gives a packet another destination, if one does or may: its table and
/// chain, the rule, and where it leads.
struct Translating {
    table: String,
    chain: String,
    rule: String,
    to: Option<String>,
}

fn translating(outcome: &Outcome) -> Option<Translating> {
    if let Nat::Dnat { to } = outcome.fate.nat {
        let mut applied = outcome.path.iter().rev();
        let rule = applied.find(|visit| visit.matched == Some(true))?;
        // Palisade's own chains may be in the same table.
        return rule.network.is_none().then(|| Translating {
            table: rule.table.clone().unwrap_or_default(),
            chain: rule.chain.clone(),
            rule: rule.rule.clone(),
            to: Some(to.to_string()),
        });
    }
    let doubt = outcome.doubts.iter().find(|doubt| doubt.may_translate)?;
    Some(Translating {
        table: doubt.table.clone(),
        chain: doubt.chain.clone(),
        rule: doubt.rule.clone(),
        to: None,
    })
}

fn shared(
    scene: &Scene,
    (network, forward): (&Network, &PortForward),
    group: &dyn TableGroup,
    rule: Translating,
    whole: Option<Nat>,
) -> Finding {
    let Translating {
        table,
        chain,
        rule,
        to,
    } = rule;
    let (name, program) = (network.name(), group.program());
    let leads = to.map_or_else(|| "elsewhere, perhaps".to_owned(), |to| format!("to {to}"));
    let is_ours = |to: Destination| {
        let target = forward.target();
        to.address == Some(target.address()) && to.port == Some(target.ports().start())
    };
    let meaning = match whole {
        Some(Nat::Dnat { to }) if is_ours(to) => {
            "the forward wins: its rule comes first, and the other one gets no connections"
        }
        Some(Nat::Dnat { .. }) => {
            "the forward loses: the other rule comes first, and the guest gets no connections"
        }
        _ => "one of the two gets no connections: the one whose rule comes later",
    };
    let list = if program == "nftables" {
        format!("nft -a list chain {table} {}", word(&chain))
    } else {
        format!("{program} -t nat -S {}", word(&chain))
    };
    Finding {
        check: Check::ForwardedPort,
        severity: Severity::Warning,
        networks: vec![name.clone()],
        summary: format!(
            "chain `{chain}` of table `{table}` ({program}) leads {leads} what `{forward}` of network \
             `{name}` forwards"
        ),
        evidence: vec![Evidence::Rule {
            program,
            table,
            chain,
            rule: Some(rule),
            policy: None,
        }],
        impact: meaning.to_owned(),
        fix: Fix::advice(format!(
            "give one of them another port; `{}` lists the rules",
            scene.commands.inside(list)
        )),
    }
}

/// A guest does not reach itself by a forward where frames that stay on a bridge meet the rules of IP.
fn hairpin(scene: &Scene) -> Vec<Finding> {
    let settings = [
        (Family::Ipv4, "net/bridge/bridge-nf-call-iptables"),
        (Family::Ipv6, "net/bridge/bridge-nf-call-ip6tables"),
    ];
    let mut found = Vec::new();
    for (family, path) in settings {
        let mut networks = Vec::new();
        for (network, forward) in forwards(scene) {
            if forward.family() == family && !networks.contains(network.name()) {
                networks.push(network.name().clone());
            }
        }
        if networks.is_empty() || !scene.settings.is(path, "1") {
            continue;
        }
        found.push(Finding {
            check: Check::ForwardHairpin,
            severity: Severity::Note,
            networks,
            summary: format!("guests do not reach themselves by their own forwards over {family}"),
            evidence: vec![scene.settings.evidence(path)],
            impact: "br_netfilter lets frames meet the rules of IP on the bridge. What a guest sends to its \
                      own forward would leave by the port that it came in through, and is dropped. Other \
                      guests reach the forward"
                .to_owned(),
            fix: Fix::commands([scene.commands.sysctl(path, "0")]),
        });
    }
    found
}
