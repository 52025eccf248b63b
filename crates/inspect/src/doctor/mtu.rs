//! Links on guests' way outside that carry smaller packets than their bridge.

use std::collections::BTreeMap;

use palisade_core::network::{Family, Name};
use palisade_netlink::rtnetlink::Link;

use super::finding::{Check, Evidence, Finding, Fix, Severity};
use super::packets::outside;
use super::scene::{Scene, leaves, told};

/// The networks whose guests send larger packets than their way outside carries, by the device.
pub(super) fn narrow(scene: &Scene) -> BTreeMap<&str, Vec<Name>> {
    let mut narrow: BTreeMap<&str, Vec<Name>> = BTreeMap::new();
    for (record, bridge) in scene.ruled() {
        let network = &record.network;
        let Some(bridge) = scene.host.link(bridge.as_str()) else {
            continue;
        };
        for family in Family::BOTH {
            if !leaves(network, family) || network.mss_clamp().is_some() {
                continue;
            }
            let device = outside(scene, network.forward(), family);
            let device = device.and_then(|name| scene.host.link(name.as_str()));
            let is_narrow =
                |device: &&Link| device.is_up && 0 < device.mtu && device.mtu < bridge.mtu;
            if let Some(device) = device.filter(is_narrow) {
                let names = narrow.entry(&device.name).or_default();
                if names.last() != Some(network.name()) {
                    names.push(network.name().clone());
                }
            }
        }
    }
    narrow
}

pub(super) fn findings(scene: &Scene) -> Vec<Finding> {
    let found = narrow(scene).into_iter().filter_map(|(device, networks)| {
        let mtu = scene.host.link(device)?.mtu;
        Some(Finding {
            check: Check::PathMtu,
            severity: Severity::Note,
            summary: format!(
                "`{device}` carries packets of {mtu} bytes, and bridges of {} larger ones",
                told(&networks)
            ),
            evidence: vec![Evidence::Interface {
                interface: device.to_owned(),
                state: format!("mtu {mtu}"),
            }],
            impact: "guests learn of it by ICMP errors: where those are dropped on the way, connections stall"
                .to_owned(),
            fix: Fix::advice(format!(
                "set mss_clamp in the definition of {}, and apply it: tcp connections then announce a size \
                 that fits",
                told(&networks)
            )),
            networks,
        })
    });
    found.collect()
}
