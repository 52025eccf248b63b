//! What becomes of the addresses of guests' packets, by the rules of all programs together.

use std::collections::{BTreeMap, BTreeSet};

use palisade_core::evaluate::{
    Asked, Condition, DecidingRule, Destination, Ground, Hook, HookLayer, Nat, Obstacles, Packet,
    Test,
};
use palisade_core::network::{Family, Forward, Name, Network};
use palisade_core::owner::Owner;
use palisade_netlink::rtnetlink::HostError;

use super::finding::{Check, Evidence, Finding, Fix, Severity};
use super::packets::{Ends, Probe, outside, own_address, probes, world};
use super::scene::{Scene, told};
use crate::devices::devices;
use crate::host_rules::{Change, HostRules, Passage, StopPlace, TableGroup};

/// How many rules that give connections another destination are followed.
const FOLLOWED: usize = 256;
const TCP: u8 = 6;

/// What another program's rule does to the packets of networks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Harm {
    /// Nothing translates them, since conntrack does not see them.
    Untracked,
    /// They leave with an address that is not the host's.
    ForeignSource(String),
    /// Guests of a routed network see, and show, the host's address. Whether to guests.
    Translated(bool),
}

/// A rule of another program, and what it does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    group: usize,
    table: String,
    chain: String,
    base: String,
    rule: String,
    harm: Harm,
    /// Whether it depends on which of two tables was made first.
    is_open: bool,
}

/// The rules of all programs together.
struct All<'r> {
    groups: Vec<&'r dyn TableGroup>,
    ground: Ground<'r>,
    /// The tables without palisade's, and their numbers among all.
    foreign: Ground<'r>,
    numbers: Vec<usize>,
}

pub(super) fn findings(scene: &Scene, rules: &HostRules) -> Result<Vec<Finding>, HostError> {
    let groups: Vec<&dyn TableGroup> = rules.groups().collect();
    let numbers = (0..groups.len()).filter(|&number| !groups[number].owner().is_palisade());
    let numbers: Vec<usize> = numbers.collect();
    let foreign = numbers.iter().map(|&number| groups[number].member());
    let all = All {
        foreign: Ground::new(foreign).on(devices(&scene.host)),
        ground: Ground::new(groups.iter().map(|group| group.member())).on(devices(&scene.host)),
        numbers,
        groups,
    };
    let probes = probes(scene, &|_| Vec::new(), &BTreeSet::new());
    let mut found: BTreeMap<Found, Vec<&Probe<'_>>> = BTreeMap::new();
    let asked = probes.iter().filter(|probe| is_asked(probe));
    for probe in asked {
        let outcome = all.ground.obstacles(&probe.packet);
        let mut harm = all.harm(scene, probe, &outcome)?;
        // Which of two tables of one priority comes first, their order of making decides.
        if harm.is_none() && outcome.translated_by.is_some() {
            let outcome = all.foreign.obstacles(&probe.packet);
            let others = all.harm(scene, probe, &all.renumbered(outcome))?;
            harm = others.map(|found| Found {
                is_open: true,
                ..found
            });
        }
        if let Some(harm) = harm {
            found.entry(harm).or_default().push(probe);
        }
    }
    let found = found.iter();
    let mut findings: Vec<Finding> = found
        .map(|(found, probes)| all.finding(scene, found, probes))
        .collect();
    findings.extend(all.leading_to_guests(scene));
    Ok(findings)
}

/// One packet of each way stands for all: translation looks at the first packet of a connection.
fn is_asked(probe: &Probe<'_>) -> bool {
    let wanted = &probe.wanted;
    let is_way = wanted.goes_out() || wanted.comes_in() && !wanted.is_of_known_flow();
    is_way && probe.packet.protocol == TCP && !wanted.is_forwarded_port()
}

