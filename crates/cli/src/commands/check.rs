//! `check` and `render`: what touches nothing.

use palisade::network::Family;
use palisade::{Choice, HostNote, Network, render as render_networks};
use serde_json::json;

use super::change::NOTE;
use super::list::subnets;
use super::particulars::particulars;
use crate::arguments::{OutputFormat, RenderedFamily};
use crate::failure::Failure;
use crate::output::Outcome;

pub(super) fn check(networks: &[Network]) -> Outcome {
    let mut text = String::new();
    if networks.is_empty() {
        // Whoever named the wrong directory shall notice.
        text.push_str("ok: no networks\n");
    }
    for network in networks {
        let bridge = network
            .bridge()
            .map_or(String::new(), |bridge| format!(" on {bridge}"));
        let (name, mode) = (network.name(), network.forward());
        let subnets = match subnets(network) {
            none if none.is_empty() => none,
            some => format!(", {some}"),
        };
        text.push_str(&format!("ok: network {name}: {mode}{bridge}{subnets}\n"));
        for (label, value) in particulars(network) {
            text.push_str(&format!("  {label:<10}{value}\n"));
        }
    }
    let notes = networks.iter().filter_map(HostNote::of_definition);
    let notes: Vec<String> = notes.map(|note| note.to_string()).collect();
    for note in &notes {
        text.push_str(&format!("{NOTE}note:{NOTE:#} {note}\n"));
    }
    Outcome::new(text, &json!({ "networks": networks, "notes": notes }))
}

pub(super) fn render(
    networks: &[Network],
    choice: &Choice,
    family: Option<RenderedFamily>,
    format: OutputFormat,
) -> Result<Outcome, Failure> {
    let family = family.map(|family| match family {
        RenderedFamily::Ipv4 => Family::Ipv4,
        RenderedFamily::Ipv6 => Family::Ipv6,
    });
    let text = render_networks(networks, choice, family)?;
    let mut json = json!({ "text": text });
    if format == OutputFormat::Json {
        let asked = |it: &Family| family.is_none_or(|family| family == *it);
        for family in Family::BOTH.into_iter().filter(asked) {
            json[family.to_string()] = json!(render_networks(networks, choice, Some(family))?);
        }
    }
    Ok(Outcome::new(text, &json))
}
