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
//! "#;
//! let choice = config::parse(text.as_ref(), "palisade.toml".as_ref()).unwrap();
//! assert_eq!(choice.table.unwrap().as_str(), "guests");
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use palisade_iptables::run::Programs;
use palisade_nft::layout::{Layout, TableName};
use serde::Deserialize;
use thiserror::Error;

use crate::options::{BackendChoice, Choice};

/// Where the configuration is, unless another file is named.
pub const USUAL: &str = "/etc/palisade/palisade.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    firewall_backend: Option<BackendChoice>,
    layout: Option<LayoutName>,
    table: Option<TableName>,
    iptables: Option<ProgramsName>,
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct ProgramsName(Programs);

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

/// Why the configuration cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is not what the configuration may be.
    #[error("{}: {}", .path.display(), .source.to_string().trim_end().replace('\n', "\n  "))]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and what, in several lines.
        source: Box<toml::de::Error>,
    },
}

impl ConfigError {
    /// The way out, in one line.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::File { .. } => "name another file with --config, or make it readable",
            Self::Syntax { .. } => {
                "the keys are firewall_backend, layout, table and iptables, each with a text in quotes"
            }
        }
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

/// Reads the text of a configuration file; `path` is named in errors.
///
/// # Errors
/// If what it says is not understood.
pub fn parse(text: &[u8], path: &Path) -> Result<Choice, ConfigError> {
    let file: File = toml::from_slice(text).map_err(|source| ConfigError::Syntax {
        path: path.to_owned(),
        source: Box::new(source),
    })?;
    Ok(Choice {
        backend: file.firewall_backend,
        layout: file.layout.map(|LayoutName(layout)| layout),
        table: file.table,
        iptables: file.iptables.map(|ProgramsName(programs)| programs),
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
        assert!(told("firewall_backend = \"pf\"").contains("`pf` is no backend"));
        assert!(told("table = \"ip\"").contains("a word of nft's language"));
        assert!(told("tabel = \"x\"").contains("unknown field `tabel`"));
    }

    #[test]
    fn a_named_file_must_be_there() {
        let missing = Path::new("/nonexistent/palisade.toml");
        assert!(matches!(read(Some(missing)), Err(ConfigError::File { .. })));
    }
}
