//! The firewalld zone of a network's bridge.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::name::{Name, NameError};

/// The firewalld zone that a network's bridge belongs to. Its text is the zone's name, or `auto`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Zone {
    /// The zone that libvirt would choose, if firewalld runs and has it: `libvirt`, or
    /// `libvirt-routed` for routed networks.
    Auto,
    /// The zone with this name, which must exist.
    Named(Name),
}

/// How [`Zone::Auto`] is written.
const AUTO: &str = "auto";

impl FromStr for Zone {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match text {
            AUTO => Ok(Self::Auto),
            name => name.parse().map(Self::Named),
        }
    }
}

impl TryFrom<String> for Zone {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.to_string()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.pad(AUTO),
            Self::Named(name) => name.fmt(f),
        }
    }
}
