//! Recognizes the format of a text.

use std::fmt;

/// A format of definitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefinitionFormat {
    /// libvirt's network XML.
    Xml,
    /// TOML.
    Toml,
    /// JSON.
    Json,
}

impl fmt::Display for DefinitionFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Xml => "XML",
            Self::Toml => "TOML",
            Self::Json => "JSON",
        })
    }
}

impl DefinitionFormat {
    /// The format, from the beginning of the text; `None` if the text is blank.
    ///
    /// A `[` begins either a list in JSON or a header such as `[[network]]` in TOML.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let text = text.trim_start();
        Some(match text.chars().next()? {
            '<' => Self::Xml,
            '{' => Self::Json,
            '[' if !is_header(text) => Self::Json,
            _ => Self::Toml,
        })
    }
}

/// Whether the first line is the header of a table in TOML: brackets around a name.
fn is_header(text: &str) -> bool {
    let line = text.lines().next().unwrap_or_default();
    let inner = line.trim_start_matches('[').trim_start();
    inner.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '"' | '\''))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_decides() {
        let cases = [
            ("<network/>", DefinitionFormat::Xml),
            ("\n  <?xml version='1.0'?>", DefinitionFormat::Xml),
            ("{}", DefinitionFormat::Json),
            ("[]", DefinitionFormat::Json),
            ("[ {\"name\": \"a\"} ]", DefinitionFormat::Json),
            ("[\n  {", DefinitionFormat::Json),
            ("[[1]]", DefinitionFormat::Json),
            ("name = 'a'", DefinitionFormat::Toml),
            ("# a comment", DefinitionFormat::Toml),
            ("[[network]]\nname = 'a'", DefinitionFormat::Toml),
            ("[[ network ]]", DefinitionFormat::Toml),
            ("[network]", DefinitionFormat::Toml),
            ("[[\"network\"]]", DefinitionFormat::Toml),
        ];
        for (text, format) in cases {
            assert_eq!(DefinitionFormat::of(text), Some(format), "{text:?}");
        }
        assert_eq!(DefinitionFormat::of(" \n\t"), None);
    }
}
