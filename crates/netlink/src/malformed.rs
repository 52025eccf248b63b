//! Bytes that are no message of nf_tables.

use std::borrow::Cow;

use palisade_core::Hint;
use thiserror::Error;

/// Why bytes cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Malformed {
    /// A message that does not hold its own header, or is longer than what is there.
    #[error("a netlink message says that it has {told} bytes, and {there} are there")]
    Message {
        /// The length in its header; 0 where the header itself is cut off.
        told: u32,
        /// How many bytes there are.
        there: usize,
    },
    /// A message of another type than the one that is to be read.
    #[error("a netlink message of type {0} is no reply to a request")]
    Type(u16),
    /// A reply with a positive error.
    #[error("a reply of netlink with error {0}: errors are negative")]
    Error(i32),
    /// An attribute that does not hold its own header, or is longer than what is there.
    #[error("an attribute of a {object} says that it has {told} bytes, and {there} are there")]
    Attribute {
        /// What is being read.
        object: &'static str,
        /// The length in its header; 0 where the header itself is cut off.
        told: u16,
        /// How many bytes there are.
        there: usize,
    },
    /// An attribute that has another size than its type needs.
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
    /// An attribute that has no place where it stands.
    #[error("attribute {attribute} in a {object}, which has only one kind of them")]
    Kind {
        /// What is being read.
        object: &'static str,
        /// The attribute's number.
        attribute: u16,
    },
    /// An attribute without which the object means nothing.
    #[error("a {object} without attribute {attribute}")]
    Missing {
        /// What is being read.
        object: &'static str,
        /// The attribute's number.
        attribute: u16,
    },
}

impl Hint for Malformed {
    fn hint(&self) -> Cow<'_, str> {
        "the kernel and this build disagree on netlink's bytes: report it with `uname -r`".into()
    }
}
