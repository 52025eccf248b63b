//! Names of network interfaces.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use super::text::Text;
use crate::error_kind::ErrorKind;
use crate::hint::Hint;
use crate::words::{self, shown};

/// An interface's name as the kernel takes it (1 to 15 bytes), and as nft and iptables read it as
/// that one name: no wildcard, nothing that would end a quoted string. Each rule has copies of it,
/// so that copying it copies no bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceName(Arc<str>);

/// Why a text is not an interface's name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InterfaceNameError {
    /// Nothing there.
    #[error("an interface's name is empty")]
    Empty,
    /// The kernel's `IFNAMSIZ` is 16, with the closing zero byte.
    #[error("the interface name `{}` has {len} bytes, the kernel takes 15 at most",
            shown(.0), len = .0.len())]
    TooLong(String),
    /// `.` and `..` are folders under /sys/class/net.
    #[error("`{0}` cannot be an interface's name")]
    Dots(String),
    /// nft reads a closing `*`, iptables a closing `+`, as "any name that begins so".
    #[error("the interface name `{0}` ends in a wildcard")]
    Wildcard(String),
    /// libvirt's `virbr%d`, where it fills in a number itself.
    #[error("`{0}` is a template, not an interface's name")]
    Template(String),
    /// A character that the kernel refuses, or that breaks out of quoting.
    #[error("the interface name `{}` holds `{}`, which it may not",
        shown(.name), words::character(*.character))]
    Character {
        /// The whole name.
        name: String,
        /// The first such character.
        character: char,
    },
}

impl Hint for InterfaceNameError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Definition
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Template(_) => {
                "write the real name; for a running network `virsh net-dumpxml` shows it"
            }
            Self::Wildcard(_) => "name one interface; wildcards would match others' too",
            Self::Empty | Self::TooLong(_) | Self::Dots(_) | Self::Character { .. } => {
                "names look like virbr0: 1 to 15 bytes without white space, quotes, `/` or `:`"
            }
        }
        .into()
    }
}

impl InterfaceName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The kernel refuses `/`, `:` and white space (`dev_valid_name`), where its idea of white space
/// is a byte of Latin-1: 0xA0 in the middle of a UTF-8 character counts too.
fn refused(c: char) -> bool {
    let mut bytes = [0; 4];
    c.is_control()
        || c.is_whitespace()
        || matches!(c, '/' | ':' | '"' | '\'' | '\\' | '`' | '$' | '!')
        || c.encode_utf8(&mut bytes).bytes().any(|b| b == 0xA0)
}

impl FromStr for InterfaceName {
    type Err = InterfaceNameError;

    fn from_str(text: &str) -> Result<Self, InterfaceNameError> {
        let owned = || text.to_owned();
        if text.is_empty() {
            Err(InterfaceNameError::Empty)
        } else if text.len() > 15 {
            Err(InterfaceNameError::TooLong(owned()))
        } else if matches!(text, "." | "..") {
            Err(InterfaceNameError::Dots(owned()))
        } else if let Some(character) = text.chars().find(|&c| refused(c)) {
            Err(InterfaceNameError::Character {
                name: owned(),
                character,
            })
        } else if text.ends_with(['+', '*']) {
            Err(InterfaceNameError::Wildcard(owned()))
        } else if text.contains('%') {
            Err(InterfaceNameError::Template(owned()))
        } else {
            Ok(Self(text.into()))
        }
    }
}

impl TryFrom<String> for InterfaceName {
    type Error = InterfaceNameError;

    fn try_from(text: String) -> Result<Self, InterfaceNameError> {
        text.parse()
    }
}

impl From<InterfaceName> for String {
    fn from(name: InterfaceName) -> Self {
        name.0.as_ref().to_owned()
    }
}

impl Serialize for InterfaceName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for InterfaceName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(text) = Text::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl fmt::Display for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_names_pass() {
        for name in [
            "virbr0",
            "br-0123456789ab",
            "eth0.100",
            "ens3f0np0",
            "a",
            "brü0",
            "x+y",
        ] {
            assert_eq!(name.parse::<InterfaceName>().unwrap().as_str(), name);
        }
    }

    #[test]
    fn the_rest_is_refused() {
        let sixteen = "x".repeat(16);
        let bad = [
            "", ".", "..", "a/b", "a b", "a\tb", "a:b", "virbr+", "virbr*", "a\"b", "virbr%d", "à",
            &sixteen,
        ];
        for name in bad {
            assert!(name.parse::<InterfaceName>().is_err(), "{name:?}");
        }
    }
}
