//! Attributes of elements, and references in their values.

use std::borrow::Cow;

use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::BytesRef;
use quick_xml::events::attributes::{AttrError, Attributes};

use super::markup::MarkupFault;
use crate::span::{Span, Spanned};
use crate::spanned_fault::{AtSpan, SpannedFault};

/// An attribute, and its value with references resolved.
#[derive(Debug)]
pub(super) struct XmlAttribute<'a> {
    /// With its prefix, if it has one.
    pub(super) name: &'a str,
    pub(super) name_span: Span,
    pub(super) value: Spanned<Cow<'a, str>>,
}

/// The attributes of a tag. Its inside is a slice of `text` and begins with a name of `name_len`
/// bytes.
pub(super) fn attributes<'a>(
    inside: &'a str,
    name_len: usize,
    text: &'a str,
) -> Result<Vec<XmlAttribute<'a>>, SpannedFault> {
    let base = Span::of(inside, text).start;
    let mut found = Vec::new();
    for attribute in Attributes::new(inside, name_len) {
        let attribute = attribute.map_err(|error| malformed(&error, inside, base))?;
        let name = attribute.key.0;
        let name_span = Span::of(name, text);
        // The parser borrows raw values from the text, which gives their place.
        let Cow::Borrowed(raw) = attribute.value else {
            return Err(MarkupFault::Unquoted.at(name_span));
        };
        check_name(name, name_span)?;
        let before = inside.as_bytes()[..name_span.start - base].last();
        if before.is_some_and(|b| !b.is_ascii_whitespace()) {
            return Err(MarkupFault::Touching.at(name_span));
        }
        let span = Span::of(raw, text);
        let value = Spanned::new(value(raw, name, span)?, span);
        found.push(XmlAttribute {
            name,
            name_span,
            value,
        });
    }
    Ok(found)
}

fn malformed(error: &AttrError, inside: &str, base: usize) -> SpannedFault {
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
fn value<'a>(raw: &'a str, attribute: &str, span: Span) -> Result<Cow<'a, str>, SpannedFault> {
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

/// White space in an attribute's value becomes spaces, and the end of a line one space.
fn push_normalized(value: &mut String, plain: &str) {
    let plain = plain.replace("\r\n", " ");
    value.push_str(&plain.replace(['\t', '\r', '\n'], " "));
}

/// The character of a reference; its name is the text between `&` and `;`.
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

/// Checks the name of an element or an attribute.
pub(super) fn check_name(name: &str, span: Span) -> Result<(), SpannedFault> {
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
