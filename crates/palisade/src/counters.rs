//! What networks have counted, by network, family and purpose.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::net::IpAddr;

use palisade_core::backend::{Counted, Standing};
use palisade_core::network::{Family, Name, Network, PortForward};
use palisade_core::rules::{Destination, Matches, Protocol, RuleKind, Sum, Traffic};
use serde::Serialize;

/// What a network counted of one family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counters {
    /// The network.
    pub network: Name,
    /// The family of packets.
    pub family: Family,
    /// Packets and bytes, of each purpose for which something counts.
    pub traffic: BTreeMap<Traffic, Counted>,
    /// Connections that left with another source; none if nothing translates.
    pub nat_connections: Option<u64>,
    /// What each forward counted, in the order in which the network has them.
    pub forwards: Vec<ForwardCounters>,
}

/// What a forward of a port counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ForwardCounters {
    /// The forward.
    pub forward: PortForward,
    /// The connections that it gave their destination.
    pub connections: u64,
    /// The packets that its rules let in. Forwards that lead to the same ports of a guest have them in common;
    /// in a NAT network they are the first ones of each connection, since those that follow are let in like
    /// all packets of established connections.
    #[serde(flatten)]
    pub traffic: Counted,
}

impl Counters {
    /// What these rules and elements of a network counted, IPv4 first. Families without any have
    /// no counters.
    pub(crate) fn of(network: &Network, standing: &[Standing]) -> Vec<Self> {
        let of_family = |family| {
            let its = || standing.iter().filter(|s| s.family == family);
            let mut counters = Self {
                network: network.name().clone(),
                family,
                traffic: BTreeMap::new(),
                nat_connections: None,
                forwards: forward_counters(network, family, standing),
            };
            for (sum, counted) in its().filter_map(|s| Some((s.purpose?.sum()?, s.counter?))) {
                counters.add(sum, counted);
            }
            let counts = !counters.traffic.is_empty()
                || counters.nat_connections.is_some()
                || !counters.forwards.is_empty();
            counts.then_some(counters)
        };
        Family::BOTH.into_iter().filter_map(of_family).collect()
    }

    fn add(&mut self, sum: Sum, counted: Counted) {
        match sum {
            Sum::Traffic(traffic) => {
                let sum = self.traffic.entry(traffic).or_default();
                sum.packets = sum.packets.saturating_add(counted.packets);
                sum.bytes = sum.bytes.saturating_add(counted.bytes);
            }
            // Each forward has its own.
            Sum::ForwardConnections => {}
            Sum::NatConnections => {
                let sum = self.nat_connections.get_or_insert_default();
                *sum = sum.saturating_add(counted.packets);
            }
        }
    }
}

/// What each forward of a family counted.
fn forward_counters(
    network: &Network,
    family: Family,
    standing: &[Standing],
) -> Vec<ForwardCounters> {
    let forwards = network.port_forwards().iter();
    let here: Vec<&PortForward> = forwards.filter(|it| it.family() == family).collect();
    let mut all: Vec<ForwardCounters> = here
        .iter()
        .map(|forward| ForwardCounters {
            forward: (*forward).clone(),
            connections: 0,
            traffic: Counted::default(),
        })
        .collect();
    if all.is_empty() {
        return all;
    }
    let ports = ForwardedPorts::of(&here);
    for standing in standing.iter().filter(|s| s.family == family) {
        let (Some(kind), Some(matches), Some(counted)) =
            (standing.purpose, &standing.forwarded, standing.counter)
        else {
            continue;
        };
        if kind.sum() == Some(Sum::ForwardConnections) {
            if let Some(forward) = ports.listening(matches).and_then(|at| all.get_mut(at)) {
                forward.connections = forward.connections.saturating_add(counted.packets);
            }
        } else if kind == RuleKind::ForwardIn {
            for &at in ports.leading(matches) {
                let traffic = &mut all[at].traffic;
                traffic.packets = traffic.packets.saturating_add(counted.packets);
                traffic.bytes = traffic.bytes.saturating_add(counted.bytes);
            }
        }
    }
    all
}

/// The places of forwards in a list, by what their rules match.
struct ForwardedPorts<'a> {
    forwards: &'a [&'a PortForward],
    listening: HashMap<(Protocol, u16), Vec<usize>>,
    leading: HashMap<(Protocol, IpAddr, u16), Vec<usize>>,
}

