//! What became of the packets that were sent.

use palisade_core::evaluate::Verdict;

/// What was seen: too little of something would show nothing.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) packets: usize,
    pub(crate) unsure: usize,
    pub(crate) vanished: usize,
    pub(crate) passed: usize,
    pub(crate) dropped: usize,
    pub(crate) rejected: usize,
    pub(crate) translated: usize,
    pub(crate) known_flows: usize,
    pub(crate) rules: usize,
}

impl Tally {
    /// One more packet of which this was said.
    pub(crate) fn met(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Accept => self.passed += 1,
            Verdict::Drop => self.dropped += 1,
            Verdict::Reject => self.rejected += 1,
        }
    }
}
