//! IPv6 past a network that has none: the layouts that keep to libvirt's families do not rule it.

use palisade::Firewall;
use palisade_core::location::Location;
use palisade_core::rules::{Layer, Role};
use palisade_core::state::Record;

use super::finding::{Check, Finding, Fix, Severity};
use super::scene::Scene;

const FORWARDING: &str = "net/ipv6/conf/all/forwarding";

pub(super) fn findings(firewall: &Firewall, scene: &Scene) -> Vec<Finding> {
    if !scene.settings.is(FORWARDING, "1") {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (record, bridge) in scene.ruled() {
        let disabled = format!("net/ipv6/conf/{bridge}/disable_ipv6");
        // Without such a file there is no such bridge, or no IPv6 at all.
        if is_guarded(firewall, record) || !scene.settings.is(&disabled, "0") {
            continue;
        }
        let network = record.network.name();
        found.push(Finding {
            check: Check::Ipv6Unguarded,
            severity: Severity::Warning,
            networks: vec![network.clone()],
            summary: format!(
                "IPv6 on bridge `{bridge}` is ruled by nobody, and the host forwards it"
            ),
            evidence: vec![
                scene.settings.evidence(&disabled),
                scene.settings.evidence(FORWARDING),
            ],
            impact: format!(
                "network `{network}` has no IPv6, and where it is placed ({}) such networks have \
                 no IPv6 rules: a guest with a made-up IPv6 address gets out. Disable IPv6 on the \
                 bridge, as libvirt does, or move to layout mapped, which rules it",
                record.placement
            ),
            fix: Fix::commands([scene.commands.sysctl(&disabled, "1")]),
        });
    }
    found
}

/// Whether rules for its forwarded IPv6 stand, or nobody wants any.
fn is_guarded(firewall: &Firewall, record: &Record) -> bool {
    if matches!(
        firewall.location(&record.placement),
        None | Some(Location::Nowhere)
    ) {
        return true;
    }
    let rules = firewall.rules(record);
    let mut forwarded = rules.iter().filter(|rule| rule.role() == Role::GuestOutput);
    forwarded.any(|rule| rule.layer == Layer::Ipv6)
}
