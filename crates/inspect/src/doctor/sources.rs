//! Strict filtering of sources by routes (`rp_filter`): a packet is lost without a word unless
//! the way back to its source leads through the interface that it came in by.

use palisade_core::network::{Family, Subnet};
use palisade_core::state::Record;
use palisade_netlink::rtnetlink::RouteKind;

use super::finding::{Check, Evidence, Finding, Fix, Severity};
use super::scene::Scene;

const ALL: &str = "net/ipv4/conf/all/rp_filter";

pub(super) fn findings(scene: &Scene) -> Vec<Finding> {
    let mut found = Vec::new();
    for (record, bridge) in scene.ruled() {
        for subnet in record.network.subnets_of(Family::Ipv4) {
            if let Some(evidence) = strict(scene, bridge.as_str()) {
                found.push(on_bridge(
                    scene,
                    record,
                    (bridge.as_str(), subnet),
                    evidence,
                ));
                break; // One word for each network.
            }
        }
        let device = record.network.forward().device();
        if let Some(device) = device.filter(|device| !is_way_outside(scene, device.as_str()))
            && let Some(evidence) = strict(scene, device.as_str())
        {
            let network = record.network.name();
            found.push(Finding {
                check: Check::RpFilter,
                severity: Severity::Warning,
                networks: vec![network.clone()],
                summary: format!(
                    "`{device}` filters sources strictly, and the way outside leads elsewhere"
                ),
                evidence,
                impact: format!(
                    "answers to guests of network `{network}` that come in by `{device}` are lost \
                     where the host's own way to their source is another one; 2 filters loosely"
                ),
                fix: Fix::commands(fix(scene, device.as_str())),
            });
        }
    }
    found
}

fn on_bridge(
    scene: &Scene,
    record: &Record,
    (bridge, subnet): (&str, Subnet),
    evidence: Vec<Evidence>,
) -> Finding {
    let network = record.network.name();
    let leads_back = leads_back(scene, bridge, subnet);
    let (severity, meaning) = if leads_back {
        (
            Severity::Note,
            format!(
                "no harm as it is: the way back to {subnet} leads through the bridge. A guest of \
                 network `{network}` with another source, or with two ways outside, is not heard"
            ),
        )
    } else {
        (
            Severity::Error,
            format!(
                "no route leads back to {subnet} through the bridge: what guests of network \
                 `{network}` send is lost"
            ),
        )
    };
    Finding {
        check: Check::RpFilter,
        severity,
        networks: vec![network.clone()],
        summary: format!("bridge `{bridge}` filters sources strictly (rp_filter)"),
        evidence,
        impact: meaning,
        fix: Fix::commands(fix(scene, bridge)),
    }
}

/// The files that make an interface strict: the larger of its own value and that of all counts.
fn strict(scene: &Scene, interface: &str) -> Option<Vec<Evidence>> {
    let own = format!("net/ipv4/conf/{interface}/rp_filter");
    let values = [ALL, own.as_str()].map(|path| scene.settings.value(path));
    let strictest = values.iter().flatten().max()?;
    (*strictest == "1").then(|| {
        let strict = [ALL, own.as_str()].into_iter().zip(values);
        strict
            .filter(|(_, value)| *value == Some("1"))
            .map(|(path, _)| scene.settings.evidence(path))
            .collect()
    })
}

/// 2, loose, is the larger value, and so holds whatever that of all is.
fn fix(scene: &Scene, interface: &str) -> Vec<String> {
    let path = format!("net/ipv4/conf/{interface}/rp_filter");
    vec![scene.commands.sysctl(&path, "2")]
}

fn leads_back(scene: &Scene, bridge: &str, subnet: Subnet) -> bool {
    let Some(link) = scene.host.link(bridge) else {
        return false;
    };
    let mut routes = scene.host.routes.iter();
    routes.any(|route| {
        route.kind == RouteKind::UNICAST
            && route.devices.contains(&link.index)
            && route.destination.contains(&subnet.net())
    })
}

fn is_way_outside(scene: &Scene, device: &str) -> bool {
    let Some(link) = scene.host.link(device) else {
        return true; // It is missed elsewhere.
    };
    let mut routes = scene.host.routes.iter();
    routes.any(|route| {
        let destination = route.destination;
        route.devices.contains(&link.index)
            && destination.prefix_len() == 0
            && destination.addr().is_ipv4()
    })
}
