//! Other programs' rules, asked what they make of packets that must pass.
//!
//! An accept of ours is no more than one of several votes: a packet has to pass every base chain
//! on its way. So each foreign table is asked alone, and each that stops a packet is told.

use std::borrow::Cow;
use std::collections::BTreeMap;

use palisade_core::evaluate::{Doubt, DoubtKind, Ground, Outcome, Verdict};
use palisade_core::network::{self, InterfaceName, Name};
use palisade_iptables::evaluate::Tables;
use palisade_nft::evaluate::member;
use palisade_nft::object::Family;

use super::finding::{Check, Evidence, Finding, Severity};
use super::keeper::{Keeper, Passage};
use super::packets::{Probe, Wanted, probes};
use super::rulesets::Rulesets;
use super::scene::{Scene, told};
use crate::devices::devices;

/// What stops packets, or may.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Stop {
    check: Check,
    keeper: Keeper,
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

/// Whom it concerns.
#[derive(Debug, Default)]
struct Stopped {
    networks: Vec<Name>,
    packets: Vec<(InterfaceName, Wanted, network::Family)>,
}

pub(super) fn findings(scene: &Scene, rulesets: &Rulesets) -> Vec<Finding> {
    let probes = probes(scene);
    let mut stops: BTreeMap<Stop, Stopped> = BTreeMap::new();
    let mut note = |probe: &Probe, stop: Option<Stop>| {
        let Some(stop) = stop else { return };
        let stopped = stops.entry(stop).or_default();
        if !stopped.networks.contains(&probe.network) {
            stopped.networks.push(probe.network.clone());
        }
        let packet = (probe.bridge.clone(), probe.wanted, probe.packet.family());
        stopped.packets.push(packet);
    };
    let devices = devices(&scene.host);
    for program in &rulesets.foreign {
        let alone = member(Cow::Borrowed(program));
        let ground = Ground::new([alone]).on(devices.clone());
        let keeper = Keeper::of_table(program);
        let is_of_frames = matches!(program.table.family, Family::Bridge | Family::Netdev);
        for probe in probes.iter().filter(|probe| is_of_frames || probe.meets_ip) {
            note(probe, stop(&keeper, probe, &ground.evaluate(&probe.packet)));
        }
    }
    for saved in &rulesets.saved {
        let ground = Ground::of(Tables::of(saved.family, &saved.tables));
        let keeper = Keeper::of_saved(saved);
        let sees = |probe: &&Probe| probe.meets_ip && probe.packet.family() == saved.family;
        for probe in probes.iter().filter(sees) {
            note(probe, stop(&keeper, probe, &ground.evaluate(&probe.packet)));
        }
    }
    let stops = stops.into_iter();
    stops
        .map(|(stop, stopped)| finding(scene, stop, stopped))
        .collect()
}

/// What stops a packet in a keeper's tables, or may, if anything does.
fn stop(keeper: &Keeper, probe: &Probe, outcome: &Outcome) -> Option<Stop> {
    let check = match probe.wanted {
        // The settings of br_netfilter keep frames from the rules of IP alone.
        wanted if wanted.stays_on_bridge() && !keeper.is_of_frames() => Check::BridgeNfCall,
        wanted if wanted.is_for_host() => Check::HostFilter,
        _ => Check::ForwardFilter,
    };
    if let (Some(stop), Some(last)) = (&outcome.stop, outcome.path.last()) {
        // A rule on the way that is not understood may have let it pass.
        let passes = |doubt: &&Doubt| doubt.may.contains(&Verdict::Accept);
        let doubt = outcome.doubts.iter().find(passes);
        let (rule, policy) = if stop.by_policy {
            (None, Some(keeper.drop_policy().to_owned()))
        } else {
            (Some(last.rule.clone()), None)
        };
        return Some(Stop {
            check,
            keeper: keeper.clone(),
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
        let is_known = doubt.kind == DoubtKind::Route && probe.has_way_back;
        doubt.may.iter().any(|&may| may != Verdict::Accept) && !is_known
    };
    let doubt = outcome.doubts.iter().find(stops)?;
    Some(Stop {
        check,
        keeper: keeper.clone(),
        table: doubt.table.clone(),
        chain: doubt.chain.clone(),
        base: doubt.base.clone(),
        rule: Some(doubt.rule.clone()),
        policy: None,
        doubt: Some(doubt.why.clone()),
    })
}

fn finding(scene: &Scene, stop: Stop, stopped: Stopped) -> Finding {
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
    let mut mend: Vec<String> = Vec::new();
    let bridges: BTreeMap<String, Vec<String>> = scene.host.bridges().collect();
    for (bridge, wanted, _) in &stopped.packets {
        let passage = Passage {
            bridge,
            wanted: *wanted,
            ports: bridges.get(bridge.as_str()).map_or(&[], Vec::as_slice),
        };
        for command in stop.keeper.lets_pass(&stop.base, passage) {
            let command = scene.mend.inside(command);
            if !mend.contains(&command) {
                mend.push(command);
            }
        }
    }
    let program = stop.keeper.program().to_owned();
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
        mend = bridged(scene, &stopped);
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
        meaning: format!("{follows}. {}", stop.keeper.advice()),
        mend,
        networks: stopped.networks,
    }
}

/// Frames that stay on a bridge need not meet the rules of IP at all.
fn bridged(scene: &Scene, stopped: &Stopped) -> Vec<String> {
    let has = |family| stopped.packets.iter().any(|&(_, _, of)| of == family);
    let mut mend = Vec::new();
    for (family, path) in [
        (network::Family::Ipv4, "net/bridge/bridge-nf-call-iptables"),
        (network::Family::Ipv6, "net/bridge/bridge-nf-call-ip6tables"),
    ] {
        if has(family) {
            mend.push(scene.mend.sysctl(path, "0"));
        }
    }
    mend
}
