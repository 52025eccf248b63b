//! Ranges: `"1024-65535"`, a single value, or a table of both ends.

use std::net::Ipv4Addr;

use palisade_core::network::{AddressRange, PortRange};

use super::fault::FieldFault;
use super::table::FieldTable;
use super::value::{Content, FieldValue};
use crate::spanned_fault::{AtSpan, SpannedFault};
use crate::value_fault::ValueFault;
use crate::vocabulary::TableKind;

/// Reads the field `ports`.
pub(super) fn ports(value: &FieldValue<'_>) -> Result<PortRange, SpannedFault> {
    let (start, end) = ends("ports", value, port)?;
    PortRange::new(start, end).map_err(|error| ValueFault::Range(error).at(value.span))
}

/// Reads the field `addresses`.
pub(super) fn addresses(value: &FieldValue<'_>) -> Result<AddressRange, SpannedFault> {
    let (start, end) = ends("addresses", value, address)?;
    AddressRange::new(start, end).map_err(|error| ValueFault::Range(error).at(value.span))
}

fn ends<T: Copy>(
    field: &'static str,
    value: &FieldValue<'_>,
    read: impl Fn(&str) -> Result<T, ValueFault>,
) -> Result<(T, T), SpannedFault> {
    let one = |end: &FieldValue<'_>| -> Result<T, SpannedFault> {
        let read = match &end.content {
            Content::Text(text) => read(text.trim()),
            Content::Integer(number) => read(&number.to_string()),
            _ => return Err(end.wrong_type(field, "a range")),
        };
        read.map_err(|fault| fault.at(end.span))
    };
    match &value.content {
        Content::Text(text) => match text.split_once('-') {
            Some((start, end)) => {
                let end = read(end.trim()).map_err(|fault| fault.at(value.span))?;
                let start = read(start.trim()).map_err(|fault| fault.at(value.span))?;
                Ok((start, end))
            }
            None => one(value).map(|end| (end, end)),
        },
        Content::Table(_) => {
            let table = FieldTable::new(field, value)?;
            table.check_fields(TableKind::Range)?;
            let end = |field| {
                let missing = || FieldFault::Missing { field }.at(value.span);
                one(table.field(field).ok_or_else(missing)?)
            };
            Ok((end("start")?, end("end")?))
        }
        _ => one(value).map(|end| (end, end)),
    }
}

fn port(text: &str) -> Result<u16, ValueFault> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let port = text.parse().ok().filter(|_| digits);
    port.ok_or_else(|| ValueFault::Port(text.to_owned()))
}

fn address(text: &str) -> Result<Ipv4Addr, ValueFault> {
    text.parse().map_err(|_| ValueFault::Ipv4(text.to_owned()))
}
