//! Names of networks.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use super::text::Text;

use crate::words::{self, shown};

/// The longest name, in bytes. A rule's comment holds 127 bytes for `nft` to read it back; what
/// remains beside a name of this length is enough for the rule's purpose.
pub(crate) const MAX_NAME: usize = 80;

/// A network's name: 1 to 80 bytes, one line, and usable as a file name. Each rule has a copy of
/// it, so that copying it copies no bytes.
///
/// Comments in the kernel hold [another form of it](Name::comment), which nothing can break out of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

/// Why a text is not a network's name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NameError {
    /// Nothing there.
    #[error("a network's name is empty")]
    Empty,
    /// Longer than 80 bytes in comments.
    #[error("the name `{0}` has {len} bytes, more than {MAX_NAME}", len = escaped(.0).len())]
    TooLong(String),
    /// White space at an end.
    #[error("the name `{0}` begins or ends with white space")]
    Padded(String),
    /// `.` or `..`, which are folders.
    #[error("`{0}` cannot be a network's name")]
    Dots(String),
    /// A character that names may not hold.
    #[error("the name `{}` holds `{}`, which names may not",
        shown(.name), words::character(*.character))]
    Character {
        /// The whole name.
        name: String,
        /// The first such character.
        character: char,
    },
}

impl Name {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as comments of rules and elements hold it: nft has no way to write `"` within a
    /// comment, so that it is `%22` there, and `%` is `%25`.
    #[must_use]
    pub fn comment(&self) -> Cow<'_, str> {
        escaped(&self.0)
    }

    /// The name in a comment. None if it is not what [`comment`](Self::comment) returns for any
    /// name.
    #[must_use]
    pub fn from_comment(text: &str) -> Option<Self> {
        let name: Self = match text.contains('%') {
            true => text.replace("%22", "\"").replace("%25", "%").parse().ok()?,
            false => text.parse().ok()?,
        };
        (name.comment() == text).then_some(name)
    }
}

fn escaped(name: &str) -> Cow<'_, str> {
    match name.contains(['%', '"']) {
        true => name.replace('%', "%25").replace('"', "%22").into(),
        false => name.into(),
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let refused = |c: char| c.is_control() || matches!(c, '/' | '\\' | '`' | '$');
        if text.is_empty() {
            Err(NameError::Empty)
        } else if escaped(text).len() > MAX_NAME {
            Err(NameError::TooLong(text.to_owned()))
        } else if matches!(text, "." | "..") {
            Err(NameError::Dots(text.to_owned()))
        } else if let Some(character) = text.chars().find(|&c| refused(c)) {
            Err(NameError::Character {
                name: text.to_owned(),
                character,
            })
        } else if text.trim() != text {
            Err(NameError::Padded(text.to_owned()))
        } else {
            Ok(Self(text.into()))
        }
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0.as_ref().to_owned()
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(text) = Text::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_pass() {
        for name in ["default", "vagrant-libvirt", "lab 1", "netz-größe", "a.b_c"] {
            assert_eq!(name.parse::<Name>().unwrap().as_str(), name);
        }
    }

    #[test]
    fn comments_hold_every_name() {
        for (name, comment) in [
            ("default", "default"),
            ("Bob's \"lab\"", "Bob's %22lab%22"),
            ("100%", "100%25"),
            ("%22", "%2522"),
            ("\"25", "%2225"),
        ] {
            let name: Name = name.parse().unwrap();
            assert_eq!(name.comment(), comment);
            assert_eq!(Name::from_comment(comment), Some(name));
        }
        for comment in ["100%", "a%41", "a\"b", ""] {
            assert_eq!(Name::from_comment(comment), None, "{comment}");
        }
    }

    #[test]
    fn names_that_break_out_are_refused() {
        for name in [
            "",
            ".",
            "..",
            "a/b",
            &"\"".repeat(27),
            "a\nb",
            "a\\",
            " a",
            "a ",
            &"x".repeat(81),
        ] {
            assert!(name.parse::<Name>().is_err(), "{name:?}");
        }
    }
}
