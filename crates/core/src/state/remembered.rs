//! What a process remembers of its last change.

use super::index::Index;
use crate::storage::Version;

/// An index that was kept in memory, and what must not have changed since.
#[derive(Debug)]
pub(super) struct Remembered {
    pub(super) index: Index,
    pub(super) file: Version,
    pub(super) records: Version,
}
