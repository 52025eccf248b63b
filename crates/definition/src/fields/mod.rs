//! Networks as TOML and JSON: one flat table of fields for each network.
//!
//! Both formats become the same [`Value`]s, each with its place, and are read from there by one
//! reader: what one format takes or refuses, the other does too.

mod fault;
#[cfg(feature = "json")]
mod json;
mod range;
mod table;
#[cfg(feature = "toml")]
mod toml;
mod value;

pub use fault::FieldFault;

use super::draft::{Draft, Drawn, Mode, NatDraft};
use super::fault::ValueFault;
use super::nearest::nearest;
use super::place::{At, Placed, Problem};
use table::Table;
use value::{Kind, Value};

/// The fields of a network.
const FIELDS: [&str; 12] = [
    "name",
    "bridge",
    "zone",
    "mode",
    "device",
    "subnets",
    "ports",
    "addresses",
    "nat_ipv6",
    "ipv6",
    "dhcp",
    "tftp",
];

/// The field that holds several networks.
const LIST: &str = "network";

/// Reads the networks of a TOML text.
#[cfg(feature = "toml")]
pub(super) fn read_toml(text: &str) -> Result<Vec<Drawn>, Problem> {
    networks(&toml::parse(text)?)
}

/// Reads the networks of a JSON text.
#[cfg(feature = "json")]
pub(super) fn read_json(text: &str) -> Result<Vec<Drawn>, Problem> {
    networks(&json::parse(text)?)
}

/// One network at the top, a list of them, or a list in the field `network`.
fn networks(top: &Value<'_>) -> Result<Vec<Drawn>, Problem> {
    match &top.kind {
        Kind::List(list) => list.iter().map(network).collect(),
        Kind::Table(entries) if entries.iter().any(|entry| entry.key == LIST) => {
            let table = Table::new("the definition", top)?;
            table.check_fields(&[LIST], &FIELDS)?;
            let list = table.list(LIST)?.unwrap_or_default();
            list.iter().map(network).collect()
        }
        _ => Ok(vec![network(top)?]),
    }
}

fn network(value: &Value<'_>) -> Result<Drawn, Problem> {
    let table = Table::new("a network", value)?;
    table.check_fields(&FIELDS, &[LIST])?;
    let needed = |field| {
        let missing = || FieldFault::Missing { field }.at(value.span);
        table.text(field)?.ok_or_else(missing)
    };
    let name = needed("name")?.parsed(ValueFault::Name)?;
    let zone = table
        .text("zone")?
        .map(|zone| zone.parsed(ValueFault::Zone));
    let interface = |field| {
        let name = table.text(field)?;
        name.map(|name| name.parsed(ValueFault::Interface))
            .transpose()
    };
    let (dhcp, tftp) = (table.is_true("dhcp")?, table.is_true("tftp")?);
    Draft {
        whole: value.span,
        name,
        bridge: interface("bridge")?,
        zone: zone.transpose()?,
        mode: mode(&table)?,
        device: interface("device")?,
        nat: nat(&table)?,
        subnets: subnets(&table)?,
        ipv6: table.is_true("ipv6")?.is_some(),
        dhcp: dhcp.map(|span| At::new("`dhcp`", span)),
        tftp: tftp.map(|span| At::new("`tftp`", span)),
    }
    .network()
}

fn mode(table: &Table<'_>) -> Result<At<Mode>, Problem> {
    let Some(At { value, span }) = table.text("mode")? else {
        return Ok(At::new(Mode::Isolated, table.span));
    };
    let mode = match value {
        "isolated" => Some(Mode::Isolated),
        name => Mode::named(name),
    };
    let unknown = || {
        let mut modes = vec!["isolated"];
        modes.extend(Mode::NAMES);
        let hint = match nearest(value, &modes) {
            Some(mode) => format!("did you mean `{mode}`?"),
            None => format!("modes are {}", modes.join(", ")),
        };
        let (mode, hint) = (value.to_owned(), hint.into());
        ValueFault::Mode { mode, hint }.at(span)
    };
    Ok(At::new(mode.ok_or_else(unknown)?, span))
}

fn nat(table: &Table<'_>) -> Result<NatDraft, Problem> {
    // `nat_ipv6 = false` says what every other mode says too.
    let nat_ipv6 = table.is_true("nat_ipv6")?;
    let (addresses, ports) = (table.field("addresses"), table.field("ports"));
    let at = |what, value: &Value<'_>| At::new(what, value.span);
    let only = addresses
        .map(|value| at("`addresses`", value))
        .or_else(|| ports.map(|value| at("`ports`", value)))
        .or_else(|| nat_ipv6.map(|span| At::new("`nat_ipv6`", span)));
    Ok(NatDraft {
        only,
        addresses: addresses.map(range::addresses).transpose()?,
        ports: ports.map(range::ports).transpose()?,
        ipv6: nat_ipv6.is_some(),
    })
}

fn subnets(table: &Table<'_>) -> Result<Vec<At<palisade_core::network::Subnet>>, Problem> {
    let list = table.list("subnets")?.unwrap_or_default();
    list.iter()
        .map(|value| {
            value
                .text("subnets", "a list of strings")?
                .parsed(ValueFault::Subnet)
        })
        .collect()
}
