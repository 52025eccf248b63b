//! Other programs' rules, asked what they make of packets that must pass.
//!
//! An accept of ours is no more than one of several votes: a packet has to pass every base chain
//! on its way. So each foreign table is asked alone, and each that stops a packet is told.

use std::collections::BTreeMap;

use palisade_core::evaluate::{Doubt, Outcome, Verdict, Visit};
use palisade_core::network::{self, InterfaceName, Name};
use palisade_iptables::backend::Saved;
use palisade_nft::evaluate::{Tables, evaluate};
use palisade_nft::object::Family;
use palisade_nft::program::Program;

use super::finding::{Check, Evidence, Finding, Severity};
use super::keeper::{Keeper, Passage};
use super::packets::{Probe, Wanted, probes};
use super::rulesets::Rulesets;
use super::scene::{Scene, told};

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
    for program in &rulesets.foreign {
        let tables = Tables::of([program])
            .with_interfaces(scene.host.numbers())
            .with_bridges(scene.host.bridges());
        let table = Asked::nftables(program);
        let is_of_frames = matches!(program.table.family, Family::Bridge | Family::Netdev);
        for probe in probes.iter().filter(|probe| is_of_frames || probe.meets_ip) {
            note(probe, table.stop(probe, &evaluate(&tables, &probe.packet)));
        }
    }
    for saved in &rulesets.saved {
        let tables = palisade_iptables::evaluate::Tables::of(saved.family, &saved.tables);
        let table = Asked::iptables(saved);
        let sees = |probe: &&Probe| probe.meets_ip && probe.packet.family() == saved.family;
        for probe in probes.iter().filter(sees) {
            note(probe, table.stop(probe, &tables.evaluate(&probe.packet)));
        }
    }
    let stops = stops.into_iter();
    stops
        .map(|(stop, stopped)| finding(scene, stop, stopped))
        .collect()
}

/// Tables that were asked, and what is known of their base chains.
struct Asked {
    keeper: Keeper,
    /// Base chains: the table as evidence names it, the chain, and whether its policy is to drop.
    bases: Vec<(String, String, bool)>,
    /// What the table is called where a visit does not say.
    table: String,
}

impl Asked {
    fn nftables(program: &Program) -> Self {
        use palisade_nft::object::Policy;
        let table = format!("{} {}", program.table.family, program.table.name);
        let bases = program.chains.iter().filter_map(|filled| {
            let base = filled.chain.base.as_ref()?;
            let name = filled.chain.name.clone();
            Some((table.clone(), name, base.policy == Policy::DROP))
        });
        Self {
            keeper: Keeper::of_table(program),
            bases: bases.collect(),
            table: table.clone(),
        }
    }

    fn iptables(saved: &Saved) -> Self {
        let mut bases = Vec::new();
        for table in &saved.tables {
            for chain in &table.chains {
                if let Some(policy) = &chain.policy {
                    bases.push((table.name.clone(), chain.name.clone(), policy == "DROP"));
                }
            }
        }
        Self {
            keeper: Keeper::of_saved(saved),
            bases,
            table: "filter".to_owned(),
        }
    }

    /// What stops a packet, or may, if anything.
    fn stop(&self, probe: &Probe, outcome: &Outcome) -> Option<Stop> {
        let check = match probe.wanted {
            // The settings of br_netfilter keep frames from the rules of IP alone.
            wanted if wanted.stays_on_bridge() && !self.keeper.is_of_frames() => {
                Check::BridgeNfCall
            }
            wanted if wanted.is_for_host() => Check::HostFilter,
            _ => Check::ForwardFilter,
        };
        if !outcome.fate.verdict.passes() {
            // A rule on the way that is not understood may have let it pass.
            let passes = |doubt: &&Doubt| doubt.may.contains(&Verdict::Accept);
            let doubt = outcome.doubts.iter().find(passes);
            return Some(Stop {
                doubt: doubt
                    .map(|doubt| format!("rule {} may let it pass: {}", doubt.rule, doubt.why)),
                ..self.drop(check, probe, outcome)
            });
        }
        let stops = |doubt: &&Doubt| {
            doubt.may.iter().any(|&may| may != Verdict::Accept)
                && !(asks_for_way_back(doubt) && probe.has_way_back)
        };
        let doubt = outcome.doubts.iter().find(stops)?;
        Some(Stop {
            check,
            keeper: self.keeper.clone(),
            table: doubt.table.clone(),
            chain: doubt.chain.clone(),
            base: self.base_of(&outcome.path, probe, Some(&doubt.chain)),
            rule: Some(doubt.rule.clone()),
            policy: None,
            doubt: Some(doubt.why.clone()),
        })
    }

    fn drop(&self, check: Check, probe: &Probe, outcome: &Outcome) -> Stop {
        let base = self.base_of(&outcome.path, probe, None);
        let last = outcome.path.last();
        let rule = last.filter(|visit| visit.matched == Some(true) && self.decides(visit));
        let table = last.and_then(|visit| visit.table.clone());
        Stop {
            check,
            keeper: self.keeper.clone(),
            table: table.unwrap_or_else(|| self.table.clone()),
            chain: rule.map_or_else(|| base.clone(), |visit| visit.chain.clone()),
            base,
            rule: rule.map(|visit| visit.rule.clone()),
            policy: rule.is_none().then(|| match self.keeper {
                Keeper::Nft { .. } | Keeper::Firewalld => "drop".to_owned(),
                Keeper::Iptables { .. } | Keeper::Ufw { .. } => "DROP".to_owned(),
            }),
            doubt: None,
        }
    }

    /// Whether what was met last stopped the packet; else the chain's policy did.
    fn decides(&self, visit: &Visit) -> bool {
        match self.keeper {
            // Here policies are visited too, in words that no rule has.
            Keeper::Nft { .. } | Keeper::Firewalld => !visit.rule.starts_with("policy "),
            // Here they are not, and what was met last may have led to a chain and back.
            Keeper::Iptables { .. } | Keeper::Ufw { .. } => {
                let mut words = visit.rule.split(' ').skip_while(|word| *word != "-j");
                matches!(words.nth(1), Some("DROP" | "REJECT"))
            }
        }
    }

    /// The base chain that led here: the last one on the way, or the one at the packet's hook.
    fn base_of(&self, path: &[Visit], probe: &Probe, chain: Option<&str>) -> String {
        let is_base = |name: &str| self.bases.iter().any(|(_, base, _)| base == name);
        if let Some(chain) = chain.filter(|chain| is_base(chain)) {
            return chain.to_owned();
        }
        let mut visited = path.iter().rev().map(|visit| visit.chain.as_str());
        let usual = if probe.wanted.is_for_host() {
            "INPUT"
        } else {
            "FORWARD"
        };
        let last = visited.find(|name| is_base(name));
        last.unwrap_or(usual).to_owned()
    }
}

/// Whether a rule asks the routing table for the way back to the source, as firewalld's do.
fn asks_for_way_back(doubt: &Doubt) -> bool {
    ["fib", "rpfilter"]
        .iter()
        .any(|word| doubt.why.contains(word))
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
