//! All that checks look at, read once.

use palisade_core::network::{Family, Forward, InterfaceName, Name, Network};
use palisade_core::state::Record;
use palisade_netlink::rtnetlink::Host;

use super::connections::Conntrack;
use super::finding::Evidence;
use super::fix::Commands;
use super::settings::Settings;
use crate::routing::Routing;
use crate::shell::word;

/// A host as it was at one moment, and the networks that are recorded to run on it.
pub(super) struct Scene {
    pub(super) records: Vec<Record>,
    pub(super) host: Host,
    pub(super) routing: Routing,
    pub(super) settings: Settings,
    pub(super) conntrack: Conntrack,
    pub(super) commands: Commands,
}

impl Scene {
    /// The networks whose bridge is ours to rule, with it.
    pub(super) fn ruled(&self) -> impl Iterator<Item = (&Record, &InterfaceName)> {
        let records = self.records.iter();
        records.filter_map(|record| Some((record, record.network.ruled_bridge()?)))
    }

    /// The networks that have a bridge, ours to rule or not, with it.
    pub(super) fn bridges(&self) -> impl Iterator<Item = (&Record, &InterfaceName)> {
        let records = self.records.iter();
        records.filter_map(|record| Some((record, record.network.bridge()?)))
    }

    /// Where it can be seen that frames which stay on a bridge meet the rules of IP, if they do: by the
    /// bridge's own setting, or by that of the namespace.
    pub(super) fn frames_meet_ip(
        &self,
        bridge: &InterfaceName,
        family: Family,
    ) -> Option<Vec<Evidence>> {
        let path = nf_call(family);
        let by_all = self.settings.is(path, "1");
        let link = self.host.link(bridge.as_str());
        let by_bridge = link.is_some_and(|link| match family {
            Family::Ipv4 => link.nf_call[0],
            Family::Ipv6 => link.nf_call[1],
        });
        let of_all = by_all.then(|| self.settings.evidence(path));
        let of_bridge = by_bridge.then(|| Evidence::Interface {
            interface: bridge.to_string(),
            state: format!("{} 1", nf_call_of_bridge(family)),
        });
        let evidence: Vec<Evidence> = of_all.into_iter().chain(of_bridge).collect();
        (!evidence.is_empty()).then_some(evidence)
    }

    /// Commands after which frames that stay on a bridge do not meet the rules of IP.
    pub(super) fn keep_frames_from_ip(
        &self,
        bridge: &InterfaceName,
        family: Family,
    ) -> Vec<String> {
        let path = nf_call(family);
        let mut commands = Vec::new();
        if self.settings.is(path, "1") {
            commands.push(self.commands.sysctl(path, "0"));
        }
        let link = self.host.link(bridge.as_str());
        if link.is_some_and(|link| link.nf_call[usize::from(family == Family::Ipv6)]) {
            let name = word(bridge.as_str());
            let option = nf_call_of_bridge(family);
            let command = format!("ip link set {name} type bridge {option} 0");
            commands.push(self.commands.inside(command));
        }
        commands
    }

    /// The networks whose packets of a family leave the bridge by routing.
    pub(super) fn leaving(
        &self,
        family: Family,
    ) -> impl Iterator<Item = (&Record, &InterfaceName)> {
        self.ruled()
            .filter(move |(record, _)| leaves(&record.network, family))
    }
}

/// The setting by which frames of all bridges meet the rules of IP.
fn nf_call(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "net/bridge/bridge-nf-call-iptables",
        Family::Ipv6 => "net/bridge/bridge-nf-call-ip6tables",
    }
}

/// The same of one bridge, as `ip link` names it.
fn nf_call_of_bridge(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "nf_call_iptables",
        Family::Ipv6 => "nf_call_ip6tables",
    }
}

/// Whether packets of a family leave the network's bridge by routing.
pub(super) fn leaves(network: &Network, family: Family) -> bool {
    let is_forwarded = matches!(network.forward(), Forward::Nat(_) | Forward::Route { .. });
    is_forwarded && network.subnets_of(family).next().is_some()
}

/// The names of networks, each once.
pub(super) fn names<'r>(records: impl IntoIterator<Item = &'r Record>) -> Vec<Name> {
    let mut names = Vec::new();
    for record in records {
        let name = record.network.name();
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

/// Names in a sentence: `a`, `b` and 3 more.
pub(super) fn told(names: &[Name]) -> String {
    const TOLD: usize = 5;
    let mut told: Vec<String> = names.iter().take(TOLD).map(|n| format!("`{n}`")).collect();
    match names.len().saturating_sub(TOLD) {
        0 => {}
        more => told.push(format!("{more} more")),
    }
    match told.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, first)) => format!("{} and {last}", first.join(", ")),
        None => String::new(),
    }
}
