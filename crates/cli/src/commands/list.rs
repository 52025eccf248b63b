//! `list`: the running networks.

use palisade::{Bridge, BridgeState, Counted, Network, Overview, Record};
use serde_json::{Value, json};

use super::counters::packets_and_bytes;
use crate::failure::Failure;
use crate::output::{Outcome, table};

pub(super) fn list(networks: &[Overview]) -> Result<Outcome, Failure> {
    if networks.is_empty() {
        return Ok(Outcome::new(
            "no networks are running\n".to_owned(),
            &Value::Array(vec![]),
        ));
    }
    let mut head = vec![
        "NAME", "BRIDGE", "STATE", "PORTS", "MODE", "SUBNETS", "BACKEND", "LAYOUT", "OUT", "IN",
        "SINCE",
    ];
    let forwards = |overview: &Overview| overview.record.network.port_forwards().len();
    let has_forwards = networks.iter().any(|overview| forwards(overview) > 0);
    if has_forwards {
        head.push("FORWARDS");
    }
    let rows = networks.iter().map(|overview| {
        let record = &overview.record;
        let network = &record.network;
        let bridge = overview.bridge.as_ref();
        let mut row = vec![
            network.name().to_string(),
            network
                .bridge()
                .map_or_else(|| "-".to_owned(), ToString::to_string),
            bridge.map_or_else(|| "-".to_owned(), |bridge| state(bridge).to_owned()),
            or_dash(bridge.map_or_else(String::new, |bridge| bridge.ports.join(", "))),
            network.forward().to_string(),
            or_dash(subnets(network)),
            record.placement.backend.to_string(),
            or_dash(
                record
                    .placement
                    .setting("layout")
                    .unwrap_or_default()
                    .to_owned(),
            ),
            traffic(overview.traffic.map(|sums| sums.out)),
            traffic(overview.traffic.map(|sums| sums.incoming)),
            since(record),
        ];
        if has_forwards {
            row.push(match forwards(overview) {
                0 => "-".to_owned(),
                count => count.to_string(),
            });
        }
        row
    });
    let json: Vec<Value> = networks.iter().map(glance).collect();
    Ok(Outcome::new(table(&head, rows), &json))
}

fn glance(overview: &Overview) -> Value {
    let mut json = summary(&overview.record);
    let bridge = overview.bridge.as_ref();
    json["bridge_state"] = json!(bridge.map(|bridge| bridge.state));
    json["ports"] = json!(bridge.map_or(&[][..], |bridge| &bridge.ports));
    json["traffic"] = json!(overview.traffic);
    json
}

pub(super) fn state(bridge: &Bridge) -> &'static str {
    match bridge.state {
        BridgeState::Missing => "missing",
        BridgeState::Down => "down",
        BridgeState::Up => "up",
    }
}

fn traffic(counted: Option<Counted>) -> String {
    counted.map_or_else(|| "-".to_owned(), packets_and_bytes)
}

/// What every listing of a network has.
pub(super) fn summary(record: &Record) -> Value {
    let network = &record.network;
    json!({
        "name": network.name(),
        "bridge": network.bridge(),
        "mode": network.forward().mode(),
        "subnets": network.subnets(),
        "forwards": network.port_forwards(),
        "backend": record.placement.backend,
        "layout": record.placement.setting("layout"),
        "table": record.placement.setting("table"),
        "established": network.established().name(),
        "programs": record.placement.setting("programs"),
        "why": record.why,
        "since": since(record),
    })
}

pub(super) fn subnets(network: &Network) -> String {
    let subnets: Vec<String> = network.subnets().iter().map(ToString::to_string).collect();
    subnets.join(", ")
}

/// RFC 3339, to the second.
pub(super) fn since(record: &Record) -> String {
    format!("{:.0}", record.since)
}

fn or_dash(text: String) -> String {
    if text.is_empty() {
        "-".to_owned()
    } else {
        text
    }
}
