//! Yes, no, or not known: what can be said of a packet of which not every bit is known.

/// Whether something holds for a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// What is known of the packet does not say.
    Unknown,
}

impl Answer {
    /// Of something that may come out in several ways: whether it must, cannot, or may hold.
    #[must_use]
    pub fn of(may: bool, must: bool) -> Self {
        match (may, must) {
            (false, _) => Self::No,
            (true, true) => Self::Yes,
            (true, false) => Self::Unknown,
        }
    }

    /// The contrary.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
        }
    }

    /// The contrary, if that is asked for.
    #[must_use]
    pub fn not_if(self, inverted: bool) -> Self {
        if inverted { self.negated() } else { self }
    }

    /// Whether both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Unknown,
        }
    }
}

impl From<bool> for Answer {
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

impl From<Option<bool>> for Answer {
    fn from(holds: Option<bool>) -> Self {
        holds.map_or(Self::Unknown, Self::from)
    }
}

impl From<Answer> for Option<bool> {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Yes => Some(true),
            Answer::No => Some(false),
            Answer::Unknown => None,
        }
    }
}
