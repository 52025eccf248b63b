//! Other programs' rules that stop packets which must pass.
//!
//! A packet has to pass every base chain on its way, whatever palisade's chains accept. So packets go
//! through all foreign tables together, on past each base chain that stops them, and each of these is
//! reported, with a change that is tried before it is printed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use ipnet::IpNet;
use palisade_core::evaluate::{Asked, Doubt, DoubtKind, Ground, Hook, HookLayer, Obstacle, Packet};
use palisade_core::network::{Family, InterfaceName, Name, Subnet};
use palisade_core::rules::{Carries, Protocol};

use super::finding::{Check, Evidence, Finding, Fix, Severity};
use super::mtu;
use super::packets::{Probe, Wanted, probes};
use super::scene::{Scene, told};
use crate::devices::devices;
use crate::host_rules::{Change, HostRules, Passage, StopPlace, TableGroup};

/// How many guests that rules name are looked at in a subnet.
const NAMED: usize = 32;

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
    layer: HookLayer,
    hook: Hook,
    is_before_conntrack: bool,
    rule: Option<String>,
    policy: Option<String>,
    /// Why it is not certain, if it is not.
    doubt: Option<String>,
    /// Whether only guests that rules name are stopped.
    is_part: bool,
}

/// A packet that is stopped.
type Stopped<'p, 's> = &'p Probe<'s>;

/// The foreign tables, together and each for itself.
struct Foreign<'r> {
    groups: Vec<&'r dyn TableGroup>,
    ground: Ground<'r>,
}

pub(super) fn findings(scene: &Scene, rules: &HostRules) -> Vec<Finding> {
    let groups: Vec<&dyn TableGroup> = rules.groups().collect();
    let groups: Vec<&dyn TableGroup> = groups
        .into_iter()
        .filter(|group| !group.owner().is_palisade())
        .collect();
    let foreign = Foreign {
        ground: Ground::new(groups.iter().map(|group| group.member())).on(devices(&scene.host)),
        groups,
    };
    let (constants, interfaces) = foreign.constants();
    let named = |subnet: Subnet| guests_among(&constants, subnet);
    let probes = probes(scene, &named, &interfaces);
    let stops = foreign.stops(&probes);
    let tally = Tally::of(scene, &probes, &stops);
    stops
        .iter()
        .map(|(stop, stopped)| foreign.finding(scene, &tally, stop, stopped))
        .collect()
}

/// The addresses of guests in a subnet that rules name.
fn guests_among(constants: &BTreeSet<IpAddr>, subnet: Subnet) -> Vec<IpAddr> {
    let net = subnet.net();
    let its = constants.range(net.network()..=net.broadcast());
    let is_guest = |address: &&IpAddr| **address != net.network() && **address != net.broadcast();
    its.filter(is_guest).take(NAMED).copied().collect()
}

/// The kinds of packets that a network's guests need together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Class {
    /// What guests send to the outside.
    Out,
    /// What belongs to connections of theirs.
    Answers,
    /// Connections from outside.
    In,
    /// What forwards lead to guests.
    Forwards,
    /// Requests to the host.
    ToHost,
    /// What the host answers.
    FromHost,
    /// What stays on the bridge.
    Bridged,
}

impl Class {
    fn of(wanted: Wanted) -> Self {
        if wanted.stays_on_bridge() {
            Self::Bridged
        } else if wanted.is_for_host() {
            Self::ToHost
        } else if wanted.is_from_host() {
            Self::FromHost
        } else if wanted.goes_out() {
            Self::Out
        } else if wanted.is_of_known_flow() {
            Self::Answers
        } else if wanted.is_forwarded_port() {
            Self::Forwards
        } else {
            Self::In
        }
    }
}

/// The kinds of packets of each class, for each network.
type Kinds<'s> = HashMap<(&'s Name, Family, Class), BTreeSet<Wanted>>;

/// The kinds of packets that were sent, and those that are sure to be stopped somewhere.
struct Tally<'s> {
    sent: Kinds<'s>,
    lost: Kinds<'s>,
    /// Networks whose guests send larger packets than their way outside carries.
    narrow: BTreeSet<Name>,
}

fn kinds<'p, 's: 'p>(probes: impl IntoIterator<Item = &'p Probe<'s>>) -> Kinds<'s> {
    let mut kinds: Kinds<'s> = HashMap::new();
    for probe in probes {
        let key = (
            probe.network,
            probe.packet.family(),
            Class::of(probe.wanted),
        );
        kinds.entry(key).or_default().insert(probe.wanted);
    }
    kinds
}

