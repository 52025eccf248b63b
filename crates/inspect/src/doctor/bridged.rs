//! Frames that stay on a bridge and meet the rules of IP: those with a source that the host does not reach
//! by the bridge count as forged there.

use palisade::Firewall;
use palisade_core::network::{Family, InterfaceName};
use palisade_core::rules::RuleKind;
use palisade_core::state::Record;

use super::finding::{Check, Finding, Fix, Severity};
use super::scene::Scene;

pub(super) fn findings(firewall: &Firewall, scene: &Scene) -> Vec<Finding> {
    let settings = [
        (Family::Ipv4, "net/bridge/bridge-nf-call-iptables"),
        (Family::Ipv6, "net/bridge/bridge-nf-call-ip6tables"),
    ];
    let mut found = Vec::new();
    for (family, path) in settings {
        let is_met = |record: &Record| {
            let rules = firewall.rules(record);
            let mut rules = rules.iter();
            rules.any(|rule| rule.kind == RuleKind::Spoofed && rule.layer.family() == family)
        };
        // Between fewer than two ports nothing passes.
        let has_ports = |bridge: &InterfaceName| {
            let index = scene.host.link(bridge.as_str()).map(|link| link.index);
            let ports = scene.host.links.iter().filter(|link| link.master == index);
            index.is_some() && ports.count() > 1
        };
        let records = scene
            .ruled()
            .filter(|(record, bridge)| has_ports(bridge) && is_met(record));
        let networks: Vec<_> = records
            .map(|(record, _)| record.network.name().clone())
            .collect();
        if networks.is_empty() || !scene.settings.is(path, "1") {
            continue;
        }
        found.push(Finding {
            check: Check::BridgedSources,
            severity: Severity::Note,
            networks,
            summary: format!(
                "{family} between guests of a bridge passes only from addresses that the host reaches there"
            ),
            evidence: vec![scene.settings.evidence(path)],
            impact: "br_netfilter lets frames that stay on a bridge meet the rules of IP. What has a source \
                      that the host does not reach by the bridge, such as addresses that guests use among \
                      themselves alone, is dropped as forged (`spoofed`). Give the bridge a route to them, or \
                      keep frames from the rules"
                .to_owned(),
            fix: Fix::commands([scene.commands.sysctl(path, "0")]),
        });
    }
    found
}
