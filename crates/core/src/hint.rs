//! Errors that name their fix.

use std::borrow::Cow;
use std::error::Error;

/// An error that says how to fix it.
///
/// `Display` states what is wrong; the hint states what to do about it. An error with sources
/// usually passes on the hint of the source that it wraps.
pub trait Hint: Error {
    /// The fix, in one line.
    fn hint(&self) -> Cow<'_, str>;

    /// Whether the request itself is wrong, so that it would fail on every host. The command exits
    /// with the code for wrong usage then.
    fn is_wrong_usage(&self) -> bool {
        false
    }
}
