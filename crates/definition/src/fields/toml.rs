//! TOML as values with their places.

use ::toml::de::{DeTable, DeValue};

use super::fault::FieldFault;
use super::value::{Content, Field, FieldValue, MAX_DEPTH};
use crate::from_toml::endless_key;
use crate::span::Span;
use crate::spanned_fault::{AtSpan, SpannedFault};

/// Parses a whole text.
pub(super) fn parse(text: &str) -> Result<FieldValue<'_>, SpannedFault> {
    check_keys(text)?;
    let table = DeTable::parse(text).map_err(|error| {
        let span = error.span().map_or(Span::new(0, 0), Span::from);
        let message = error.message().to_owned();
        FieldFault::Toml { message }.at(span)
    })?;
    // The table of the whole text begins at its first key.
    let table = table.into_inner();
    let first = table.keys().map(|key| Span::from(key.span()));
    let span = first
        .min_by_key(|span| span.start)
        .unwrap_or(Span::new(0, 0));
    Ok(FieldValue {
        span,
        content: content(DeValue::Table(table), 0),
    })
}

fn check_keys(text: &str) -> Result<(), SpannedFault> {
    match endless_key(text) {
        Some(span) => Err(FieldFault::KeyParts.at(span)),
        None => Ok(()),
    }
}

fn content(value: DeValue<'_>, depth: usize) -> Content<'_> {
    match value {
        DeValue::String(text) => Content::Text(text),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Content::Other("a number"), Content::Integer),
        DeValue::Float(_) => Content::Other("a number"),
        DeValue::Boolean(boolean) => Content::Boolean(boolean),
        DeValue::Datetime(_) => Content::Other("a date"),
        DeValue::Array(_) if depth == MAX_DEPTH => Content::Other("a list"),
        DeValue::Table(_) if depth == MAX_DEPTH => Content::Other("a table"),
        DeValue::Array(values) => {
            let values = values.into_iter().map(|value| {
                let span = Span::from(value.span());
                FieldValue {
                    span,
                    content: content(value.into_inner(), depth + 1),
                }
            });
            Content::List(values.collect())
        }
        DeValue::Table(table) => Content::Table(entries(table, depth)),
    }
}

/// The fields in the order of the text, so that the first error is reported first.
fn entries(table: DeTable<'_>, depth: usize) -> Vec<Field<'_>> {
    let entry = |(key, value): (::toml::Spanned<_>, ::toml::Spanned<_>)| {
        let (key_span, span) = (Span::from(key.span()), Span::from(value.span()));
        let value = FieldValue {
            span,
            content: content(value.into_inner(), depth + 1),
        };
        Field {
            key: key.into_inner(),
            key_span,
            value,
        }
    };
    let mut entries: Vec<Field<'_>> = table.into_iter().map(entry).collect();
    entries.sort_by_key(|entry| entry.key_span.start);
    entries
}
