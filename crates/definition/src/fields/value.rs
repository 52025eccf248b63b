//! What TOML and JSON have in common.

use std::borrow::Cow;
use std::str::FromStr;

use super::fault::FieldFault;
use crate::fault::ValueFault;
use crate::place::{At, Placed, Problem, Span};

/// How deep values are looked into: a list, the networks in it, their fields, what these hold.
pub(super) const MAX_DEPTH: usize = 4;

/// A value, and where it stands.
#[derive(Debug)]
pub(super) struct Value<'a> {
    pub(super) span: Span,
    pub(super) kind: Kind<'a>,
}

/// What a value is.
#[derive(Debug)]
pub(super) enum Kind<'a> {
    Text(Cow<'a, str>),
    Integer(i64),
    Boolean(bool),
    List(Vec<Value<'a>>),
    Table(Vec<Entry<'a>>),
    /// What no field can be, by its name; also what lies deeper than [`MAX_DEPTH`].
    Other(&'static str),
}

/// A field of a table.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) key: Cow<'a, str>,
    pub(super) key_span: Span,
    pub(super) value: Value<'a>,
}

impl Value<'_> {
    /// The value as text, or what is wrong with `field`.
    pub(super) fn text(
        &self,
        field: &'static str,
        expected: &'static str,
    ) -> Result<At<&str>, Problem> {
        match &self.kind {
            Kind::Text(text) => Ok(At::new(text, self.span)),
            _ => Err(self.unlike(field, expected)),
        }
    }

    /// The value is not what `field` asks for.
    pub(super) fn unlike(&self, field: &'static str, expected: &'static str) -> Problem {
        let found = match self.kind {
            Kind::Text(_) => "a string",
            Kind::Integer(_) => "a number",
            Kind::Boolean(_) => "true or false",
            Kind::List(_) => "a list",
            Kind::Table(_) => "a table",
            Kind::Other(name) => name,
        };
        FieldFault::Kind {
            field,
            expected,
            found,
        }
        .at(self.span)
    }
}

impl At<&str> {
    /// What the text stands for.
    pub(super) fn parsed<T: FromStr>(
        self,
        fault: impl FnOnce(T::Err) -> ValueFault,
    ) -> Result<At<T>, Problem> {
        match self.value.parse() {
            Ok(value) => Ok(At::new(value, self.span)),
            Err(error) => Err(fault(error).at(self.span)),
        }
    }
}
