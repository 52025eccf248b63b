//! What networks have counted, by network, family and purpose.

use std::collections::BTreeMap;
use std::fmt::Write;

use palisade_core::backend::{Counted, Standing};
use palisade_core::network::{Family, Name};
use palisade_core::rules::{Sum, Traffic};

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
    /// Connections to forwarded ports; none if no port is forwarded.
    pub forward_connections: Option<u64>,
}

impl Counters {
    /// What these rules and elements of a network counted, IPv4 first. Families without any have
    /// no counters.
    pub(crate) fn of(network: &Name, standing: &[Standing]) -> Vec<Self> {
        let of_family = |family| {
            let its = standing.iter().filter(|s| s.family == family);
            let mut counters = Self {
                network: network.clone(),
                family,
                traffic: BTreeMap::new(),
                nat_connections: None,
                forward_connections: None,
            };
            for (sum, counted) in its.filter_map(|s| Some((s.purpose?.sum()?, s.counter?))) {
                counters.add(sum, counted);
            }
            let counts = !counters.traffic.is_empty() || counters.nat_connections.is_some();
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
            Sum::ForwardConnections => {
                let sum = self.forward_connections.get_or_insert_default();
                *sum = sum.saturating_add(counted.packets);
            }
            Sum::NatConnections => {
                let sum = self.nat_connections.get_or_insert_default();
                *sum = sum.saturating_add(counted.packets);
            }
        }
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
    text
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
    use palisade_core::rules::RuleKind;

    use super::*;

    fn standing(purpose: RuleKind, packets: u64, bytes: u64) -> Standing {
        Standing {
            family: Family::Ipv6,
            place: "a chain".to_owned(),
            purpose: Some(purpose),
            text: String::new(),
            counter: Some(Counted { packets, bytes }),
            missing: false,
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
        let found = Counters::of(&"lab".parse().unwrap(), &all);
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
        let text = prometheus(&Counters::of(&"lab".parse().unwrap(), &all));
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
    fn labels_are_escaped() {
        assert_eq!(escaped("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
    }
}
