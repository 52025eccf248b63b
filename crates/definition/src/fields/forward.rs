//! Port forwards: `"tcp 8080 -> 192.168.122.10:80"`, or a table.

use std::str::FromStr;

use palisade_core::network::{ForwardProtocol, PortForward, PortForwardError};

use super::fault::FieldFault;
use super::table::FieldTable;
use super::value::{Content, FieldValue};
use crate::span::Spanned;
use crate::spanned_fault::{AtSpan, SpannedFault};
use crate::value_fault::ValueFault;
use crate::vocabulary::TableKind;

/// Reads the field `forwards`.
pub(super) fn forwards(table: &FieldTable<'_>) -> Result<Vec<Spanned<PortForward>>, SpannedFault> {
    let list = table.list("forwards")?.unwrap_or_default();
    list.iter().map(forward).collect()
}

fn forward(value: &FieldValue<'_>) -> Result<Spanned<PortForward>, SpannedFault> {
    match &value.content {
        Content::Table(_) => {
            let table = FieldTable::new("a forward", value)?;
            Ok(Spanned::new(from_table(&table, value)?, value.span))
        }
        _ => value
            .text("forwards", "a list of strings and tables")?
            .parsed(ValueFault::Forward),
    }
}

fn from_table(table: &FieldTable<'_>, value: &FieldValue<'_>) -> Result<PortForward, SpannedFault> {
    table.check_fields(TableKind::Forward)?;
    let required = |field| {
        let missing = || FieldFault::Missing { field }.at(value.span);
        table.field(field).ok_or_else(missing)
    };
    let protocol: Spanned<ForwardProtocol> = required("protocol")?
        .text("protocol", "a string")?
        .parsed(ValueFault::Forward)?;
    let listen = end("listen", required("listen")?)?;
    let to = end("to", required("to")?)?;
    let forward = PortForward::new(protocol.value, listen, to)
        .map_err(|error| ValueFault::Forward(error).at(value.span))?;
    let Some(from) = table.field("from") else {
        return Ok(forward);
    };
    let mut sources = Vec::new();
    let list = match &from.content {
        Content::Text(_) => std::slice::from_ref(from),
        _ => table.list("from")?.unwrap_or_default(),
    };
    for source in list {
        let Spanned { value: text, span } = source.text("from", "a string or a list of strings")?;
        let subnet = PortForward::parse_source(text);
        sources.push(subnet.map_err(|error| ValueFault::Forward(error).at(span))?);
    }
    forward
        .with_sources(sources)
        .map_err(|error| ValueFault::Forward(error).at(from.span))
}

/// One end: text, or a port as a number.
fn end<T: FromStr<Err = PortForwardError>>(
    field: &'static str,
    value: &FieldValue<'_>,
) -> Result<T, SpannedFault> {
    let parsed = match &value.content {
        Content::Text(text) => text.trim().parse(),
        Content::Integer(port) => port.to_string().parse(),
        _ => return Err(value.wrong_type(field, "a port or a string")),
    };
    parsed.map_err(|error| ValueFault::Forward(error).at(value.span))
}