impl All<'_> {
    /// With the numbers that tables have among all.
    fn renumbered(&self, mut outcome: Obstacles) -> Obstacles {
        let rules = [&mut outcome.translated_by, &mut outcome.untracked_by];
        for rule in rules.into_iter().flatten() {
            rule.member = self.numbers[rule.member];
        }
        outcome
    }

    /// Whether a rule is palisade's own.
    fn is_own(&self, rule: &DecidingRule) -> bool {
        let is_own_chain = Owner::of_chain(&rule.rule.chain).is_palisade();
        is_own_chain || self.groups[rule.member].owner().is_palisade()
    }

    fn harm(
        &self,
        scene: &Scene,
        probe: &Probe<'_>,
        outcome: &Obstacles,
    ) -> Result<Option<Found>, HostError> {
        let of = |rule: &DecidingRule, harm| Found {
            group: rule.member,
            table: rule.rule.table.clone(),
            chain: rule.rule.chain.clone(),
            base: rule.base.clone(),
            rule: rule.rule.rule.clone(),
            harm,
            is_open: false,
        };
        let is_translated = probe.ends.is_translated;
        if let Some(rule) = outcome.untracked_by.as_ref().filter(|_| is_translated) {
            return Ok((!self.is_own(rule)).then(|| of(rule, Harm::Untracked)));
        }
        let Some(rule) = outcome.translated_by.as_ref().filter(|it| !self.is_own(it)) else {
            return Ok(None);
        };
        Ok(match outcome.nat {
            Nat::Snat { addresses, .. } if is_translated => {
                let first = addresses.start().into();
                let is_local = scene.routing.is_local(first)?;
                (!is_local).then(|| of(rule, Harm::ForeignSource(addresses.to_string())))
            }
            Nat::Masquerade { .. } | Nat::Snat { .. } if !is_translated => {
                Some(of(rule, Harm::Translated(probe.wanted.comes_in())))
            }
            _ => None,
        })
    }

    fn finding(&self, scene: &Scene, found: &Found, probes: &[&Probe<'_>]) -> Finding {
        let group = self.groups[found.group];
        let networks: BTreeSet<&Name> = probes.iter().map(|probe| probe.network).collect();
        let networks: Vec<Name> = networks.into_iter().cloned().collect();
        let guests = told(&networks);
        let program = group.program();
        let place = format!(
            "chain `{}` of table `{}` ({program})",
            found.chain, found.table
        );
        let (severity, summary, impact) = match &found.harm {
            Harm::Untracked => (
                Severity::Error,
                format!("{place} keeps conntrack from packets of guests of {guests}"),
                "without a connection nothing is translated: such packets are refused, or leave with the \
                 guests' own addresses and get no answer"
                    .to_owned(),
            ),
            Harm::ForeignSource(address) => (
                Severity::Error,
                format!("{place} lets guests of {guests} leave with the source {address}"),
                format!("{address} is no address of the host: answers do not come back to it"),
            ),
            Harm::Translated(true) => (
                Severity::Warning,
                format!("{place} gives what comes in to guests of {guests} another source"),
                "the network is routed: its guests are to see who connects to them, and see the host"
                    .to_owned(),
            ),
            Harm::Translated(false) => (
                Severity::Note,
                format!("{place} gives what guests of {guests} send another source"),
                "the network is routed: its guests are to be seen with their own addresses".to_owned(),
            ),
        };
        let (severity, summary) = match found.is_open {
            false => (severity, summary),
            true => (
                severity.max(Severity::Warning),
                format!("{summary}, if its table was made after palisade's"),
            ),
        };
        let changes = match found.harm {
            Harm::Untracked => None,
            _ => self.changes(scene, found, probes),
        };
        let fix = match changes {
            Some(changes) => {
                let commands: BTreeSet<String> = changes
                    .iter()
                    .flat_map(|change| &change.commands)
                    .map(|command| scene.commands.inside(command))
                    .collect();
                Fix::commands(commands)
            }
            None => Fix::advice(format!(
                "except guests' subnets from the rule where it comes from: `{}`",
                found.rule
            )),
        };
        Finding {
            check: Check::Translation,
            severity,
            networks,
            summary,
            evidence: vec![Evidence::Rule {
                program,
                table: found.table.clone(),
                chain: found.chain.clone(),
                rule: Some(found.rule.clone()),
                policy: None,
            }],
            impact: format!("{impact}. {}", group.advice()),
            fix,
        }
    }

    /// Changes after which the rule leaves these packets alone, and palisade's own decide.
    fn changes(&self, scene: &Scene, found: &Found, probes: &[&Probe<'_>]) -> Option<Vec<Change>> {
        let group = self.groups[found.group];
        let place = StopPlace {
            table: &found.table,
            chain: &found.base,
            layer: HookLayer::Ip,
            hook: Hook::Postrouting,
            is_before_conntrack: false,
        };
        let changes: Option<BTreeSet<Change>> = probes
            .iter()
            .map(|probe| group.allow(place, &passage(&probe.ends, probe)))
            .collect();
        let changes: Vec<Change> = changes?.into_iter().collect();
        let changed = group.with(&changes).on(devices(&scene.host));
        let is_left_alone = |probe: &&Probe<'_>| {
            let outcome = changed.obstacles(&probe.packet);
            let decides = outcome.translated_by;
            // Where palisade has rules in the same tables, one of them has to translate.
            let has_own = !group.palisades().is_empty() && probe.ends.is_translated;
            match decides {
                Some(rule) => Owner::of_chain(&rule.rule.chain).is_palisade(),
                None => !has_own,
            }
        };
        probes.iter().all(is_left_alone).then_some(changes)
    }

    /// Rules of other programs that lead connections from outside to guests whom nobody reaches so.
    fn leading_to_guests(&self, scene: &Scene) -> Vec<Finding> {
        let mut found: BTreeSet<(Name, String)> = BTreeSet::new();
        let mut findings = Vec::new();
        for family in Family::BOTH {
            let (conditions, _) = self.ground.conditions(family);
            for condition in conditions.at(Hook::Prerouting).take(FOLLOWED) {
                let Some(packet) = led(scene, family, condition) else {
                    continue;
                };
                let outcome = self.ground.obstacles(&packet);
                let (Nat::Dnat { to }, Some(rule)) = (outcome.nat, &outcome.translated_by) else {
                    continue;
                };
                let Some(guest) = to.address.filter(|_| !self.is_own(rule)) else {
                    continue;
                };
                let holds = |network: &&Network| {
                    let mut subnets = network.subnets().iter();
                    subnets.any(|subnet| subnet.net().contains(&guest))
                };
                let networks = scene.ruled().map(|(record, _)| &record.network);
                let Some(network) = networks.into_iter().find(holds) else {
                    continue;
                };
                let mut forwards = network.port_forwards().iter();
                let is_forwarded = forwards.any(|forward| {
                    let (target, listens) = (forward.target(), forward.listen().ports());
                    let within =
                        |port| target.ports().start() <= port && port <= target.ports().end();
                    let is_target = target.address() == guest && to.port.is_none_or(within);
                    // Whose of two rules for one port comes first is another check's.
                    let is_port = packet
                        .destination_port
                        .is_some_and(|port| listens.start() <= port && port <= listens.end());
                    is_target || is_port
                });
                let is_open = matches!(network.forward(), Forward::Route { .. }) || is_forwarded;
                let words = &rule.rule.rule;
                if !is_open && found.insert((network.name().clone(), words.clone())) {
                    findings.push(self.leads(network, rule, to));
                }
            }
        }
        findings
    }

    fn leads(&self, network: &Network, rule: &DecidingRule, to: Destination) -> Finding {
        let name = network.name();
        let program = self.groups[rule.member].program();
        Finding {
            check: Check::Translation,
            severity: Severity::Warning,
            networks: vec![name.clone()],
            summary: format!(
                "chain `{}` of table `{}` ({program}) leads connections to guest {to} of network `{name}`",
                rule.rule.chain, rule.rule.table
            ),
            evidence: vec![Evidence::Rule {
                program,
                table: rule.rule.table.clone(),
                chain: rule.rule.chain.clone(),
                rule: Some(rule.rule.rule.clone()),
                policy: None,
            }],
            impact: format!(
                "palisade refuses them: guests of `{name}` are reached from outside by forwards of the \
                 network alone"
            ),
            fix: Fix::advice(format!(
                "forward the port in the definition of `{name}`, and apply it: palisade:forward in XML, \
                 forwards = [\"tcp PORT -> {to}\"] in TOML; then remove the other rule"
            )),
        }
    }
}