impl<'a> ForwardedPorts<'a> {
    fn of(forwards: &'a [&'a PortForward]) -> Self {
        let (mut listening, mut leading) = (HashMap::new(), HashMap::new());
        for (place, forward) in forwards.iter().enumerate() {
            let protocol = Protocol::from(forward.protocol());
            let (listen, target) = (forward.listen().ports(), forward.target().ports());
            for port in listen.start()..=listen.end() {
                let at: &mut Vec<usize> = listening.entry((protocol, port)).or_default();
                at.push(place);
            }
            for port in target.start()..=target.end() {
                let guest = (protocol, forward.target().address(), port);
                let to: &mut Vec<usize> = leading.entry(guest).or_default();
                to.push(place);
            }
        }
        Self {
            forwards,
            listening,
            leading,
        }
    }

    /// The forward whose rule matches connections so.
    fn listening(&self, matches: &Matches) -> Option<usize> {
        let port = (matches.protocol?, matches.destination_port?);
        let mut places = self.listening.get(&port)?.iter().copied();
        let address = matches.destination.and_then(alone);
        places.find(|&place| {
            let forward = self.forwards[place];
            let is_source = match matches.source {
                Some(source) => forward.sources().contains(&source),
                None => forward.sources().is_empty(),
            };
            forward.listen().address() == address && is_source
        })
    }

    /// The forwards whose rules match packets to their guest so.
    fn leading(&self, matches: &Matches) -> &[usize] {
        let guest = || {
            let address = matches.destination.and_then(alone)?;
            Some((matches.protocol?, address, matches.destination_port?))
        };
        let places = guest().and_then(|guest| self.leading.get(&guest));
        places.map_or(&[], Vec::as_slice)
    }
}

/// The one address that is matched.
fn alone(destination: Destination) -> Option<IpAddr> {
    match destination {
        Destination::In(subnet) => Some(subnet.network()),
        _ => None,
    }
}

/// Counters in Prometheus' text format (version 0.0.4), for its node exporter's text files or for a
/// server of one's own.
#[must_use]
pub fn prometheus(all: &[Counters]) -> String {
    let mut text = String::new();
    let head = |text: &mut String, metric: &str, help: &str| {
        // Writing to a String does not fail.
        let _ = writeln!(text, "# HELP {metric} {help}\n# TYPE {metric} counter");
    };
    type Value = fn(&Counted) -> u64;
    let metrics: [(&str, &str, Value); 2] = [
        (
            "palisade_packets_total",
            "Packets of a virtual network, by what becomes of them.",
            |counted| counted.packets,
        ),
        (
            "palisade_bytes_total",
            "Bytes of a virtual network's packets, by what becomes of them.",
            |counted| counted.bytes,
        ),
    ];
    for (metric, help, value) in metrics {
        head(&mut text, metric, help);
        for counters in all {
            for (purpose, counted) in &counters.traffic {
                let labels = labels(counters, &purpose.to_string());
                let _ = writeln!(text, "{metric}{{{labels}}} {}", value(counted));
            }
        }
    }
    let metric = "palisade_nat_connections_total";
    head(
        &mut text,
        metric,
        "Connections of a virtual network that left with another source.",
    );
    for counters in all {
        if let Some(connections) = counters.nat_connections {
            let _ = writeln!(
                text,
                "{metric}{{{}}} {connections}",
                labels(counters, "nat")
            );
        }
    }
    forwards_of_prometheus(&mut text, all);
    text
}

/// The metrics of forwards, where there are any.
fn forwards_of_prometheus(text: &mut String, all: &[Counters]) {
    type Value = fn(&ForwardCounters) -> u64;
    let metrics: [(&str, &str, Value); 3] = [
        (
            "palisade_forward_connections_total",
            "Connections to a forwarded port.",
            |counted| counted.connections,
        ),
        (
            "palisade_forward_packets_total",
            "Packets that rules of a forwarded port let in.",
            |counted| counted.traffic.packets,
        ),
        (
            "palisade_forward_bytes_total",
            "Bytes of packets that rules of a forwarded port let in.",
            |counted| counted.traffic.bytes,
        ),
    ];
    if all.iter().all(|counters| counters.forwards.is_empty()) {
        return;
    }
    for (metric, help, value) in metrics {
        // Writing to a String does not fail.
        let _ = writeln!(text, "# HELP {metric} {help}\n# TYPE {metric} counter");
        for counters in all {
            let network = escaped(counters.network.as_str());
            for counted in &counters.forwards {
                let forward = escaped(&counted.forward.to_string());
                let labels = format!("network=\"{network}\",forward=\"{forward}\"");
                let _ = writeln!(text, "{metric}{{{labels}}} {}", value(counted));
            }
        }
    }
}

fn labels(counters: &Counters, purpose: &str) -> String {
    let network = escaped(counters.network.as_str());
    let family = match counters.family {
        Family::Ipv4 => "ipv4",
        Family::Ipv6 => "ipv6",
    };
    format!("network=\"{network}\",purpose=\"{purpose}\",family=\"{family}\"")
}

