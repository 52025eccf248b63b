//! The one error of reading definitions.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::fault::Fault;
use super::place::{Place, Problem, without_mark};
use super::shown;
use super::source::{Source, Text};

/// A definition that cannot be used: what is wrong with it, where, and the way out.
///
/// `Display` is one line, `FILE:LINE:COLUMN: message`; [`report`](Self::report) has the text at
/// fault and the way out too. Serialised it is `{"file", "line", "column", "message", "hint"}`.
#[derive(Debug)]
pub struct DefinitionError(Box<Parts>);

#[derive(Debug)]
struct Parts {
    origin: Source,
    /// None where the file as a whole is at fault.
    place: Option<Place>,
    fault: Fault,
}

impl DefinitionError {
    /// Something is wrong with the file as a whole.
    pub(super) fn whole(origin: &Source, fault: impl Into<Fault>) -> Self {
        Self(Box::new(Parts {
            origin: origin.clone(),
            place: None,
            fault: fault.into(),
        }))
    }

    /// Something is wrong within the text `bytes`.
    pub(super) fn new(origin: &Source, bytes: &[u8], problem: Problem) -> Self {
        let place = Place::new(without_mark(bytes), problem.0.span);
        Self(Box::new(Parts {
            origin: origin.clone(),
            place: Some(place),
            fault: problem.0.value,
        }))
    }

    /// Something is wrong within a text that was read.
    pub(super) fn within(text: &Text, problem: Problem) -> Self {
        Self::new(&text.source, &text.bytes, problem)
    }

    /// Where the definition came from.
    #[must_use]
    pub fn origin(&self) -> &Source {
        &self.0.origin
    }

    /// What is wrong.
    #[must_use]
    pub fn fault(&self) -> &Fault {
        &self.0.fault
    }

    /// The line at fault, from 1; none where the file as a whole is at fault.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.0.place.as_ref().map(|place| place.line)
    }

    /// The column of the value or element at fault, in characters, from 1.
    #[must_use]
    pub fn column(&self) -> Option<usize> {
        self.0.place.as_ref().map(|place| place.column)
    }

    /// What is wrong, in words: one line, safe to print.
    #[must_use]
    pub fn message(&self) -> String {
        shown::message(&self.0.fault.to_string())
    }

    /// The way out, in one line.
    #[must_use]
    pub fn hint(&self) -> Cow<'static, str> {
        self.0.fault.hint()
    }

    /// All of it in two to four lines: place and message, the line at fault (what is near the
    /// fault, if it is long) with carets below it, and the way out.
    #[must_use]
    pub fn report(&self) -> String {
        let excerpt = self.0.place.as_ref().and_then(|p| p.excerpt.as_ref());
        let excerpt = excerpt.map_or_else(String::new, |[line, carets]| {
            format!("\n    {line}\n    {carets}")
        });
        format!("{self}{excerpt}\nhint: {}", self.hint())
    }
}

impl fmt::Display for DefinitionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.0.origin)?;
        if let Some(place) = &self.0.place {
            write!(f, "{}:{}:", place.line, place.column)?;
        }
        write!(f, " {}", self.message())
    }
}

impl Error for DefinitionError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.fault.source()
    }
}

impl Serialize for DefinitionError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("DefinitionError", 5)?;
        fields.serialize_field("file", &self.0.origin.to_string())?;
        fields.serialize_field("line", &self.line())?;
        fields.serialize_field("column", &self.column())?;
        fields.serialize_field("message", &self.message())?;
        fields.serialize_field("hint", &self.hint())?;
        fields.end()
    }
}
