//! The kernel's table of connections: whether it is full, and whether connections failed.

use std::fs;

use palisade_core::network::{Forward, Name};

use super::finding::{Check, Evidence, Finding, Fix, Severity};
use super::scene::{Scene, names, told};

const COUNT: &str = "net/netfilter/nf_conntrack_count";
const MAX: &str = "net/netfilter/nf_conntrack_max";
const STATISTICS: &str = "/proc/net/stat/nf_conntrack";
/// How many source ports leave room for the connections of a network to one server.
const FEW_PORTS: u32 = 1024;

/// The table of a network namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Conntrack {
    /// How many connections there are.
    count: u64,
    /// How many there can be; 0 without a limit.
    max: u64,
    /// Connections that were not entered: the addresses and ports were taken.
    insert_failed: u64,
    /// Packets that were dropped since the table was full.
    dropped: u64,
    /// Whether the limit is that of another network namespace, and cannot be set here.
    is_fixed: bool,
}

impl Conntrack {
    /// Reads that of the network namespace that the calling thread is in.
    pub(super) fn read() -> Self {
        let number = |path: &str| {
            let text = fs::read_to_string(format!("/proc/sys/{path}")).ok();
            text.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
        };
        let own = STATISTICS.replace("/proc/", "/proc/thread-self/");
        let statistics = fs::read_to_string(own).unwrap_or_default();
        let insert_failed = sum(&statistics, "insert_failed");
        let limit = fs::metadata(format!("/proc/sys/{MAX}"));
        Self {
            count: number(COUNT),
            max: number(MAX),
            insert_failed,
            // The kernel counts those that were not entered here too.
            dropped: sum(&statistics, "drop").saturating_sub(insert_failed),
            is_fixed: limit.is_ok_and(|limit| limit.permissions().readonly()),
        }
    }
}

/// The sum of a column, which has a line for each processor.
fn sum(statistics: &str, column: &str) -> u64 {
    let mut lines = statistics.lines();
    let heads = lines.next().unwrap_or_default();
    let Some(place) = heads.split_whitespace().position(|head| head == column) else {
        return 0;
    };
    let numbers = lines.filter_map(|line| line.split_whitespace().nth(place));
    numbers
        .filter_map(|number| u64::from_str_radix(number, 16).ok())
        .sum()
}

pub(super) fn findings(scene: &Scene) -> Vec<Finding> {
    let networks = names(scene.ruled().map(|(record, _)| record));
    if networks.is_empty() {
        return Vec::new();
    }
    let full = full(scene, &networks);
    full.into_iter().chain(failed(scene)).collect()
}

/// A table that is full, or nearly so.
fn full(scene: &Scene, networks: &[Name]) -> Option<Finding> {
    let Conntrack {
        count,
        max,
        dropped,
        is_fixed,
        ..
    } = scene.conntrack;
    let share = (count * 100).checked_div(max)?;
    let severity = match share {
        98.. => Severity::Error,
        85.. => Severity::Warning,
        _ if dropped > 0 => Severity::Warning,
        _ => return None,
    };
    let is_full = share >= 85;
    let file = |path: &str, value: u64| Evidence::File {
        file: format!("/proc/sys/{path}"),
        value: value.to_string(),
    };
    let mut evidence = vec![file(COUNT, count), file(MAX, max)];
    if dropped > 0 {
        evidence.push(Evidence::File {
            file: STATISTICS.to_owned(),
            value: format!("drop {dropped}"),
        });
    }
    Some(Finding {
        check: Check::Conntrack,
        severity,
        networks: networks.to_vec(),
        summary: match is_full {
            true => format!("conntrack's table is {share} % full"),
            false => format!("conntrack's table was full: {dropped} packets were dropped"),
        },
        evidence,
        impact: format!(
            "new connections of guests of {} and of the host are dropped when it is full. To keep a larger \
             table over a reboot, write net.netfilter.nf_conntrack_max into a file in /etc/sysctl.d",
            told(networks)
        ),
        fix: match is_fixed {
            false => Fix::commands([scene.commands.sysctl(MAX, &(max.max(1) * 2).to_string())]),
            true => Fix::advice(
                "raise net.netfilter.nf_conntrack_max in the first network namespace of the machine, which \
                 sets it for all",
            ),
        },
    })
}

/// Connections that failed since no port was left for them.
fn failed(scene: &Scene) -> Option<Finding> {
    let failed = scene.conntrack.insert_failed;
    if failed == 0 {
        return None;
    }
    let ports = |forward: &Forward| match forward {
        Forward::Nat(nat) => Some(nat.ports),
        _ => None,
    };
    let narrow = scene.ruled().filter(|(record, _)| {
        let ports = ports(record.network.forward());
        ports.is_some_and(|ports| u32::from(ports.count()) < FEW_PORTS)
    });
    let narrow = names(narrow.map(|(record, _)| record));
    let evidence = vec![Evidence::File {
        file: STATISTICS.to_owned(),
        value: format!("insert_failed {failed}"),
    }];
    let summary = format!("{failed} connections failed: their addresses and ports were taken");
    Some(match narrow.is_empty() {
        false => Finding {
            check: Check::Conntrack,
            severity: Severity::Warning,
            summary,
            evidence,
            impact: format!(
                "guests of {} share few source ports, each of which carries one connection to a server \
                 at a time",
                told(&narrow)
            ),
            fix: Fix::advice(format!(
                "widen <nat><port start='1024' end='65535'/></nat> in the definition of {}, and apply it",
                told(&narrow)
            )),
            networks: narrow,
        },
        true => Finding {
            check: Check::Conntrack,
            severity: Severity::Note,
            networks: Vec::new(),
            summary,
            evidence,
            impact: "a few are usual: two packets of one connection at the same time. Many mean that source \
                     ports run out"
                .to_owned(),
            fix: Fix::advice("let more addresses or ports translate, if the number grows fast"),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_summed_over_processors() {
        let text = "entries  clashres insert insert_failed drop\n\
                    00000001  00000000 00000000 00000002 00000000\n\
                    00000001  00000000 00000000 0000000a 00000001\n";
        assert_eq!(sum(text, "insert_failed"), 12);
        assert_eq!(sum(text, "drop"), 1);
        assert_eq!(sum(text, "early_drop"), 0);
        assert_eq!(sum("", "drop"), 0);
    }
}
