//! Values of TOML and JSON with their places.

use std::borrow::Cow;
use std::str::FromStr;

use super::fault::FieldFault;
use crate::span::{Span, Spanned};
use crate::spanned_fault::{AtSpan, SpannedFault};
use crate::value_fault::ValueFault;

/// How deep values are read: a list, its networks, their fields, the tables and lists in those, and their values.
pub(super) const MAX_DEPTH: usize = 6;

/// A value with its place.
#[derive(Debug)]
pub(super) struct FieldValue<'a> {
    pub(super) span: Span,
    pub(super) content: Content<'a>,
}

/// The content of a value.
#[derive(Debug)]
pub(super) enum Content<'a> {
    Text(Cow<'a, str>),
    Integer(i64),
    Boolean(bool),
    List(Vec<FieldValue<'a>>),
    Table(Vec<Field<'a>>),
    /// A type that no field has, by its name; also every list and table deeper than [`MAX_DEPTH`].
    Other(&'static str),
}

/// A field of a table.
#[derive(Debug)]
pub(super) struct Field<'a> {
    pub(super) key: Cow<'a, str>,
    pub(super) key_span: Span,
    pub(super) value: FieldValue<'a>,
}

impl FieldValue<'_> {
    /// The value as text. The error names the `field`.
    pub(super) fn text(
        &self,
        field: &'static str,
        expected: &'static str,
    ) -> Result<Spanned<&str>, SpannedFault> {
        match &self.content {
            Content::Text(text) => Ok(Spanned::new(text, self.span)),
            _ => Err(self.wrong_type(field, expected)),
        }
    }

    /// The error of a value that has not the type of its `field`.
    pub(super) fn wrong_type(&self, field: &'static str, expected: &'static str) -> SpannedFault {
        let found = match self.content {
            Content::Text(_) => "a string",
            Content::Integer(_) => "a number",
            Content::Boolean(_) => "true or false",
            Content::List(_) => "a list",
            Content::Table(_) => "a table",
            Content::Other(name) => name,
        };
        FieldFault::WrongType {
            field,
            expected,
            found,
        }
        .at(self.span)
    }
}

impl Spanned<&str> {
    /// Parses the text.
    pub(super) fn parsed<T: FromStr>(
        self,
        fault: impl FnOnce(T::Err) -> ValueFault,
    ) -> Result<Spanned<T>, SpannedFault> {
        match self.value.parse() {
            Ok(value) => Ok(Spanned::new(value, self.span)),
            Err(error) => Err(fault(error).at(self.span)),
        }
    }
}
