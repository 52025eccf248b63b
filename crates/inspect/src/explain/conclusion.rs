//! What is said of a packet in one word.

use std::fmt;

use palisade_core::evaluate::{Outcome, Verdict};
use serde::Serialize;

/// What becomes of a packet on this host, as far as that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Conclusion {
    /// The rules let it pass, and the host sends it on or takes it.
    Accept,
    /// A rule refuses it, and the sender is told by an ICMP error.
    Reject,
    /// A rule drops it.
    Drop,
    /// No rule stops it, and the host sends it nowhere: there is no route, or the host does not forward.
    Unroutable,
    /// Rules that cannot be decided here let it pass or stop it.
    Unknown,
}

impl Conclusion {
    /// Of what rules say of a packet that the host sends on or takes.
    pub(super) fn of(outcome: &Outcome) -> Self {
        let passes = outcome.fate.verdict.passes();
        let may_differ = |other: &Verdict| other.passes() != passes;
        let mut doubts = outcome.doubts.iter();
        if doubts.any(|doubt| doubt.may.iter().any(may_differ)) {
            return Self::Unknown;
        }
        match outcome.fate.verdict {
            Verdict::Accept => Self::Accept,
            Verdict::Reject => Self::Reject,
            Verdict::Drop => Self::Drop,
        }
    }

    /// Whether the packet passes for sure.
    #[must_use]
    pub fn passes(self) -> bool {
        self == Self::Accept
    }
}

impl fmt::Display for Conclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Drop => "drop",
            Self::Unroutable => "unroutable",
            Self::Unknown => "unknown",
        })
    }
}
