//! JSON as values with their places.
//!
//! serde_json parses. Its raw values are slices of the text, and the offset of a slice in the text is
//! the place of the value.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::fault::FieldFault;
use super::value::{Content, Field, FieldValue, MAX_DEPTH};
use crate::span::Span;
use crate::spanned_fault::{AtSpan, SpannedFault};

/// Parses a whole text.
pub(super) fn parse(text: &str) -> Result<FieldValue<'_>, SpannedFault> {
    let raw: &RawValue = read(text, text)?;
    value(raw.get(), text, 0)
}

/// Reads `part`, a slice of the whole `text`.
fn read<'a, T: Deserialize<'a>>(part: &'a str, text: &str) -> Result<T, SpannedFault> {
    serde_json::from_str(part).map_err(|error| {
        let base = Span::of(part, text).start;
        let at = offset(part, error.line(), error.column());
        // The message ends with a place relative to the part, which would mislead.
        let full = error.to_string();
        let message = full
            .rsplit_once(" at line ")
            .map_or(full.as_str(), |(message, _)| message)
            .to_owned();
        FieldFault::Json { message }.at(Span::new(at, at).moved(base))
    })
}

/// The byte at a line and a column, which serde_json counts in bytes.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let before = text.split_inclusive('\n').take(line.saturating_sub(1));
    let line_start: usize = before.map(str::len).sum();
    let mut at = (line_start + column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The value of `raw`, a slice of the text without white space around it.
fn value<'a>(raw: &'a str, text: &'a str, depth: usize) -> Result<FieldValue<'a>, SpannedFault> {
    let content = match raw.as_bytes().first() {
        Some(b'"') => Content::Text(read::<String>(raw, text)?.into()),
        Some(b't') => Content::Boolean(true),
        Some(b'f') => Content::Boolean(false),
        Some(b'n') => Content::Other("null"),
        Some(b'[') if depth == MAX_DEPTH => Content::Other("a list"),
        Some(b'{') if depth == MAX_DEPTH => Content::Other("a table"),
        Some(b'[') => {
            let items: Vec<&RawValue> = read(raw, text)?;
            let values = items.iter().map(|item| value(item.get(), text, depth + 1));
            Content::List(values.collect::<Result<_, _>>()?)
        }
        Some(b'{') => Content::Table(entries(raw, text, depth)?),
        _ => raw
            .parse()
            .map_or(Content::Other("a number"), Content::Integer),
    };
    let span = Span::of(raw, text);
    Ok(FieldValue { span, content })
}

fn entries<'a>(raw: &'a str, text: &'a str, depth: usize) -> Result<Vec<Field<'a>>, SpannedFault> {
    let pairs: Pairs<'a> = read(raw, text)?;
    let mut entries = Vec::with_capacity(pairs.0.len());
    // A key begins at the first quote after the previous value.
    let mut behind = Span::of(raw, text).start + 1;
    for (key, raw) in pairs.0 {
        let span = Span::of(raw.get(), text);
        let between = text.get(behind..span.start).unwrap_or_default();
        let start = behind + between.find('"').unwrap_or_default();
        let end = behind + between.rfind('"').map_or(0, |at| at + 1);
        behind = span.end;
        entries.push(Field {
            key: key.into(),
            key_span: Span::new(start, end),
            value: value(raw.get(), text, depth + 1)?,
        });
    }
    Ok(entries)
}

/// The fields of an object in their order, including duplicates.
struct Pairs<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor)
    }
}

struct PairsVisitor;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Pairs<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'de>, A::Error> {
        let mut pairs = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            pairs.push((key, map.next_value::<&'de RawValue>()?));
        }
        Ok(Pairs(pairs))
    }
}
