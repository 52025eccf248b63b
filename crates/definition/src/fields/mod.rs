//! Networks as TOML and JSON: one flat table of fields for each network.
//!
//! Both formats become the same [`FieldValue`]s with their places, and one reader takes them from
//! there, so that both formats accept and refuse the same.

mod fault;
mod forward;
#[cfg(feature = "json")]
mod json;
mod range;
mod table;
#[cfg(feature = "toml")]
mod toml;
mod traffic;
mod value;

use palisade_core::network::Subnet;

pub use fault::FieldFault;

use super::draft::{Mode, NatDraft, NetworkDraft};
use super::nearest::nearest;
use super::span::Spanned;
use super::spanned_fault::{AtSpan, SpannedFault};
use super::value_fault::ValueFault;
use super::vocabulary::{LIST, TableKind};
use table::FieldTable;
use value::{Content, FieldValue};

/// Reads the networks of a TOML text.
#[cfg(feature = "toml")]
pub(super) fn read_toml(text: &str) -> Result<Vec<NetworkDraft>, SpannedFault> {
    networks(&toml::parse(text)?)
}

/// Reads the networks of a JSON text.
#[cfg(feature = "json")]
pub(super) fn read_json(text: &str) -> Result<Vec<NetworkDraft>, SpannedFault> {
    networks(&json::parse(text)?)
}

/// One network at the top, a list of them, or a list in the field `network`.
fn networks(top: &FieldValue<'_>) -> Result<Vec<NetworkDraft>, SpannedFault> {
    match &top.content {
        Content::List(list) => list.iter().map(network).collect(),
        Content::Table(entries) if entries.iter().any(|entry| entry.key == LIST) => {
            let table = FieldTable::new("the definition", top)?;
            table.check_fields(TableKind::Definition)?;
            let list = table.list(LIST)?.unwrap_or_default();
            list.iter().map(network).collect()
        }
        _ => Ok(vec![network(top)?]),
    }
}

fn network(value: &FieldValue<'_>) -> Result<NetworkDraft, SpannedFault> {
    let table = FieldTable::new("a network", value)?;
    table.check_fields(TableKind::Network)?;
    let required = |field| {
        let missing = || FieldFault::Missing { field }.at(value.span);
        table.text(field)?.ok_or_else(missing)
    };
    let name = required("name")?.parsed(ValueFault::Name)?;
    let zone = table
        .text("zone")?
        .map(|zone| zone.parsed(ValueFault::Zone));
    let interface = |field| {
        let name = table.text(field)?;
        name.map(|name| name.parsed(ValueFault::Interface))
            .transpose()
    };
    let (dhcp, tftp) = (table.is_true("dhcp")?, table.is_true("tftp")?);
    Ok(NetworkDraft {
        whole: value.span,
        no_bridge: value.span,
        addresses: Vec::new(),
        name,
        bridge: interface("bridge")?,
        zone: zone.transpose()?,
        mtu: traffic::mtu(&table)?,
        mode: mode(&table)?,
        device: interface("device")?,
        nat: nat(&table)?,
        subnets: subnets(&table)?,
        ipv6: table.is_true("ipv6")?.is_some(),
        dhcp: dhcp.map(|span| Spanned::new("`dhcp`", span)),
        tftp: tftp.map(|span| Spanned::new("`tftp`", span)),
        isolated_ports: table.is_true("isolated_ports")?.is_some(),
        mss_clamp: traffic::mss_clamp(&table)?,
        forwards: forward::forwards(&table)?,
        log: traffic::log(&table)?,
        warnings: Vec::new(),
    })
}

fn mode(table: &FieldTable<'_>) -> Result<Spanned<Mode>, SpannedFault> {
    let Some(Spanned { value, span }) = table.text("mode")? else {
        return Ok(Spanned::new(Mode::Isolated, table.span));
    };
    let mode = match value {
        "isolated" => Some(Mode::Isolated),
        name => Mode::from_name(name),
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
    Ok(Spanned::new(mode.ok_or_else(unknown)?, span))
}

fn nat(table: &FieldTable<'_>) -> Result<NatDraft, SpannedFault> {
    // The defaults are valid in every mode.
    let nat_ipv6 = table.is_true("nat_ipv6")?;
    let not_between = table.is_false("nat_between_networks")?;
    let (addresses, ports) = (table.field("addresses"), table.field("ports"));
    let at = |what, value: &FieldValue<'_>| Spanned::new(what, value.span);
    let nat_only = addresses
        .map(|value| at("`addresses`", value))
        .or_else(|| ports.map(|value| at("`ports`", value)))
        .or_else(|| nat_ipv6.map(|span| Spanned::new("`nat_ipv6`", span)))
        .or_else(|| not_between.map(|span| Spanned::new("`nat_between_networks`", span)));
    Ok(NatDraft {
        nat_only,
        addresses: addresses.map(range::addresses).transpose()?,
        ports: ports.map(range::ports).transpose()?,
        ipv6: nat_ipv6.is_some(),
        between_networks: not_between.is_none(),
    })
}

fn subnets(table: &FieldTable<'_>) -> Result<Vec<Spanned<Subnet>>, SpannedFault> {
    let list = table.list("subnets")?.unwrap_or_default();
    list.iter()
        .map(|value| {
            value
                .text("subnets", "a list of strings")?
                .parsed(ValueFault::Subnet)
        })
        .collect()
}
