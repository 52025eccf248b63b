//! Sizes of packets, and the log of what is refused.

use palisade_core::network::{LogRefused, MssClamp, Mtu, SegmentSize, SizeError};

use super::table::FieldTable;
use super::value::{Content, FieldValue};
use crate::span::Spanned;
use crate::spanned_fault::{AtSpan, SpannedFault};
use crate::value_fault::ValueFault;
use crate::vocabulary::TableKind;

/// Reads the field `mtu`.
pub(super) fn mtu(table: &FieldTable<'_>) -> Result<Option<Mtu>, SpannedFault> {
    let mtu = table.field("mtu");
    mtu.map(|value| bytes("mtu", "a number", value, Mtu::new))
        .transpose()
}

/// Reads the field `mss_clamp`: `true` for the route's MTU, or a number of bytes.
pub(super) fn mss_clamp(table: &FieldTable<'_>) -> Result<Option<Spanned<MssClamp>>, SpannedFault> {
    let Some(value) = table.field("mss_clamp") else {
        return Ok(None);
    };
    let clamp = match value.content {
        Content::Boolean(false) => return Ok(None),
        Content::Boolean(true) => MssClamp::RouteMtu,
        _ => MssClamp::Size(bytes(
            "mss_clamp",
            "true or a number",
            value,
            SegmentSize::new,
        )?),
    };
    Ok(Some(Spanned::new(clamp, value.span)))
}

/// Reads the field `log`: `true`, or a table.
pub(super) fn log(table: &FieldTable<'_>) -> Result<Option<Spanned<LogRefused>>, SpannedFault> {
    let Some(value) = table.field("log") else {
        return Ok(None);
    };
    let log = match value.content {
        Content::Boolean(false) => return Ok(None),
        Content::Boolean(true) => LogRefused::default(),
        Content::Table(_) => {
            let table = FieldTable::new("log", value)?;
            table.check_fields(TableKind::Log)?;
            let prefix = table.text("prefix")?;
            let rate = table.text("rate")?;
            let prefix = prefix.map(|prefix| prefix.parsed(ValueFault::Log));
            let rate = rate.map(|rate| rate.parsed(ValueFault::Log));
            LogRefused {
                prefix: prefix.transpose()?.map(|prefix| prefix.value),
                rate: rate.transpose()?.map(|rate| rate.value).unwrap_or_default(),
                group: table.field("group").map(group).transpose()?,
            }
        }
        _ => return Err(value.wrong_type("log", "true, false or a table")),
    };
    Ok(Some(Spanned::new(log, value.span)))
}

fn group(value: &FieldValue<'_>) -> Result<u16, SpannedFault> {
    match value.content {
        Content::Integer(group) => {
            u16::try_from(group).map_err(|_| ValueFault::Group(group.to_string()).at(value.span))
        }
        _ => Err(value.wrong_type("group", "a number")),
    }
}

fn bytes<T>(
    field: &'static str,
    expected: &'static str,
    value: &FieldValue<'_>,
    size: impl FnOnce(u16) -> Result<T, SizeError>,
) -> Result<T, SpannedFault> {
    let Content::Integer(number) = value.content else {
        return Err(value.wrong_type(field, expected));
    };
    let bytes =
        u16::try_from(number).map_err(|_| ValueFault::Bytes(number.to_string()).at(value.span))?;
    size(bytes).map_err(|error| ValueFault::Size(error).at(value.span))
}