impl<'s> Tally<'s> {
    fn of(
        scene: &Scene,
        probes: &[Probe<'s>],
        stops: &BTreeMap<Stop, Vec<Stopped<'_, 's>>>,
    ) -> Self {
        let sure = stops.iter().filter(|(stop, _)| stop.doubt.is_none());
        Self {
            narrow: mtu::narrow(scene).into_values().flatten().collect(),
            sent: kinds(probes),
            lost: kinds(sure.flat_map(|(_, stopped)| stopped.iter().copied())),
        }
    }

    /// How bad it is that these are stopped for sure: an error where guests are left without a thing that
    /// the network promises, less where they have it in another way.
    fn severity(&self, stopped: &[Stopped<'_, 's>]) -> Severity {
        let mut worst = Severity::Note;
        for (key, here) in kinds(stopped.iter().copied()) {
            let count = |kinds: &Kinds<'_>| kinds.get(&key).map(BTreeSet::len);
            let is_all = count(&self.sent) == count(&self.lost);
            let is_service = |it: &Wanted| {
                let is_ping = matches!(
                    it.carries,
                    Carries::Icmp {
                        ipv4: (0 | 8, _),
                        ..
                    }
                );
                !is_ping && !it.is_too_big()
            };
            let is_stalled = here.iter().any(|it| it.is_too_big()) && self.narrow.contains(key.0);
            let severity = match key.2 {
                // Nobody tells guests to send what the next link carries.
                _ if is_stalled => Severity::Error,
                Class::Bridged | Class::Forwards => Severity::Error,
                Class::ToHost | Class::FromHost if here.iter().any(is_service) => Severity::Error,
                Class::ToHost | Class::FromHost => Severity::Note,
                _ if is_all => Severity::Error,
                _ => Severity::Warning,
            };
            worst = worst.min(severity);
        }
        worst
    }
}

impl Foreign<'_> {
    /// The addresses that rules name: single ones, and one of each range; and the interfaces.
    fn constants(&self) -> (BTreeSet<IpAddr>, BTreeSet<String>) {
        let mut constants = BTreeSet::new();
        let mut interfaces: BTreeSet<String> = self.ground.devices().map(str::to_owned).collect();
        for family in Family::BOTH {
            let (conditions, _) = self.ground.conditions(family);
            for condition in Hook::ALL.iter().flat_map(|&hook| conditions.at(hook)) {
                for test in &condition.tests {
                    match &test.asked {
                        Asked::Source(range) | Asked::Destination(range) => {
                            constants.extend([*range.start(), *range.end()]);
                        }
                        Asked::In(name) | Asked::Out(name) => {
                            interfaces.insert(name.to_string());
                        }
                        _ => {}
                    }
                }
            }
        }
        (constants, interfaces)
    }

