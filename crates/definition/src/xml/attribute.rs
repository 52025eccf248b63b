//! Attributes of elements, and the references in their values.

use std::borrow::Cow;

use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::BytesRef;
use quick_xml::events::attributes::{AttrError, Attributes};

use super::markup::MarkupFault;
use crate::place::{At, Placed, Problem, Span};

/// An attribute, and its value without quotes and references.
#[derive(Debug)]
pub(super) struct Attribute<'a> {
    /// With its prefix, if it has one.
    pub(super) name: &'a str,
    pub(super) name_span: Span,
    pub(super) value: At<Cow<'a, str>>,
}

/// The attributes in the inside of a tag, which is a slice of `text` and begins with a name of
/// `name_len` bytes.
pub(super) fn attributes<'a>(
    inside: &'a str,
    name_len: usize,
    text: &'a str,
) -> Result<Vec<Attribute<'a>>, Problem> {
    let base = Span::of(inside, text).start;
    let mut found = Vec::new();
    for attribute in Attributes::new(inside, name_len) {
        let attribute = attribute.map_err(|error| malformed(&error, inside, base))?;
        let name = attribute.key.0;
        let name_span = Span::of(name, text);
        // A raw value is a slice of the text, else its place would be lost.
        let Cow::Borrowed(raw) = attribute.value else {
            return Err(MarkupFault::Unquoted.at(name_span));
        };
        check_name(name, name_span)?;
        let before = inside.as_bytes()[..name_span.start - base].last();
        if before.is_some_and(|b| !b.is_ascii_whitespace()) {
            return Err(MarkupFault::Touching.at(name_span));
        }
        let span = Span::of(raw, text);
        let value = At::new(value(raw, name, span)?, span);
        found.push(Attribute {
            name,
            name_span,
            value,
        });
    }
    Ok(found)
}

fn malformed(error: &AttrError, inside: &str, base: usize) -> Problem {
    match *error {
        AttrError::ExpectedEq(at)
        | AttrError::ExpectedValue(at)
        | AttrError::UnquotedValue(at)
        | AttrError::ExpectedQuote(at, _) => {
            MarkupFault::Unquoted.at(Span::new(at, at).moved(base))
        }
        AttrError::Duplicated(at, _) => {
            let rest = inside.get(at..).unwrap_or_default();
            let name = rest.split(|c: char| c == '=' || c.is_ascii_whitespace());
            let attribute = name.take(1).collect::<String>();
            let span = Span::new(at, at + attribute.len()).moved(base);
            MarkupFault::AttributeTwice { attribute }.at(span)
        }
    }
}

/// The value that an attribute's raw text stands for.
fn value<'a>(raw: &'a str, attribute: &str, span: Span) -> Result<Cow<'a, str>, Problem> {
    if let Some(at) = raw.find('<') {
        let attribute = attribute.to_owned();
        let at = span.start + at;
        return Err(MarkupFault::LessThan { attribute }.at(Span::new(at, at + 1)));
    }
    if !raw.contains(['&', '\t', '\r', '\n']) {
        return Ok(Cow::Borrowed(raw));
    }
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('&') {
        let (plain, reference) = rest.split_at(at);
        push_normalized(&mut value, plain);
        let start = span.start + (raw.len() - reference.len());
        // The longest name of a reference that means anything is `#x10FFFF`, zeros apart.
        let Some(end) = reference.find(';') else {
            return Err(MarkupFault::Ampersand.at(Span::new(start, start + 1)));
        };
        let name = &reference[1..end];
        value.push(resolve(name).map_err(|fault| fault.at(Span::new(start, start + end + 1)))?);
        rest = &reference[end + 1..];
    }
    push_normalized(&mut value, rest);
    Ok(Cow::Owned(value))
}

/// White space in an attribute's value is spaces, a line's end one.
fn push_normalized(value: &mut String, plain: &str) {
    let plain = plain.replace("\r\n", " ");
    value.push_str(&plain.replace(['\t', '\r', '\n'], " "));
}

/// The character that a reference's name, between `&` and `;`, stands for.
pub(super) fn resolve(name: &str) -> Result<char, MarkupFault> {
    if let Some(c) = resolve_xml_entity(name).and_then(|text| text.chars().next()) {
        return Ok(c);
    }
    if !name.starts_with('#') {
        return Err(if is_name(name) {
            MarkupFault::Entity {
                name: name.to_owned(),
            }
        } else {
            MarkupFault::Ampersand
        });
    }
    let character = BytesRef::new(name).resolve_char_ref().ok().flatten();
    character.filter(|&c| is_allowed(c)).ok_or_else(|| {
        let reference = name.to_owned();
        MarkupFault::Reference { reference }
    })
}

/// Whether a name of an element or an attribute is one.
pub(super) fn check_name(name: &str, span: Span) -> Result<(), Problem> {
    if is_name(name) {
        return Ok(());
    }
    Err(if name.is_empty() {
        MarkupFault::NoName.at(span)
    } else {
        MarkupFault::Name(name.to_owned()).at(span)
    })
}

fn is_name(name: &str) -> bool {
    let begins = |c: char| c.is_ascii_alphabetic() || matches!(c, '_' | ':') || !c.is_ascii();
    name.starts_with(begins)
        && name
            .chars()
            .all(|c| begins(c) || c.is_ascii_digit() || matches!(c, '-' | '.'))
}

/// Whether XML allows a character in a text.
pub(super) fn is_allowed(c: char) -> bool {
    !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}
