//! `list`: the running networks.

use palisade::{Bridge, BridgeState, Counted, Network, Overview, Record};
use serde_json::{Value, json};

use super::counters::packets_and_bytes;
use crate::arguments::{ListColumn, Listed};
use crate::failure::Failure;
use crate::fitted::{Column, fitted};
use crate::output::{Outcome, wide_table};

/// The columns from left to right.
const COLUMNS: [(ListColumn, Column); 15] = [
    (ListColumn::Name, Column::kept("NAME")),
    (ListColumn::State, Column::kept("STATE")),
    (ListColumn::Bridge, Column::dropped("BRIDGE", 7)),
    (ListColumn::Ports, Column::dropped("PORTS", 0)),
    (ListColumn::Mode, Column::dropped("MODE", 8)),
    (ListColumn::Subnets, Column::kept("SUBNETS")),
    (ListColumn::Forwards, Column::dropped("FORWARDS", 4)),
    (ListColumn::Blocked, Column::dropped("BLOCKED", 9)),
    (ListColumn::Backend, Column::dropped("BACKEND", 2)),
    (ListColumn::Layout, Column::dropped("LAYOUT", 1)),
    (ListColumn::Table, Column::dropped("TABLE", 0)),
    (ListColumn::Out, Column::dropped("OUT", 6)),
    (ListColumn::In, Column::dropped("IN", 5)),
    (ListColumn::Owner, Column::dropped("OWNER", 0)),
    (ListColumn::Since, Column::dropped("SINCE", 3)),
];

pub(super) fn list(networks: &[Overview], listed: &Listed) -> Result<Outcome, Failure> {
    let json: Vec<Value> = networks.iter().map(glance).collect();
    let text = if networks.is_empty() {
        "no networks are running\n".to_owned()
    } else {
        text(networks, listed)
    };
    Ok(Outcome::new(text, &json))
}

fn text(networks: &[Overview], listed: &Listed) -> String {
    let is_usual = |column: ListColumn| match column {
        ListColumn::Forwards => networks.iter().any(|overview| forwards(overview) > 0),
        ListColumn::Blocked => networks.iter().any(|overview| blocked(overview) > 0),
        ListColumn::Table | ListColumn::Owner => listed.wide,
        _ => true,
    };
    let columns: Vec<(ListColumn, Column)> = if listed.columns.is_empty() {
        let usual = COLUMNS.into_iter();
        usual.filter(|&(column, _)| is_usual(column)).collect()
    } else {
        let chosen = listed.columns.iter();
        let of = |chosen: &ListColumn| COLUMNS.into_iter().find(|(column, _)| column == chosen);
        chosen.filter_map(of).collect()
    };
    let cells = |overview| {
        columns
            .iter()
            .map(move |&(column, _)| cell(overview, column))
    };
    let rows = networks.iter().map(|overview| cells(overview).collect());
    if listed.wide || !listed.columns.is_empty() {
        let heads: Vec<&str> = columns.iter().map(|(_, column)| column.head).collect();
        return wide_table(&heads, rows);
    }
    let columns: Vec<Column> = columns.iter().map(|&(_, column)| column).collect();
    fitted(&columns, rows.collect())
}

fn cell(overview: &Overview, column: ListColumn) -> String {
    let Overview {
        record,
        bridge,
        traffic,
        state,
    } = overview;
    let network = &record.network;
    let setting = |name| {
        record
            .placement
            .setting(name)
            .unwrap_or_default()
            .to_owned()
    };
    let text = match column {
        ListColumn::Name => network.name().to_string(),
        ListColumn::State => state.words().to_owned(),
        ListColumn::Bridge => network
            .bridge()
            .map_or_else(String::new, ToString::to_string),
        ListColumn::Ports => bridge
            .as_ref()
            .map_or_else(String::new, |bridge| bridge.ports.join(", ")),
        ListColumn::Mode => network.forward().to_string(),
        ListColumn::Subnets => subnets(network),
        ListColumn::Forwards => some(forwards(overview)),
        ListColumn::Blocked => some(blocked(overview)),
        ListColumn::Backend => record.placement.backend.to_string(),
        ListColumn::Layout => setting("layout"),
        ListColumn::Table => setting("table"),
        ListColumn::Owner => record.owner.to_string(),
        ListColumn::Out => packets(traffic.map(|sums| sums.out)),
        ListColumn::In => packets(traffic.map(|sums| sums.incoming)),
        ListColumn::Since => since(record),
    };
    if text.is_empty() {
        "-".to_owned()
    } else {
        text
    }
}

fn forwards(overview: &Overview) -> usize {
    overview.record.network.port_forwards().len()
}

fn blocked(overview: &Overview) -> usize {
    overview.record.network.blocked().len()
}

fn some(count: usize) -> String {
    match count {
        0 => String::new(),
        count => count.to_string(),
    }
}

fn packets(counted: Option<Counted>) -> String {
    counted.map_or_else(String::new, packets_and_bytes)
}

fn glance(overview: &Overview) -> Value {
    let mut json = summary(&overview.record);
    let bridge = overview.bridge.as_ref();
    json["state"] = json!(overview.state);
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

/// What every listing of a network has.
pub(super) fn summary(record: &Record) -> Value {
    let network = &record.network;
    json!({
        "name": network.name(),
        "bridge": network.bridge(),
        "mode": network.forward().mode(),
        "subnets": network.subnets(),
        "forwards": network.port_forwards(),
        "blocked": network.blocked(),
        "owner": record.owner,
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
