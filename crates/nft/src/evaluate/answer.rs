//! Yes, no, or not known: what can be said of a packet of which not every bit is known.

/// Whether something holds for a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    No,
    Unknown,
}

impl Answer {
    /// Of something that may come out in several ways: whether it must, cannot, or may hold.
    pub(super) fn of(may: bool, must: bool) -> Self {
        match (may, must) {
            (false, _) => Self::No,
            (true, true) => Self::Yes,
            (true, false) => Self::Unknown,
        }
    }

    pub(super) fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
        }
    }

    pub(super) fn not_if(self, inverted: bool) -> Self {
        if inverted { self.not() } else { self }
    }

    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Unknown,
        }
    }
}
