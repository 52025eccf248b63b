//! The configuration file: what holds for new networks where nothing is chosen explicitly.
//!
//! ```
//! use palisade::config;
//!
//! let text = r#"
//! firewall_backend = "nftables" # or "auto", the default, "iptables" or "none"
//! layout = "flat"               # or "mapped", the default
//! table = "guests"              # "palisade" is the default
//! iptables = "legacy"           # or "nft" or "auto", the default
//! established = "first"         # or "in-turn", the default
//! "#;
//! let choice = config::parse(text.as_ref(), "palisade.toml".as_ref()).unwrap();
//! assert_eq!(choice.table.unwrap().as_str(), "guests");
//! ```

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use palisade_core::network::{Established, UnknownEstablished};
use palisade_core::words::in_words;
use palisade_core::{ErrorKind, Hint};
use palisade_definition::{TomlError, from_toml};
#[cfg(feature = "iptables")]
use palisade_iptables::run::Programs;
use palisade_nft::layout::{Layout, TableName};
use serde::Deserialize;
use thiserror::Error;

use crate::choice::{BackendChoice, Choice};

/// The configuration file, unless the caller names another one.
const USUAL: &str = "/etc/palisade/palisade.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    firewall_backend: Option<BackendChoice>,
    layout: Option<LayoutName>,
    table: Option<TableName>,
    #[cfg(feature = "iptables")]
    iptables: Option<ProgramsName>,
    established: Option<EstablishedName>,
}

#[cfg(feature = "iptables")]
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct ProgramsName(Programs);

#[cfg(feature = "iptables")]
impl TryFrom<String> for ProgramsName {
    type Error = palisade_iptables::run::UnknownPrograms;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct LayoutName(Layout);

impl TryFrom<String> for LayoutName {
    type Error = palisade_nft::layout::UnknownLayout;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct EstablishedName(Established);

impl TryFrom<String> for EstablishedName {
    type Error = UnknownEstablished;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

/// Why the configuration cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {}", .path.display(), in_words(.source))]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is not what the configuration may be.
    #[error("{}:{source}", .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        source: TomlError,
    },
}

impl Hint for ConfigError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Configuration
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::File { .. } => "name another file with --config, or make it readable",
            Self::Syntax { .. } => {
                "the keys are firewall_backend, layout, table, iptables and established, each with a text \
                 in quotes"
            }
        }
        .into()
    }
}

/// Reads a configuration file; without one named, the usual one if there is one.
///
/// # Errors
/// If a named file is missing, or what it says is not understood.
pub fn read(named: Option<&Path>) -> Result<Choice, ConfigError> {
    let path = named.unwrap_or(Path::new(USUAL));
    match fs::read(path) {
        Ok(text) => parse(&text, path),
        Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => {
            Ok(Choice::default())
        }
        Err(source) => Err(ConfigError::File {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Whether a file that somebody named as the configuration can be read, for whom what it says
/// changes nothing.
///
/// # Errors
/// If it cannot.
pub fn check_readable(named: &Path) -> Result<(), ConfigError> {
    match fs::read(named) {
        Ok(_) => Ok(()),
        Err(source) => Err(ConfigError::File {
            path: named.to_owned(),
            source,
        }),
    }
}

/// Reads the text of a configuration file; `path` is named in errors.
///
/// # Errors
/// If what it says is not understood.
pub fn parse(text: &[u8], path: &Path) -> Result<Choice, ConfigError> {
    let file: File = from_toml(text).map_err(|source| ConfigError::Syntax {
        path: path.to_owned(),
        source,
    })?;
    Ok(Choice {
        backend: file.firewall_backend,
        layout: file.layout.map(|LayoutName(layout)| layout),
        table: file.table,
        #[cfg(feature = "iptables")]
        iptables: file.iptables.map(|ProgramsName(programs)| programs),
        established: file
            .established
            .map(|EstablishedName(established)| established),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_where_and_what() {
        let told = |text: &str| {
            let error = parse(text.as_bytes(), "x.toml".as_ref()).unwrap_err();
            error.to_string()
        };
        assert!(told("layout = \"tree\"").contains("`tree` is no layout"));
        assert!(told("established = \"last\"").contains("`last` is no time for packets"));
        assert!(told("firewall_backend = \"pf\"").contains("`pf` is no backend"));
        assert!(told("table = \"ip\"").contains("a word of nft's language"));
        let endless = format!(
            "table = 'guests'\n{}a = {}1{}",
            "a.".repeat(60),
            "[".repeat(70),
            "]".repeat(70)
        );
        assert!(
            told(&endless).contains("x.toml:2:16: a key has too many parts"),
            "{}",
            told(&endless)
        );
        let nested = format!(
            "{}{}",
            format!("{}a = {{", "a.".repeat(78)).repeat(78),
            "}".repeat(78)
        );
        assert!(told(&nested).contains("a key has too many parts"));
        assert!(told("tabel = \"x\"").contains("unknown field `tabel`"));
        let places = [
            ("table = 'guests'\nlayout = 'tree'", "x.toml:2:10: "),
            ("# größe\n  tabel = 'x'", "x.toml:2:3: "),
            ("layout =\n", "x.toml:1:9: "),
            ("'\u{1b}[31m\n", "x.toml:1:"),
            ("table = 3", "x.toml:1:9: "),
            (
                "firewall_backend = 'nftables'\n\n\"\\u001b[31m\" = 1",
                "x.toml:3:1: ",
            ),
        ];
        for (text, place) in places {
            let told = told(text);
            assert!(told.starts_with(place), "{told}");
            assert!(!told.contains(char::is_control), "{told}");
        }
        let error = parse(b"table = '\xff'", "x.toml".as_ref()).unwrap_err();
        assert!(error.to_string().starts_with("x.toml:1:10: "), "{error}");
    }

    #[test]
    fn a_named_file_must_be_there() {
        let missing = Path::new("/nonexistent/palisade.toml");
        assert!(matches!(read(Some(missing)), Err(ConfigError::File { .. })));
        let checked = check_readable(missing);
        assert!(matches!(checked, Err(ConfigError::File { .. })));
    }
}
