//! What is known of a table when it is planned.

use super::observed::{Observed, Standing};
use crate::object::Rule;

/// What is known of a table.
#[derive(Debug)]
pub(super) enum Known {
    /// There is none.
    Absent,
    /// It was not read. No other program touched it, so that what is recorded is installed, with all
    /// parts of the layouts that it needs.
    Recorded,
    /// It was read without elements. No other program touched it, so that those are installed that are
    /// recorded.
    Outline(Observed),
    /// It was read with its elements.
    Whole(Observed),
}

impl Known {
    /// The table, if it was read.
    pub(super) fn observed(&self) -> Option<&Observed> {
        match self {
            Self::Absent | Self::Recorded => None,
            Self::Outline(observed) | Self::Whole(observed) => Some(observed),
        }
    }

    /// The same, to claim rules.
    pub(super) fn observed_mut(&mut self) -> Option<&mut Observed> {
        match self {
            Self::Absent | Self::Recorded => None,
            Self::Outline(observed) | Self::Whole(observed) => Some(observed),
        }
    }

    /// Whether what is recorded is installed.
    pub(super) fn trusts_records(&self) -> bool {
        matches!(self, Self::Recorded | Self::Outline(_))
    }

    /// The handle of a rule that does the same, if it is installed.
    pub(super) fn handle_of(&self, rule: &Rule) -> Option<u64> {
        let standing = self.observed()?.same_as(rule);
        standing.and_then(Standing::handle)
    }
}