/// As the format has it between quotes.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    text.replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use palisade_core::network::{Description, Forward};

    use super::*;

    fn lab(forwards: &[&str]) -> Network {
        let bridge = "virbr0".parse().ok();
        Network::new(Description {
            subnets: vec!["fd00::1/64".parse().unwrap()],
            forwards: forwards.iter().map(|text| text.parse().unwrap()).collect(),
            ..Description::new("lab".parse().unwrap(), bridge, Forward::Isolated)
        })
        .unwrap()
    }

    fn standing(purpose: RuleKind, packets: u64, bytes: u64) -> Standing {
        Standing {
            family: Family::Ipv6,
            place: "a chain".to_owned(),
            purpose: Some(purpose),
            text: String::new(),
            counter: Some(Counted { packets, bytes }),
            missing: false,
            forwarded: None,
        }
    }

    #[test]
    fn rules_of_one_purpose_are_one_sum() {
        let all = [
            standing(RuleKind::Out, 1, 100),
            standing(RuleKind::Out, 2, 200),
            standing(RuleKind::RefuseIn, 0, 0),
            standing(RuleKind::Nat, 3, 300),
            standing(RuleKind::Nat, 4, 400),
            standing(RuleKind::KeepMulticast, 9, 900),
            standing(RuleKind::Dns, 9, 900),
        ];
        let found = Counters::of(&lab(&[]), &all);
        let [counters] = found.as_slice() else {
            panic!("one family counts: {found:?}");
        };
        let counted = |packets, bytes| Counted { packets, bytes };
        let expected = [
            (Traffic::Out, counted(3, 300)),
            (Traffic::RefusedIn, counted(0, 0)),
        ];
        assert_eq!(counters.traffic, BTreeMap::from(expected));
        assert_eq!(counters.nat_connections, Some(7));
    }

    #[test]
    fn what_prometheus_reads() {
        let all = [
            standing(RuleKind::RefuseOut, 3, 300),
            standing(RuleKind::Nat, 2, 200),
        ];
        let text = prometheus(&Counters::of(&lab(&[]), &all));
        let expected = "\
# HELP palisade_packets_total Packets of a virtual network, by what becomes of them.
# TYPE palisade_packets_total counter
palisade_packets_total{network=\"lab\",purpose=\"refused_out\",family=\"ipv6\"} 3
# HELP palisade_bytes_total Bytes of a virtual network's packets, by what becomes of them.
# TYPE palisade_bytes_total counter
palisade_bytes_total{network=\"lab\",purpose=\"refused_out\",family=\"ipv6\"} 300
# HELP palisade_nat_connections_total Connections of a virtual network that left with another source.
# TYPE palisade_nat_connections_total counter
palisade_nat_connections_total{network=\"lab\",purpose=\"nat\",family=\"ipv6\"} 2
";
        assert_eq!(text, expected);
    }

    #[test]
    fn each_forward_has_its_own() {
        let lab = lab(&[
            "tcp 80-81 -> [fd00::2]:8080-8081",
            "tcp [2001:db8::7]:80 -> [fd00::2]:8080",
        ]);
        let rules = palisade_core::rules::rules(&lab, palisade_core::rules::Guard::Strict);
        let all: Vec<Standing> = rules
            .into_iter()
            .filter(|rule| rule.kind.is_of_forward())
            .zip(1..)
            .map(|(rule, packets)| Standing {
                forwarded: Some(Box::new(rule.matches)),
                ..standing(rule.kind, packets, packets * 100)
            })
            .collect();
        let of = |kind: RuleKind| {
            let its = all
                .iter()
                .filter(move |standing| standing.purpose == Some(kind));
            its.map(|standing| standing.counter.unwrap().packets)
                .collect::<Vec<_>>()
        };
        let found = Counters::of(&lab, &all);
        let [Counters { forwards, .. }] = found.as_slice() else {
            panic!("one family counts: {found:?}");
        };
        let (any, at, let_in) = (
            of(RuleKind::ForwardAny),
            of(RuleKind::ForwardAt),
            of(RuleKind::ForwardIn),
        );
        let connections: Vec<u64> = forwards.iter().map(|it| it.connections).collect();
        assert_eq!(connections, [any.iter().sum::<u64>(), at[0]]);
        assert_eq!((any.len(), let_in.len()), (2, 2));
        let packets: Vec<u64> = forwards.iter().map(|it| it.traffic.packets).collect();
        // Port 8080 is that of both.
        assert_eq!(packets[0], let_in.iter().sum::<u64>());
        assert!(let_in.contains(&packets[1]));
        let text = prometheus(&found);
        let line = format!(
            "palisade_forward_connections_total{{network=\"lab\",\
             forward=\"tcp [2001:db8::7]:80 -> [fd00::2]:8080\"}} {}\n",
            at[0]
        );
        assert!(text.contains(&line), "{text}");
    }

    #[test]
    fn labels_are_escaped() {
        assert_eq!(escaped("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
    }
}
