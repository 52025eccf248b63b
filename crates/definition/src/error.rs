//! The error of every function that reads definitions.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use palisade_core::{ErrorKind, Hint};
use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::fault::Fault;
use super::message::one_line;
use super::position::Position;
use super::source::{Source, SourceText};
use super::spanned_fault::SpannedFault;

/// A definition that cannot be used: what is wrong, where, and how to fix it.
///
/// `Display` is one line, `FILE:LINE:COLUMN: message`; [`report`](Self::report) adds the line at
/// fault and the hint. Serialized it is `{"kind", "file", "line", "column", "message", "hint"}`.
#[derive(Debug)]
pub struct DefinitionError(Box<Located>);

#[derive(Debug)]
struct Located {
    source: Source,
    /// `None` if the file as a whole is at fault.
    position: Option<Position>,
    fault: Fault,
}

impl DefinitionError {
    /// An error of the file as a whole.
    pub(crate) fn whole(source: &Source, fault: impl Into<Fault>) -> Self {
        Self(Box::new(Located {
            source: source.clone(),
            position: None,
            fault: fault.into(),
        }))
    }

    /// An error in the text `bytes`.
    pub(crate) fn new(source: &Source, bytes: &[u8], fault: SpannedFault) -> Self {
        Self(Box::new(Located {
            source: source.clone(),
            position: Some(Position::new(bytes, fault.0.span)),
            fault: fault.0.value,
        }))
    }

    /// An error in a text that was read.
    pub(crate) fn within(text: &SourceText, fault: SpannedFault) -> Self {
        Self::new(&text.source, &text.bytes, fault)
    }

    /// Where the definition comes from.
    #[must_use]
    pub fn origin(&self) -> &Source {
        &self.0.source
    }

    /// What is wrong.
    #[must_use]
    pub fn fault(&self) -> &Fault {
        &self.0.fault
    }

    /// The line at fault, from 1; `None` if the file as a whole is at fault.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.0.position.as_ref().map(|position| position.line)
    }

    /// The column of the value or element at fault, in characters, from 1.
    #[must_use]
    pub fn column(&self) -> Option<usize> {
        self.0.position.as_ref().map(|position| position.column)
    }

    /// What is wrong, in one line that is safe to print.
    #[must_use]
    pub fn message(&self) -> String {
        one_line(&self.0.fault.to_string())
    }

    /// The whole error in two to four lines: place and message, the line at fault (or the part of a
    /// long one that is near the fault) with carets below it, and the hint.
    #[must_use]
    pub fn report(&self) -> String {
        let position = self.0.position.as_ref();
        let excerpt = position.and_then(|position| position.excerpt.as_ref());
        let excerpt = excerpt.map_or_else(String::new, |[line, carets]| {
            format!("\n    {line}\n    {carets}")
        });
        format!("{self}{excerpt}\nhint: {}", self.hint())
    }
}

impl Hint for DefinitionError {
    fn kind(&self) -> ErrorKind {
        self.0.fault.kind()
    }

    fn hint(&self) -> Cow<'_, str> {
        self.0.fault.hint()
    }
}

impl fmt::Display for DefinitionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.0.source)?;
        if let Some(Position { line, column, .. }) = &self.0.position {
            write!(f, "{line}:{column}:")?;
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
        let mut fields = serializer.serialize_struct("DefinitionError", 6)?;
        fields.serialize_field("kind", &self.kind())?;
        fields.serialize_field("file", &self.0.source.to_string())?;
        fields.serialize_field("line", &self.line())?;
        fields.serialize_field("column", &self.column())?;
        fields.serialize_field("message", &self.message())?;
        fields.serialize_field("hint", &self.hint())?;
        fields.end()
    }
}