/// The packet from outside that a rule matches, as far as its tests tell.
fn led(scene: &Scene, family: Family, condition: &Condition) -> Option<Packet> {
    let device = outside(scene, &Forward::Isolated, family)?;
    let tests = condition.tests.iter().filter(|test| !test.is_negated);
    let asked: Vec<&Asked> = tests.map(|Test { asked, .. }| asked).collect();
    let find =
        |pick: &dyn Fn(&Asked) -> Option<std::net::IpAddr>| asked.iter().find_map(|it| pick(it));
    let source = find(&|it| match it {
        Asked::Source(range) => Some(*range.start()),
        _ => None,
    });
    let destination = find(&|it| match it {
        Asked::Destination(range) => Some(*range.start()),
        _ => None,
    });
    let own = || own_address(scene, &device, family);
    let protocol = asked.iter().find_map(|it| match it {
        Asked::Protocol(number) => Some(*number),
        _ => None,
    });
    let port = asked.iter().find_map(|it| match it {
        Asked::DestinationPort(range) => Some(*range.start()),
        _ => None,
    });
    let input = asked.iter().find_map(|it| match it {
        Asked::In(name) => Some(name.clone()),
        _ => None,
    });
    let source = source.unwrap_or_else(|| world(family));
    let protocol = protocol.unwrap_or(TCP);
    let mut packet = Packet::new(source, destination.or_else(own)?, protocol).ok()?;
    packet.in_interface = Some(input.unwrap_or(device));
    packet.source_port = Some(40_000);
    packet.destination_port = Some(port.unwrap_or(443));
    packet.reverse_path = Some(true);
    Some(packet)
}

fn passage<'p>(ends: &'p Ends<'_>, probe: &'p Probe<'_>) -> Passage<'p> {
    Passage {
        bridge: ends.bridge,
        outside: &ends.outside,
        guests: ends.subnet.net(),
        is_part: false,
        is_translated: ends.is_translated,
        packet: *probe.wanted.packet,
        is_for_port: false,
        ports: &[],
    }
}
