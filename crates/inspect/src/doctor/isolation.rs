//! Ports that a network wants isolated, and that the bridge does not isolate.

use palisade_netlink::rtnetlink::Link;

use super::finding::{Check, Evidence, Finding, Fix, Severity};
use super::scene::Scene;

pub(super) fn findings(scene: &Scene) -> Vec<Finding> {
    let isolated = scene
        .ruled()
        .filter(|(record, _)| record.network.isolated_ports());
    let found = isolated.filter_map(|(record, bridge)| {
        let index = scene.host.link(bridge.as_str())?.index;
        let links = scene.host.links.iter();
        let open: Vec<&Link> = links
            .filter(|link| link.master == Some(index) && !link.is_isolated)
            .collect();
        if open.is_empty() {
            return None;
        }
        let network = record.network.name();
        let evidence = open.iter().map(|port| Evidence::File {
            file: format!("/sys/class/net/{}/brport/isolated", port.name),
            value: "0".to_owned(),
        });
        let fix = open.iter().map(|port| {
            let command = format!("bridge link set dev {} isolated on", port.name);
            scene.commands.inside(command)
        });
        let names: Vec<String> = open.iter().map(|port| format!("`{}`", port.name)).collect();
        Some(Finding {
            check: Check::IsolatedPorts,
            severity: Severity::Warning,
            networks: vec![network.clone()],
            summary: format!(
                "ports of bridge `{bridge}` are not isolated: {}",
                names.join(", ")
            ),
            evidence: evidence.collect(),
            impact: format!(
                "network `{network}` wants its guests isolated from each other. palisade refuses \
                 what they send each other through the host; the bridge passes frames between \
                 ports that are not isolated, and rules do not see them"
            ),
            fix: Fix::commands(fix),
        })
    });
    found.collect()
}
