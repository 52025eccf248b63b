//! One network in several files.

use std::borrow::Cow;

use palisade_core::network::Name;
use palisade_core::{ErrorKind, Hint};
use thiserror::Error;

use super::source::Source;

/// How many of the other files the message names.
const MAX_NAMED: usize = 3;

/// A network that several files define.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("network `{name}` is defined here and in {}", listed(.others))]
pub struct DuplicateFault {
    /// Its name.
    pub name: Name,
    /// The other files.
    pub others: Vec<Source>,
}

impl Hint for DuplicateFault {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Definition
    }

    fn hint(&self) -> Cow<'_, str> {
        "rename one, or give the definition only once".into()
    }
}

fn listed(files: &[Source]) -> String {
    let named = files.iter().take(MAX_NAMED).map(ToString::to_string);
    let named = named.collect::<Vec<_>>().join(", ");
    match files.len().saturating_sub(MAX_NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}