    /// All that stops these packets, or may.
    fn stops<'p, 's>(&self, probes: &'p [Probe<'s>]) -> BTreeMap<Stop, Vec<Stopped<'p, 's>>> {
        let mut stops: BTreeMap<Stop, Vec<Stopped<'p, 's>>> = BTreeMap::new();
        // Those of guests that rules name come last, and count where they alone are stopped.
        let (usual, named): (Vec<&Probe<'_>>, Vec<_>) =
            probes.iter().partition(|probe| !probe.ends.is_part());
        let mut general: HashMap<(usize, String, &Name, Wanted), BTreeSet<Hook>> = HashMap::new();
        for probe in usual.into_iter().chain(named) {
            let is_part = probe.ends.is_part();
            for obstacle in self.ground.obstacles(&probe.packet).all {
                let group = self.groups[obstacle.member];
                if !(probe.meets_ip || group.sees_frames()) || is_answered(probe, &obstacle) {
                    continue;
                }
                let key = (
                    obstacle.member,
                    obstacle.base.clone(),
                    probe.network,
                    probe.wanted,
                );
                let hooks = general.entry(key).or_default();
                if is_part && hooks.contains(&obstacle.at.1) {
                    continue;
                }
                if !is_part {
                    hooks.insert(obstacle.at.1);
                }
                let stop = self.stop(probe, obstacle, is_part);
                stops.entry(stop).or_default().push(probe);
            }
        }
        stops
    }

    fn stop(&self, probe: &Probe<'_>, obstacle: Obstacle, is_part: bool) -> Stop {
        let group = self.groups[obstacle.member];
        let check = match probe.wanted {
            // The settings of br_netfilter keep frames from the rules of IP alone.
            wanted if wanted.stays_on_bridge() && !group.sees_frames() => Check::BridgeNfCall,
            wanted if wanted.is_for_host() || wanted.is_from_host() => Check::HostFilter,
            _ => Check::ForwardFilter,
        };
        let (rule, policy) = match obstacle.by_policy {
            true => (None, Some(group.drop_policy().to_owned())),
            false => (Some(obstacle.rule.rule), None),
        };
        let doubt = obstacle
            .doubt
            .map(|doubt| doubt_in_words(&doubt, policy.is_some(), &rule));
        let (layer, hook) = obstacle.at;
        Stop {
            check,
            group: obstacle.member,
            table: obstacle.rule.table,
            chain: obstacle.rule.chain,
            base: obstacle.base,
            layer,
            hook,
            is_before_conntrack: obstacle.is_before_conntrack,
            rule,
            policy,
            doubt,
            is_part,
        }
    }

    fn finding(
        &self,
        scene: &Scene,
        tally: &Tally<'_>,
        stop: &Stop,
        stopped: &[Stopped<'_, '_>],
    ) -> Finding {
        let group = self.groups[stop.group];
        let wanted: BTreeSet<Wanted> = stopped.iter().map(|probe| probe.wanted).collect();
        let what: Vec<&str> = wanted.iter().map(|wanted| wanted.words).collect();
        let mut what = what.join(", ");
        let mut networks: Vec<Name> = Vec::new();
        for probe in stopped {
            if networks.last() != Some(probe.network) && !networks.contains(probe.network) {
                networks.push(probe.network.clone());
            }
        }
        let guests: BTreeSet<IpAddr> = stopped.iter().filter_map(|it| it.ends.named).collect();
        let guests = guests.iter().map(ToString::to_string);
        let ports: BTreeSet<&InterfaceName> = stopped
            .iter()
            .filter_map(|it| it.ends.port.as_ref())
            .collect();
        let ports = ports.iter().map(|port| format!("at port `{port}`"));
        let guests: Vec<String> = guests.chain(ports).collect();
        if !guests.is_empty() {
            what = format!("{what} (guest {})", guests.join(", "));
        }
        let program = group.program();
        let place = format!(
            "chain `{}` of table `{}` ({program})",
            stop.chain, stop.table
        );
        let (severity, summary) = match &stop.doubt {
            None => (tally.severity(stopped), format!("{place} drops {what}")),
            Some(_) => (Severity::Warning, format!("{place} may drop {what}")),
        };
        let changes = self.changes(scene, stop, stopped);
        let follows = follows(stop, &wanted, &told(&networks));
        let fix = match &changes {
            Some(changes) => {
                let mut commands: Vec<String> = Vec::new();
                for command in changes.iter().flat_map(|change| &change.commands) {
                    let command = scene.commands.inside(command);
                    if !commands.contains(&command) {
                        commands.push(command);
                    }
                }
                Fix::commands(commands)
            }
            None if stop.check == Check::BridgeNfCall => {
                let pairs: BTreeSet<(&InterfaceName, Family)> = stopped
                    .iter()
                    .map(|probe| (probe.ends.bridge, probe.packet.family()))
                    .collect();
                let mut commands: Vec<String> = Vec::new();
                for (bridge, family) in pairs {
                    commands.extend(scene.keep_frames_from_ip(bridge, family));
                }
                commands.dedup();
                Fix::commands(commands)
            }
            None => Fix::advice(format!(
                "no command that was tried lets it pass: change the rules of chain {} of table {} where \
                 they come from",
                stop.base, stop.table
            )),
        };
        let fix = match wanted.iter().all(|it| it.is_too_big()) {
            true => Fix {
                advice: Some(format!(
                    "or set mss_clamp in the definition of {}, and apply it: then tcp does without them",
                    told(&networks)
                )),
                ..fix
            },
            false => fix,
        };
        let opens = changes.as_deref().map(opens).unwrap_or_default();
        let mut evidence = vec![Evidence::Rule {
            program,
            table: stop.table.clone(),
            chain: stop.chain.clone(),
            rule: stop.rule.clone(),
            policy: stop.policy.clone(),
        }];
        if let (Check::BridgeNfCall, Some(probe)) = (stop.check, stopped.first()) {
            let meets = scene.frames_meet_ip(probe.ends.bridge, probe.packet.family());
            evidence.extend(meets.unwrap_or_default());
        }
        Finding {
            check: stop.check,
            severity,
            summary,
            evidence,
            impact: format!("{follows}.{opens} {}", group.advice()),
            fix,
            networks,
        }
    }

    /// The changes that let these packets pass the base chain that stops them; none if those that were tried
    /// do not.
    fn changes(
        &self,
        scene: &Scene,
        stop: &Stop,
        stopped: &[Stopped<'_, '_>],
    ) -> Option<Vec<Change>> {
        let group = self.groups[stop.group];
        let place = StopPlace {
            table: &stop.table,
            chain: &stop.base,
            layer: stop.layer,
            hook: stop.hook,
            is_before_conntrack: stop.is_before_conntrack,
        };
        let bridges: HashMap<String, Vec<String>> = scene.host.bridges().collect();
        let mut changes: BTreeSet<Change> = BTreeSet::new();
        for probe in stopped {
            let ports = bridges.get(probe.ends.bridge.as_str());
            let ports = ports.map_or(&[][..], Vec::as_slice);
            let named: Vec<String> = probe.ends.port.iter().map(ToString::to_string).collect();
            let passage = passage(probe, if named.is_empty() { ports } else { &named });
            changes.insert(group.allow(place, &passage)?);
        }
        let changes: Vec<Change> = changes.into_iter().collect();
        let changed = group.with(&changes).on(devices(&scene.host));
        let passes = |packet: &Packet| {
            let obstacles = changed.obstacles(packet).all;
            let mut its = obstacles.iter();
            !its.any(|it| it.base == stop.base && it.at == (stop.layer, stop.hook))
        };
        let all_pass = stopped.iter().all(|probe| passes(&probe.packet));
        all_pass.then_some(changes)
    }
}

