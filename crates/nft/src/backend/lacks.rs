//! What this kernel lacks, as its refusals say.

use palisade_core::rules::RuleKind;

use super::{without_fib, without_log};
use crate::batch::Refusal;
use crate::layout::Layout;

/// What this kernel refused batches for, and networks do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Lacks {
    /// The expression `fib`.
    pub(super) fib: bool,
    /// `log`, or the limit before it.
    pub(super) log: bool,
}

impl Lacks {
    /// Learns from refusals. Returns whether anything was new, so that a plan without may succeed.
    pub(super) fn learn(&mut self, refusals: &[Refusal]) -> bool {
        let before = *self;
        self.fib |= refusals.iter().any(Refusal::lacks_fib);
        self.log |= refusals.iter().any(Refusal::lacks_log);
        *self != before
    }

    /// Whether rules of a kind are not installed in a layout.
    pub(super) fn omits(self, layout: Layout, kind: RuleKind) -> bool {
        self.fib && layout == Layout::Mapped && without_fib::omits(kind)
            || self.log && without_log::omits(kind)
    }
}
