//! JSON as values with their places.
//!
//! serde_json does all the reading. Places come from its raw values, which are slices of the text:
//! where a slice lies in the text is where the value stands.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::fault::FieldFault;
use super::value::{Entry, Kind, MAX_DEPTH, Value};
use crate::place::{Placed, Problem, Span};

/// Takes a whole text apart.
pub(super) fn parse(text: &str) -> Result<Value<'_>, Problem> {
    let raw: &RawValue = read(text, text)?;
    value(raw.get(), text, 0)
}

/// Reads `part`, a slice of the whole `text`.
fn read<'a, T: Deserialize<'a>>(part: &'a str, text: &str) -> Result<T, Problem> {
    serde_json::from_str(part).map_err(|error| {
        let base = Span::of(part, text).start;
        let at = offset(part, error.line(), error.column());
        // The library's words end in the place within the part, which is not the one to tell.
        let words = error.to_string();
        let message = words
            .rsplit_once(" at line ")
            .map_or(words.as_str(), |(message, _)| message)
            .to_owned();
        FieldFault::Json { message }.at(Span::new(at, at).moved(base))
    })
}

/// The byte that a line and a column, as serde_json counts them in bytes, mean.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let before = text.split_inclusive('\n').take(line.saturating_sub(1));
    let line_start: usize = before.map(str::len).sum();
    let mut at = (line_start + column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The value that `raw`, a slice of the text without white space around it, stands for.
fn value<'a>(raw: &'a str, text: &'a str, depth: usize) -> Result<Value<'a>, Problem> {
    let kind = match raw.as_bytes().first() {
        Some(b'"') => Kind::Text(read::<String>(raw, text)?.into()),
        Some(b't') => Kind::Boolean(true),
        Some(b'f') => Kind::Boolean(false),
        Some(b'n') => Kind::Other("null"),
        Some(b'[') if depth == MAX_DEPTH => Kind::Other("a list"),
        Some(b'{') if depth == MAX_DEPTH => Kind::Other("a table"),
        Some(b'[') => {
            let items: Vec<&RawValue> = read(raw, text)?;
            let values = items.iter().map(|item| value(item.get(), text, depth + 1));
            Kind::List(values.collect::<Result<_, _>>()?)
        }
        Some(b'{') => Kind::Table(entries(raw, text, depth)?),
        _ => raw.parse().map_or(Kind::Other("a number"), Kind::Integer),
    };
    let span = Span::of(raw, text);
    Ok(Value { span, kind })
}

fn entries<'a>(raw: &'a str, text: &'a str, depth: usize) -> Result<Vec<Entry<'a>>, Problem> {
    let pairs: Pairs<'a> = read(raw, text)?;
    let mut entries = Vec::with_capacity(pairs.0.len());
    // A key begins at the first quote behind the value before it.
    let mut behind = Span::of(raw, text).start + 1;
    for (key, raw) in pairs.0 {
        let span = Span::of(raw.get(), text);
        let between = text.get(behind..span.start).unwrap_or_default();
        let start = behind + between.find('"').unwrap_or_default();
        let end = behind + between.rfind('"').map_or(0, |at| at + 1);
        behind = span.end;
        entries.push(Entry {
            key: key.into(),
            key_span: Span::new(start, end),
            value: value(raw.get(), text, depth + 1)?,
        });
    }
    Ok(entries)
}

/// The fields of an object in their order, those that are given twice included.
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
