//! Errors that name their fix.

use std::borrow::Cow;
use std::error::Error;

use crate::error_kind::ErrorKind;

/// An error that says how to fix it.
///
/// `Display` states what is wrong; the hint states what to do about it. An error with sources
/// usually passes on the hint of the source that it wraps.
pub trait Hint: Error {
    /// The kind of error, for programs.
    fn kind(&self) -> ErrorKind;

    /// The fix, in one line.
    fn hint(&self) -> Cow<'_, str>;
}
