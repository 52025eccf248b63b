//! Faults with their place in the text.

use super::fault::Fault;
use super::span::{Span, Spanned};

/// What is wrong, and where.
#[derive(Debug)]
pub(crate) struct SpannedFault(pub(crate) Box<Spanned<Fault>>);

/// Gives a fault its place.
pub(crate) trait AtSpan: Into<Fault> {
    fn at(self, span: Span) -> SpannedFault {
        SpannedFault(Box::new(Spanned::new(self.into(), span)))
    }
}

impl<F: Into<Fault>> AtSpan for F {}
