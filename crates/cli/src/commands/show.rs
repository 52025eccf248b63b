//! `show`: one network.

use anstyle::Style;
use palisade::network::{Established, Family, Forward, Name};
use palisade::rules::RuleKind;
use palisade::words::shown;
use palisade::{ActionState, ErrorKind, Firewall, ShowError, Shown, ShownAction, Standing};
use serde_json::json;

use super::counters::{self, packets_and_bytes};
use super::list::{since, state, subnets, summary};
use super::particulars::particulars;
use crate::failure::Failure;
use crate::output::{Outcome, table};

const HEAD: Style = Style::new().bold();

pub(super) fn show(firewall: &mut Firewall, name: &str) -> Result<Outcome, Failure> {
    let Ok(name) = name.parse::<Name>() else {
        return Err(Failure::new(
            ErrorKind::UnknownNetwork,
            format!("no network named `{}` is running", shown(name)),
            "`palisade list` names those that run",
        ));
    };
    let shown = firewall
        .show(&name)
        .map_err(|error: ShowError| Failure::from(error))?;
    let mut json = summary(&shown.record);
    json["definition"] = json!(shown.record.network);
    json["installed"] = json!(shown.standing);
    let bridge = shown.bridge.as_ref();
    json["bridge_state"] = json!(bridge.map(|bridge| bridge.state));
    json["ports"] = json!(bridge.map_or(&[][..], |bridge| &bridge.ports));
    json["counters"] = json!(counters::json(&shown.counters));
    json["omitted"] = json!(shown.omitted);
    json["host"] = json!(shown.actions);
    Ok(Outcome::new(text(&shown), &json))
}

fn text(shown: &Shown) -> String {
    let record = &shown.record;
    let network = &record.network;
    let mut text = format!("{HEAD}network {}{HEAD:#}\n", network.name());
    let mut line = |label: &str, value: String| {
        if !value.is_empty() {
            text.push_str(&format!("  {label:<10}{value}\n"));
        }
    };
    let bridge = shown.bridge.as_ref().map_or(String::new(), |bridge| {
        let ports = match bridge.ports.as_slice() {
            [] => String::new(),
            ports => format!(", with {}", ports.join(", ")),
        };
        format!(" ({}{ports})", state(bridge))
    });
    line(
        "bridge",
        network
            .bridge()
            .map_or(String::new(), |name| format!("{name}{bridge}")),
    );
    line("mode", network.forward().to_string());
    line(
        "device",
        network
            .forward()
            .device()
            .map_or(String::new(), ToString::to_string),
    );
    line("subnets", subnets(network));
    if let Forward::Nat(nat) = network.forward() {
        let addresses = nat
            .addresses
            .map_or("the device's address".to_owned(), |a| a.to_string());
        let ipv6 = if nat.ipv6 { ", IPv6 too" } else { "" };
        line("nat", format!("to {addresses}, ports {}{ipv6}", nat.ports));
    }
    for (label, value) in particulars(network) {
        line(label, value);
    }
    let blocked: Vec<String> = network.blocked().iter().map(ToString::to_string).collect();
    line("blocked", blocked.join(", "));
    line("placed", record.placement.to_string());
    line("flows", flows(shown).to_owned());
    line("why", record.why.clone());
    line("since", since(record));
    for counters in &shown.counters {
        let counted = counters.traffic.iter();
        let mut counted: Vec<String> = counted
            .filter(|(_, counted)| counted.packets > 0)
            .map(|(traffic, counted)| format!("{traffic} {}", packets_and_bytes(*counted)))
            .collect();
        let connections = counters.nat_connections.filter(|&count| count > 0);
        counted.extend(connections.map(|count| format!("{count} connections with NAT")));
        line(&counters.family.to_string(), counted.join("; "));
    }
    for family in Family::BOTH {
        let of_family: Vec<&Standing> = shown
            .standing
            .iter()
            .filter(|s| s.family == family)
            .collect();
        if !of_family.is_empty() {
            text.push_str(&format!("\n{HEAD}{family}{HEAD:#}\n"));
            text.push_str(&standing(&of_family));
        }
    }
    if !shown.actions.is_empty() {
        text.push_str(&format!("\n{HEAD}on the host{HEAD:#}\n"));
        for action in &shown.actions {
            text.push_str(&format!("  {}{}\n", action.text, action_state(action)));
        }
    }
    if !shown.omitted.is_empty() {
        text.push_str(&format!("\n{HEAD}not installed{HEAD:#}\n"));
        for omitted in &shown.omitted {
            let (family, purpose, reason) = (omitted.family, omitted.purpose, omitted.reason);
            text.push_str(&format!("  {purpose} ({family}): {reason}\n"));
        }
    }
    text
}

fn action_state(action: &ShownAction) -> String {
    match (action.state, &action.action.omitted) {
        (_, Some(reason)) => format!(": not in effect: {reason}"),
        (ActionState::Active | ActionState::Omitted, None) => String::new(),
        (ActionState::Missing, None) => ": MISSING".to_owned(),
        (ActionState::Waiting, None) => {
            ": when the bridge, or the service that does it, is there".to_owned()
        }
        (ActionState::Unknown, None) => ": unknown to this build".to_owned(),
    }
}

/// What is to be said of packets of known flows, where they do not wait for their turn.
fn flows(shown: &Shown) -> &'static str {
    let accepts = |s: &&Standing| s.purpose.is_some_and(RuleKind::is_shortcut);
    let mut accepting = shown.standing.iter().filter(accepts).peekable();
    if shown.record.network.established() == Established::InTurn {
        ""
    } else if accepting.peek().is_none() {
        "known ones would be accepted first, but nothing is forwarded"
    } else if accepting.clone().any(|standing| standing.missing) {
        "known ones are not all accepted first, since what does so is missing"
    } else if accepting.any(|standing| standing.counter.is_some()) {
        "known ones are accepted first"
    } else {
        "known ones are accepted first, and not counted"
    }
}

pub(super) fn standing(all: &[&Standing]) -> String {
    let rows = all.iter().map(|standing| {
        let counted = match (standing.missing, standing.counter) {
            (true, _) => "MISSING".to_owned(),
            (false, Some(counted)) => {
                format!("{} packets, {} bytes", counted.packets, counted.bytes)
            }
            (false, None) => String::new(),
        };
        vec![
            standing
                .purpose
                .map_or(String::new(), |purpose| purpose.to_string()),
            standing.place.clone(),
            standing.text.clone(),
            counted,
        ]
    });
    table(&["PURPOSE", "IN", "RULE OR ELEMENT", "COUNTED"], rows)
}
