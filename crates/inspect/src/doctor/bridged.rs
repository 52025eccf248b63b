//! Frames that stay on a bridge and meet the rules of IP: those with a source that the host does not reach
//! by the bridge count as forged there.

use palisade::{Counters, Firewall};
use palisade_core::network::{Family, InterfaceName};
use palisade_core::rules::Traffic;
use palisade_core::state::Record;

use super::finding::{Check, Finding, Fix, Severity};
use super::scene::Scene;

/// What was dropped shows it: most guests of a bridge use the network's addresses alone.
pub(super) fn findings(firewall: &mut Firewall, scene: &Scene) -> Vec<Finding> {
    let settings = [
        (Family::Ipv4, "net/bridge/bridge-nf-call-iptables"),
        (Family::Ipv6, "net/bridge/bridge-nf-call-ip6tables"),
    ];
    let met = settings
        .iter()
        .filter(|(_, path)| scene.settings.is(path, "1"));
    let met: Vec<_> = met.collect();
    if met.is_empty() {
        return Vec::new();
    }
    // Between fewer than two ports nothing passes.
    let has_ports = |bridge: &InterfaceName| {
        let link = scene.host.link(bridge.as_str());
        link.is_some_and(|link| scene.host.ports(link).count() > 1)
    };
    let records = scene.ruled().filter(|(_, bridge)| has_ports(bridge));
    let records: Vec<Record> = records.map(|(record, _)| record.clone()).collect();
    let counters = firewall.counters_of(&records).unwrap_or_default();
    let mut found = Vec::new();
    for &&(family, path) in &met {
        let has_dropped = |its: &&Counters| {
            let spoofed = its.traffic.get(&Traffic::Spoofed);
            its.family == family && spoofed.is_some_and(|counted| counted.packets > 0)
        };
        let dropping = counters.iter().filter(has_dropped);
        let networks: Vec<_> = dropping.map(|its| its.network.clone()).collect();
        if networks.is_empty() {
            continue;
        }
        found.push(Finding {
            check: Check::BridgedSources,
            severity: Severity::Note,
            networks,
            summary: format!(
                "{family} from addresses that the host does not reach by the bridge was dropped, also between \
                 guests"
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
