//! What rules ask of packets, in nft syntax.

use std::fmt;

use super::super::value::{write_hex, write_value, zero_ended};
use super::super::{Field, Match, Origin, Redirect, Test, quoted};
use super::context::Context;
use super::fib;
use super::field::{EndName, Named, known};
use crate::object::{Comparison, DataType, MetaKey};

pub(super) fn write(f: &mut fmt::Formatter<'_>, matching: &Match, context: Context) -> fmt::Result {
    let (set, not) = match &matching.test {
        Test::Between(first, last) => return write_range(f, matching, context, "", (first, last)),
        Test::NotBetween(first, last) => {
            return write_range(f, matching, context, "!= ", (first, last));
        }
        Test::Compare(operator, value) => {
            return match matching.fields.as_slice() {
                [field] => write_comparison(f, field, *operator, value, context),
                _ => f.write_str("[compares several fields at once]"),
            };
        }
        Test::In(set) => (set, ""),
        Test::NotIn(set) => (set, "!= "),
    };
    write_fields(f, &matching.fields, context)?;
    // `nft` wants an operator behind a mask that ends the left side.
    let masked = matching.fields.len() == 1 && matching.fields[0].mask.is_some();
    let not = if masked && not.is_empty() { "== " } else { not };
    write!(f, " {not}@{set}")
}

/// `dnat to FIELD . FIELD map @map`.
pub(super) fn write_redirect(
    f: &mut fmt::Formatter<'_>,
    redirect: &Redirect,
    context: Context,
) -> fmt::Result {
    f.write_str("dnat to ")?;
    write_fields(f, &redirect.fields, context)?;
    write!(f, " map @{}", redirect.map)
}

fn write_fields(f: &mut fmt::Formatter<'_>, fields: &[Field], context: Context) -> fmt::Result {
    for (i, field) in fields.iter().enumerate() {
        let dot = if i > 0 { " . " } else { "" };
        write!(f, "{dot}{}", Named { field, context })?;
    }
    Ok(())
}

fn write_range(
    f: &mut fmt::Formatter<'_>,
    matching: &Match,
    context: Context,
    not: &str,
    (first, last): (&[u8], &[u8]),
) -> fmt::Result {
    let [field] = matching.fields.as_slice() else {
        return f.write_str("[a range of several fields at once]");
    };
    write!(f, "{} {not}", Named { field, context })?;
    write_plain(f, field, context, first)?;
    f.write_str("-")?;
    write_plain(f, field, context, last)
}

/// A value of a field, as it would be compared with.
fn write_plain(
    f: &mut fmt::Formatter<'_>,
    field: &Field,
    context: Context,
    value: &[u8],
) -> fmt::Result {
    let is_address = field.origin.address_of(context.header()).is_some();
    match (is_address, value.len(), known(field.origin, context)) {
        (true, 4, _) => write_value(f, DataType::IPV4_ADDR, value),
        (true, 16, _) => write_value(f, DataType::IPV6_ADDR, value),
        (_, _, Some((_, format))) => format.write(f, value),
        _ => write_hex(f, value),
    }
}

fn write_comparison(
    f: &mut fmt::Formatter<'_>,
    field: &Field,
    operator: Comparison,
    value: &[u8],
    context: Context,
) -> fmt::Result {
    if let (Origin::Fib(flags, result), None) = (field.origin, &field.mask)
        && let Some(text) = fib::text(flags, result, operator, value)
    {
        return f.write_str(&text);
    }
    let named = Named {
        field: &Field {
            origin: field.origin,
            mask: None,
        },
        context,
    };
    let not = if operator == Comparison::Equal {
        String::new()
    } else {
        format!("{operator} ")
    };
    if field.origin.address_of(context.header()).is_some() {
        return match field.prefix(context.header(), value) {
            Some((end, address, prefix)) => {
                write!(f, "{} {not}{address}", EndName { context, end })?;
                let whole = Origin::address(context.header(), end).width() * 8;
                if u32::from(prefix) < whole {
                    write!(f, "/{prefix}")
                } else {
                    Ok(())
                }
            }
            None => write_raw(f, &Named { field, context }, operator, value),
        };
    }
    match (field.origin, &field.mask, known(field.origin, context)) {
        (Origin::Meta(MetaKey::IIFNAME | MetaKey::OIFNAME), None, _) => {
            // A comparison of fewer than 16 bytes is one of the name's beginning, unless the zero
            // behind the name is among them.
            let beginning = value.len() < 16 && !value.ends_with(&[0]);
            let star = if beginning { "*" } else { "" };
            let name = format!("{}{star}", zero_ended(value));
            let name = quoted(&name);
            write!(f, "{named} {not}{name}")
        }
        (_, None, Some((_, format))) => {
            write!(f, "{named} {not}")?;
            format.write(f, value)
        }
        // One of these bits is set.
        (_, Some(mask), Some((_, format)))
            if format.is_bits()
                && operator == Comparison::NotEqual
                && value.iter().all(|&byte| byte == 0) =>
        {
            write!(f, "{named} ")?;
            format.write(f, mask)
        }
        (_, Some(_), Some((_, format))) if !format.is_bits() => {
            write!(f, "{} {operator} ", Named { field, context })?;
            format.write(f, value)
        }
        _ => write_raw(f, &Named { field, context }, operator, value),
    }
}

fn write_raw(
    f: &mut fmt::Formatter<'_>,
    named: &Named<'_>,
    operator: Comparison,
    value: &[u8],
) -> fmt::Result {
    write!(f, "{named} {operator} ")?;
    write_hex(f, value)
}
