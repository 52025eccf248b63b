//! Running networks at a glance: the bridge of each, the guests on it, and what went through.

use std::path::Path;

use palisade_core::backend::{Counted, Standing};
use palisade_core::network::{InterfaceName, Network};
use palisade_core::rules::Traffic;
use palisade_core::state::Record;
use palisade_netlink::rtnetlink::Link;
use serde::Serialize;

use crate::counters::Counters;

/// A running network at a glance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// What is recorded of it.
    pub record: Record,
    /// Its bridge as it is now; none if it has none, or interfaces cannot be seen.
    pub bridge: Option<Bridge>,
    /// What its subnets sent and got; none if nothing counts, or counters cannot be read.
    pub traffic: Option<Sums>,
    /// Whether it is as it must be.
    pub state: NetworkState,
}

/// Whether a running network is as it must be, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(into = "&'static str")]
pub enum NetworkState {
    /// Rules that are recorded are not installed.
    RulesMissing,
    /// There is no interface with the name of its bridge.
    BridgeMissing,
    /// Its bridge is down.
    BridgeDown,
    /// Rules or interfaces could not be read.
    Unknown,
    /// Its rules are installed, and its bridge is up, if it has one.
    Ok,
}

/// A bridge as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bridge {
    /// How it is.
    pub state: BridgeState,
    /// The interfaces on it: guests', mostly.
    pub ports: Vec<String>,
}

/// How a bridge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BridgeState {
    /// There is no such interface.
    Missing,
    /// It is there, and down.
    Down,
    /// It is up.
    Up,
}

/// Packets and bytes, of both families together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Sums {
    /// What guests sent.
    pub out: Counted,
    /// What guests got.
    #[serde(rename = "in")]
    pub incoming: Counted,
}

impl NetworkState {
    /// Of a network, whose rules are `None` if they could not be read.
    pub(crate) fn of(
        network: &Network,
        bridge: Option<&Bridge>,
        standing: Option<&[Standing]>,
    ) -> Self {
        let is_missing = |standing: &[Standing]| standing.iter().any(|rule| rule.missing);
        match (bridge.map(|bridge| bridge.state), standing) {
            (_, Some(standing)) if is_missing(standing) => Self::RulesMissing,
            (Some(BridgeState::Missing), _) => Self::BridgeMissing,
            (Some(BridgeState::Down), _) => Self::BridgeDown,
            (_, None) => Self::Unknown,
            (None, _) if network.bridge().is_some() => Self::Unknown,
            _ => Self::Ok,
        }
    }

    /// The state in a word or two.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::RulesMissing => "rules missing",
            Self::BridgeMissing => "bridge missing",
            Self::BridgeDown => "bridge down",
            Self::Unknown => "unknown",
            Self::Ok => "ok",
        }
    }
}

impl From<NetworkState> for &'static str {
    fn from(state: NetworkState) -> Self {
        state.words()
    }
}

impl Bridge {
    /// The bridge of this name, among all interfaces.
    pub(crate) fn of(name: &InterfaceName, links: &[Link]) -> Self {
        let Some(bridge) = links.iter().find(|link| link.name == name.as_str()) else {
            return Self {
                state: BridgeState::Missing,
                ports: Vec::new(),
            };
        };
        let is_port = |link: &&Link| link.master == Some(bridge.index);
        let state = if bridge.is_up {
            BridgeState::Up
        } else {
            BridgeState::Down
        };
        let ports = links.iter().filter(is_port);
        Self {
            state,
            ports: ports.map(|link| link.name.clone()).collect(),
        }
    }
}

impl Sums {
    /// Of one network's counters; none if it has none.
    pub(crate) fn of(counters: &[Counters]) -> Option<Self> {
        let mut sums: Option<Self> = None;
        for (traffic, counted) in counters.iter().flat_map(|of_family| &of_family.traffic) {
            let sums = sums.get_or_insert_default();
            let sum = match traffic {
                Traffic::Out => &mut sums.out,
                Traffic::In => &mut sums.incoming,
                Traffic::Cross
                | Traffic::RefusedOut
                | Traffic::RefusedIn
                | Traffic::Spoofed
                | Traffic::Invalid => continue,
            };
            sum.packets = sum.packets.saturating_add(counted.packets);
            sum.bytes = sum.bytes.saturating_add(counted.bytes);
        }
        sums
    }
}

/// All interfaces of a network namespace; none, and a word in the log, if they cannot be seen.
pub(crate) fn links(namespace: Option<&Path>) -> Option<Vec<Link>> {
    let links = Link::all(namespace);
    links
        .inspect_err(|error| log::info!("bridges are not looked at: {error}"))
        .ok()
}
