//! When packets of known flows are accepted.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// When packets of known flows of a network are accepted: whoever runs it chooses, its definition
/// does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Established {
    /// When their turn comes: each packet is asked what a flow's first one is asked.
    #[default]
    InTurn,
    /// Before anything else is asked: less for each packet to meet, and less that counts it.
    First,
}

impl Established {
    /// Both.
    pub const ALL: [Self; 2] = [Self::InTurn, Self::First];

    /// The name, as the command line has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InTurn => "in-turn",
            Self::First => "first",
        }
    }
}

/// Not the name of a moment at which packets of known flows are accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no time for packets of known flows: there are `in-turn` and `first`")]
pub struct UnknownEstablished(pub String);

impl FromStr for Established {
    type Err = UnknownEstablished;

    fn from_str(text: &str) -> Result<Self, UnknownEstablished> {
        let mut all = Self::ALL.into_iter();
        all.find(|established| established.name() == text)
            .ok_or_else(|| UnknownEstablished(text.to_owned()))
    }
}

impl fmt::Display for Established {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
