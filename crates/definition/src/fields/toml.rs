//! TOML as values with their places.

use ::toml::de::{DeTable, DeValue};

use super::fault::FieldFault;
use super::value::{Entry, Kind, MAX_DEPTH, Value};
use crate::from_toml::endless_key;
use crate::place::{Placed, Problem, Span};

/// Takes a whole text apart.
pub(super) fn parse(text: &str) -> Result<Value<'_>, Problem> {
    check_keys(text)?;
    let table = DeTable::parse(text).map_err(|error| {
        let span = error.span().map_or(Span::new(0, 0), Span::from);
        let message = error.message().to_owned();
        FieldFault::Toml { message }.at(span)
    })?;
    // The table of the whole text begins where its first key does.
    let table = table.into_inner();
    let first = table.keys().map(|key| Span::from(key.span()));
    let span = first
        .min_by_key(|span| span.start)
        .unwrap_or(Span::new(0, 0));
    Ok(Value {
        span,
        kind: kind(DeValue::Table(table), 0),
    })
}

fn check_keys(text: &str) -> Result<(), Problem> {
    match endless_key(text) {
        Some(span) => Err(FieldFault::KeyParts.at(span)),
        None => Ok(()),
    }
}

fn kind(value: DeValue<'_>, depth: usize) -> Kind<'_> {
    match value {
        DeValue::String(text) => Kind::Text(text),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Kind::Other("a number"), Kind::Integer),
        DeValue::Float(_) => Kind::Other("a number"),
        DeValue::Boolean(boolean) => Kind::Boolean(boolean),
        DeValue::Datetime(_) => Kind::Other("a date"),
        DeValue::Array(_) if depth == MAX_DEPTH => Kind::Other("a list"),
        DeValue::Table(_) if depth == MAX_DEPTH => Kind::Other("a table"),
        DeValue::Array(values) => {
            let values = values.into_iter().map(|value| {
                let span = Span::from(value.span());
                Value {
                    span,
                    kind: kind(value.into_inner(), depth + 1),
                }
            });
            Kind::List(values.collect())
        }
        DeValue::Table(table) => Kind::Table(entries(table, depth)),
    }
}

/// The fields in the order of the text, so that the first that is wrong is told first.
fn entries(table: DeTable<'_>, depth: usize) -> Vec<Entry<'_>> {
    let entry = |(key, value): (::toml::Spanned<_>, ::toml::Spanned<_>)| {
        let (key_span, span) = (Span::from(key.span()), Span::from(value.span()));
        let value = Value {
            span,
            kind: kind(value.into_inner(), depth + 1),
        };
        Entry {
            key: key.into_inner(),
            key_span,
            value,
        }
    };
    let mut entries: Vec<Entry<'_>> = table.into_iter().map(entry).collect();
    entries.sort_by_key(|entry| entry.key_span.start);
    entries
}
