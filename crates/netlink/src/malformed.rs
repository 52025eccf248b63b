//! Bytes that are no message.

use std::borrow::Cow;

use palisade_core::{ErrorKind, Hint};
use thiserror::Error;

/// Why bytes cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Malformed {
    /// A message that is shorter than its header, or longer than the bytes that were received.
    #[error("a netlink message says that it has {told} bytes, and {there} are there")]
    Message {
        /// The length in its header; 0 where the header itself is truncated.
        told: u32,
        /// How many bytes there are.
        there: usize,
    },
    /// A message of another type than expected.
    #[error("a netlink message of type {0} is no reply to a request")]
    Type(u16),
    /// A reply with a positive error.
    #[error("a reply of netlink with error {0}: errors are negative")]
    Error(i32),
    /// An attribute that is shorter than its header, or longer than the bytes that were received.
    #[error("an attribute of a {object} says that it has {told} bytes, and {there} are there")]
    Attribute {
        /// What is being read.
        object: &'static str,
        /// The length in its header; 0 where the header itself is truncated.
        told: u16,
        /// How many bytes there are.
        there: usize,
    },
    /// An attribute whose size does not fit its type.
    #[error("attribute {attribute} of a {object} has {found} bytes, not {expected}")]
    Size {
        /// What is being read.
        object: &'static str,
        /// The attribute's number.
        attribute: u16,
        /// Its size.
        found: usize,
        /// The size of its type.
        expected: usize,
    },
    /// An attribute that does not belong there.
    #[error("attribute {attribute} in a {object}, which has only one kind of them")]
    Kind {
        /// What is being read.
        object: &'static str,
        /// The attribute's number.
        attribute: u16,
    },
    /// A required attribute is missing.
    #[error("a {object} without attribute {attribute}")]
    Missing {
        /// What is being read.
        object: &'static str,
        /// The attribute's number.
        attribute: u16,
    },
}

impl Hint for Malformed {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Internal
    }

    fn hint(&self) -> Cow<'_, str> {
        "the kernel and this build disagree on netlink's bytes: report it with `uname -r`".into()
    }
}
