//! Other programs' rules that stop packets which must pass.
//!
//! A packet has to pass every base chain on its way, whatever palisade's chains accept. So each foreign
//! table is evaluated alone, and each that stops a packet is reported.

use std::collections::BTreeMap;

use palisade_core::evaluate::{Doubt, DoubtKind, Outcome, Verdict};
use palisade_core::network::{Family, InterfaceName, Name};

use super::finding::{Check, Evidence, Finding, Fix, Severity};
use super::packets::{Probe, Wanted, probes};
use super::scene::{Scene, told};
use crate::devices::devices;
use crate::host_rules::{HostRules, Passage, TableGroup};

/// What stops packets, or may.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Stop {
    check: Check,
    /// The number of the tables in those of the host.
    group: usize,
    table: String,
    /// The chain of the rule, or the one whose policy decides.
    chain: String,
    /// The base chain by which packets come there.
    base: String,
    rule: Option<String>,
    policy: Option<String>,
    /// Why it is not certain, if it is not.
    doubt: Option<String>,
}

/// The packets that are stopped, and their networks.
#[derive(Debug, Default)]
struct Stopped {
    networks: Vec<Name>,
    packets: Vec<(InterfaceName, Wanted, Family)>,
}

pub(super) fn findings(scene: &Scene, rules: &HostRules) -> Vec<Finding> {
    let probes = probes(scene);
    let devices = devices(&scene.host);
    let groups: Vec<&dyn TableGroup> = rules.groups().collect();
    let mut stops: BTreeMap<Stop, Stopped> = BTreeMap::new();
    for (number, group) in groups.iter().enumerate() {
        if group.owner().is_palisade() {
            continue;
        }
        let ground = group.alone().on(devices.clone());
        let meets = |probe: &&Probe| {
            group.sees(probe.packet.family()) && (probe.meets_ip || group.sees_frames())
        };
        for probe in probes.iter().filter(meets) {
            let outcome = ground.evaluate(&probe.packet);
            let Some(stop) = stop((number, *group), probe, &outcome) else {
                continue;
            };
            let stopped = stops.entry(stop).or_default();
            if !stopped.networks.contains(&probe.network) {
                stopped.networks.push(probe.network.clone());
            }
            let packet = (probe.bridge.clone(), probe.wanted, probe.packet.family());
            stopped.packets.push(packet);
        }
    }
    let stops = stops.into_iter();
    stops
        .map(|(stop, stopped)| finding(scene, groups[stop.group], stop, stopped))
        .collect()
}

/// What stops a packet in these tables, or may, if anything does.
fn stop(
    (number, group): (usize, &dyn TableGroup),
    probe: &Probe,
    outcome: &Outcome,
) -> Option<Stop> {
    let check = match probe.wanted {
        // The settings of br_netfilter keep frames from the rules of IP alone.
        wanted if wanted.stays_on_bridge() && !group.sees_frames() => Check::BridgeNfCall,
        wanted if wanted.is_for_host() => Check::HostFilter,
        _ => Check::ForwardFilter,
    };
    if let (Some(stop), Some(last)) = (&outcome.stop, outcome.path.last()) {
        // A rule on the way that is not understood may have let it pass.
        let passes = |doubt: &&Doubt| doubt.may.contains(&Verdict::Accept);
        let doubt = outcome.doubts.iter().find(passes);
        let (rule, policy) = if stop.by_policy {
            (None, Some(group.drop_policy().to_owned()))
        } else {
            (Some(last.rule.clone()), None)
        };
        return Some(Stop {
            check,
            group: number,
            table: last.table.clone().unwrap_or_default(),
            chain: last.chain.clone(),
            base: stop.base.clone(),
            rule,
            policy,
            doubt: doubt.map(|doubt| format!("rule {} may let it pass: {}", doubt.rule, doubt.why)),
        });
    }
    let stops = |doubt: &&Doubt| {
        // firewalld's rules ask the routing table for the way back to the source.
        let is_known = doubt.kind == DoubtKind::Route && probe.packet.is_forged() == Some(false);
        doubt.may.iter().any(|&may| may != Verdict::Accept) && !is_known
    };
    let doubt = outcome.doubts.iter().find(stops)?;
    Some(Stop {
        check,
        group: number,
        table: doubt.table.clone(),
        chain: doubt.chain.clone(),
        base: doubt.base.clone(),
        rule: Some(doubt.rule.clone()),
        policy: None,
        doubt: Some(doubt.why.clone()),
    })
}

fn finding(scene: &Scene, group: &dyn TableGroup, stop: Stop, stopped: Stopped) -> Finding {
    let mut wanted: Vec<Wanted> = stopped
        .packets
        .iter()
        .map(|&(_, wanted, _)| wanted)
        .collect();
    wanted.sort();
    wanted.dedup();
    let what: Vec<&str> = wanted.iter().map(|wanted| wanted.words).collect();
    let what = what.join(", ");
    let networks = told(&stopped.networks);
    let mut fix: Vec<String> = Vec::new();
    let bridges: BTreeMap<String, Vec<String>> = scene.host.bridges().collect();
    for (bridge, wanted, _) in &stopped.packets {
        let passage = Passage {
            bridge,
            packet: wanted.packet,
            ports: bridges.get(bridge.as_str()).map_or(&[], Vec::as_slice),
        };
        for command in group.allow(&stop.base, passage) {
            let command = scene.commands.inside(command);
            if !fix.contains(&command) {
                fix.push(command);
            }
        }
    }
    let program = group.program();
    let place = format!(
        "chain `{}` of table `{}` ({program})",
        stop.chain, stop.table
    );
    let (severity, summary) = match &stop.doubt {
        None => (Severity::Error, format!("{place} drops {what}")),
        Some(_) => (Severity::Warning, format!("{place} may drop {what}")),
    };
    let follows = match stop.check {
        Check::HostFilter => {
            format!("guests of {networks} get no address or no names from the host")
        }
        Check::BridgeNfCall => format!(
            "guests of {networks} do not reach each other, although they are on one bridge: \
             bridged frames meet these rules too (/proc/sys/net/bridge)"
        ),
        Check::ForwardFilter if wanted.iter().all(|wanted| wanted.stays_on_bridge()) => {
            format!("guests of {networks} do not reach each other, although they are on one bridge")
        }
        _ => format!(
            "guests of {networks} are cut off from the outside: our table accepts these packets, \
             and an accept there cannot override a drop here"
        ),
    };
    let follows = match &stop.doubt {
        None => follows,
        Some(why) => format!("perhaps {follows}. It is not certain: {why}"),
    };
    if stop.check == Check::BridgeNfCall {
        fix = bridged(scene, &stopped);
    }
    Finding {
        check: stop.check,
        severity,
        summary,
        evidence: vec![Evidence::Rule {
            program,
            table: stop.table,
            chain: stop.chain,
            rule: stop.rule,
            policy: stop.policy,
        }],
        impact: format!("{follows}. {}", group.advice()),
        fix: Fix::commands(fix),
        networks: stopped.networks,
    }
}

/// Frames that stay on a bridge need not meet the rules of IP at all.
fn bridged(scene: &Scene, stopped: &Stopped) -> Vec<String> {
    let has = |family| stopped.packets.iter().any(|&(_, _, of)| of == family);
    let mut fix = Vec::new();
    for (family, path) in [
        (Family::Ipv4, "net/bridge/bridge-nf-call-iptables"),
        (Family::Ipv6, "net/bridge/bridge-nf-call-ip6tables"),
    ] {
        if has(family) {
            fix.push(scene.commands.sysctl(path, "0"));
        }
    }
    fix
}
