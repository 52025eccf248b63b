//! A packet that shows what a difference means.

use palisade_core::evaluate::{Fate, Packet};

/// A packet that is treated otherwise.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) packet: Packet,
    pub(super) expected: Fate,
    pub(super) actual: Fate,
    /// Whether it shows only where the host drops what nobody accepts.
    pub(super) is_closed: bool,
}
