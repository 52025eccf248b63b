//! Which format a text is in.

use std::fmt;

/// The formats of definitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// libvirt's network XML.
    Xml,
    /// TOML.
    Toml,
    /// JSON.
    Json,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Xml => "XML",
            Self::Toml => "TOML",
            Self::Json => "JSON",
        })
    }
}

impl Format {
    /// The format, seen from how the text begins; `None` if it is blank.
    ///
    /// A `[` may begin JSON's list of networks or TOML's `[[network]]`.
    pub(super) fn of(text: &str) -> Option<Self> {
        let text = text.trim_start();
        Some(match text.chars().next()? {
            '<' => Self::Xml,
            '{' => Self::Json,
            '[' if !is_header(text) => Self::Json,
            _ => Self::Toml,
        })
    }
}

/// Whether the first line is a table's header in TOML: brackets around names.
fn is_header(text: &str) -> bool {
    let line = text.lines().next().unwrap_or_default();
    let inner = line.trim_start_matches('[').trim_start();
    inner.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '"' | '\''))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_how_it_begins() {
        let cases = [
            ("<network/>", Format::Xml),
            ("\n  <?xml version='1.0'?>", Format::Xml),
            ("{}", Format::Json),
            ("[]", Format::Json),
            ("[ {\"name\": \"a\"} ]", Format::Json),
            ("[\n  {", Format::Json),
            ("[[1]]", Format::Json),
            ("name = 'a'", Format::Toml),
            ("# a comment", Format::Toml),
            ("[[network]]\nname = 'a'", Format::Toml),
            ("[[ network ]]", Format::Toml),
            ("[network]", Format::Toml),
            ("[[\"network\"]]", Format::Toml),
        ];
        for (text, format) in cases {
            assert_eq!(Format::of(text), Some(format), "{text:?}");
        }
        assert_eq!(Format::of(" \n\t"), None);
    }
}
