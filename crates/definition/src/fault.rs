//! Everything that can be wrong with a definition.

use std::borrow::Cow;

use palisade_core::{ErrorKind, Hint};
use thiserror::Error;

use super::conflict_fault::ConflictFault;
use super::contradiction::Contradiction;
use super::duplicate_fault::DuplicateFault;
#[cfg(any(feature = "toml", feature = "json"))]
use super::fields::FieldFault;
use super::read_fault::ReadFault;
use super::value_fault::ValueFault;
#[cfg(feature = "xml")]
use super::xml::{ElementFault, MarkupFault};

/// Everything that can be wrong with a definition.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Fault {
    /// There is no text to read.
    #[error(transparent)]
    Read(#[from] ReadFault),
    /// Several files define one network.
    #[error(transparent)]
    Duplicate(#[from] DuplicateFault),
    /// Two networks conflict.
    #[error(transparent)]
    Conflict(#[from] ConflictFault),
    /// The text is not well-formed XML.
    #[cfg(feature = "xml")]
    #[error(transparent)]
    Markup(#[from] MarkupFault),
    /// XML's elements and attributes describe no network.
    #[cfg(feature = "xml")]
    #[error(transparent)]
    Element(#[from] ElementFault),
    /// TOML's or JSON's fields describe no network.
    #[cfg(any(feature = "toml", feature = "json"))]
    #[error(transparent)]
    Field(#[from] FieldFault),
    /// A value is not what it must be.
    #[error(transparent)]
    Value(#[from] ValueFault),
    /// The values contradict each other.
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
}

impl Hint for Fault {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Conflict(fault) => fault.kind(),
            _ => ErrorKind::Definition,
        }
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Read(fault) => fault.hint(),
            Self::Duplicate(fault) => fault.hint(),
            Self::Conflict(fault) => fault.hint(),
            #[cfg(feature = "xml")]
            Self::Markup(fault) => fault.hint(),
            #[cfg(feature = "xml")]
            Self::Element(fault) => fault.hint(),
            #[cfg(any(feature = "toml", feature = "json"))]
            Self::Field(fault) => fault.hint(),
            Self::Value(fault) => fault.hint(),
            Self::Contradiction(fault) => fault.hint(),
        }
    }
}