/// What changes open, in words.
fn opens(changes: &[Change]) -> String {
    let of = |change: &Change| {
        let opening = &change.opening;
        if opening.carries.is_some() {
            "these packets alone"
        } else if opening.is_of_known_flow {
            "what belongs to connections of guests"
        } else if opening.output.is_empty() && opening.destination.is_none() {
            "all that guests send"
        } else {
            "all that is for guests"
        }
    };
    let opened: BTreeSet<&str> = changes.iter().map(of).collect();
    let opened: Vec<&str> = opened.into_iter().collect();
    format!(" The fix opens this chain for {}.", opened.join(" and "))
}

/// What a change is to let pass.
fn passage<'p>(probe: &'p Probe<'_>, ports: &'p [String]) -> Passage<'p> {
    let ends = &probe.ends;
    let is_forward = probe.wanted.is_forwarded_port();
    let mut packet = *probe.wanted.packet;
    let mut guests = ends.named.map_or_else(|| ends.subnet.net(), IpNet::from);
    if is_forward {
        guests = IpNet::from(probe.packet.destination());
        let protocols = Protocol::ALL.into_iter();
        let mut its = protocols.filter(|it| it.number() == probe.packet.protocol);
        if let (Some(protocol), Some(destination)) = (its.next(), probe.packet.destination_port) {
            packet.carries = Carries::Ports {
                protocol,
                source: 0,
                destination,
            };
        }
    }
    Passage {
        bridge: ends.bridge,
        outside: &ends.outside,
        guests,
        is_part: is_forward || ends.named.is_some(),
        is_translated: ends.is_translated,
        packet,
        is_for_port: is_forward,
        ports,
    }
}

/// Whether the host's routes answer what an obstacle leaves open.
fn is_answered(probe: &Probe<'_>, obstacle: &Obstacle) -> bool {
    let is_open = obstacle.doubt.as_ref();
    // firewalld's rules ask the routing table for the way back to the source.
    is_open.is_some_and(|doubt| {
        let is_route = doubt.kind == DoubtKind::Route && probe.packet.is_forged() == Some(false);
        is_route && !obstacle.by_policy
    })
}

fn doubt_in_words(doubt: &Doubt, by_policy: bool, rule: &Option<String>) -> String {
    if by_policy || rule.as_ref() != Some(&doubt.rule) {
        format!("rule {} may let it pass: {}", doubt.rule, doubt.why)
    } else {
        doubt.why.clone()
    }
}

fn follows(stop: &Stop, wanted: &BTreeSet<Wanted>, networks: &str) -> String {
    let is_all = |is: fn(&Wanted) -> bool| wanted.iter().all(is);
    let follows = match stop.check {
        Check::HostFilter if is_all(|it| it.is_from_host()) => {
            format!("what the host answers does not reach guests of {networks}")
        }
        Check::HostFilter => {
            format!("guests of {networks} do not get from the host what the network promises")
        }
        Check::BridgeNfCall => format!(
            "guests of {networks} do not reach each other, although they are on one bridge: \
             bridged frames meet these rules too (br_netfilter)"
        ),
        _ if is_all(|it| it.stays_on_bridge()) => {
            format!("guests of {networks} do not reach each other, although they are on one bridge")
        }
        _ if is_all(|it| it.is_too_big()) => format!(
            "connections of guests of {networks} stall where a link on the way is narrower than theirs: \
             nobody tells them to send smaller packets"
        ),
        _ if is_all(|it| it.comes_in() && !it.is_of_known_flow()) => format!(
            "guests of {networks} are not reached from outside: our table accepts these packets, and an \
             accept there cannot override a drop here"
        ),
        _ => format!(
            "guests of {networks} are cut off from the outside: our table accepts these packets, \
             and an accept there cannot override a drop here"
        ),
    };
    match &stop.doubt {
        None => follows,
        Some(why) => format!("perhaps {follows}. It is not certain: {why}"),
    }
}
