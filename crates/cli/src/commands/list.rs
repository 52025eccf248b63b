//! `list`: the running networks.

use palisade::{Network, Record};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::output::{Outcome, table};

pub(super) fn list(records: &[Record]) -> Result<Outcome, Failure> {
    if records.is_empty() {
        return Ok(Outcome::new(
            "no networks are running\n".to_owned(),
            &Value::Array(vec![]),
        ));
    }
    let head = [
        "NAME", "BRIDGE", "MODE", "SUBNETS", "BACKEND", "LAYOUT", "SINCE",
    ];
    let rows = records.iter().map(|record| {
        let network = &record.network;
        vec![
            network.name().to_string(),
            network
                .bridge()
                .map_or_else(|| "-".to_owned(), ToString::to_string),
            network.forward().to_string(),
            or_dash(subnets(network)),
            record.placement.backend.clone(),
            or_dash(
                record
                    .placement
                    .setting("layout")
                    .unwrap_or_default()
                    .to_owned(),
            ),
            since(record),
        ]
    });
    let json: Vec<Value> = records.iter().map(summary).collect();
    Ok(Outcome::new(table(&head, rows), &json))
}

/// What every listing of a network has.
pub(super) fn summary(record: &Record) -> Value {
    let network = &record.network;
    json!({
        "name": network.name(),
        "bridge": network.bridge(),
        "mode": network.forward().mode(),
        "subnets": network.subnets(),
        "backend": record.placement.backend,
        "layout": record.placement.setting("layout"),
        "table": record.placement.setting("table"),
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
