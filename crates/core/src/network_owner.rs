//! Whose networks are whose.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::network::{Name, NameError};

/// On whose behalf a network runs: several programs can keep their networks in one state directory, and
/// none removes another's by making its own the only ones.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NetworkOwner(Name);

/// Whoever gives commands: `operator`.
impl Default for NetworkOwner {
    #[allow(clippy::expect_used, reason = "the text is a name: a test says so")]
    fn default() -> Self {
        Self("operator".parse().expect("a name"))
    }
}

impl NetworkOwner {
    /// The owner as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// What is a name of a network can be one of an owner.
impl FromStr for NetworkOwner {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        text.parse().map(Self)
    }
}

impl fmt::Display for NetworkOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_gives_commands_has_a_name() {
        assert_eq!(NetworkOwner::default().as_str(), "operator");
        assert_eq!("vmd".parse::<NetworkOwner>().unwrap().to_string(), "vmd");
        assert!("".parse::<NetworkOwner>().is_err());
    }
}
