//! The kernel's table of connections: whether it is full, and whether connections failed.

use palisade_core::network::{Forward, Name};

use super::connections::{COUNT, Conntrack, MAX, STATISTICS};
use super::finding::{Check, Evidence, Finding, Fix, Severity};
use super::scene::{Scene, names, told};

/// How many source ports leave room for the connections of a network to one server.
const FEW_PORTS: u32 = 1024;

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
        ports.is_some_and(|ports| ports.count() < FEW_PORTS)
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
