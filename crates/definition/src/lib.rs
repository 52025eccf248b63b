//! Definitions of networks: what users write, read into [`Network`]s.
//!
//! There are three formats: libvirt's network XML, TOML and JSON. The beginning of a text decides its
//! format, not the name of its file. Errors are [`DefinitionError`]s with a place and a hint. Nothing
//! is guessed, except for libvirt's own defaults.
//!
//! Definitions are not trusted: they are read up to [`MAX_SIZE`], nesting is bounded, and entities,
//! external files and document types of XML are refused.
//!
//! Each format is a feature (`xml`, `toml`, `json`), and all are on by default.
//!
//! ```
//! use std::path::Path;
//!
//! use palisade_definition::{Source, parse};
//!
//! let text = b"name = 'lab'\nbridge = 'virbr1'\n";
//! let networks = parse(&Source::at(Path::new("lab.toml")), text)?;
//! assert_eq!(networks[0].name().as_str(), "lab");
//! # Ok::<(), palisade_definition::DefinitionError>(())
//! ```

#![forbid(unsafe_code)]
// The formats share code. A build without one of them leaves some of it unused.
#![cfg_attr(
    not(all(feature = "xml", feature = "toml", feature = "json")),
    allow(dead_code, unused_imports)
)]

mod across_files;
mod conflict_fault;
mod contradiction;
mod draft;
mod duplicate_fault;
mod error;
mod fault;
#[cfg(any(feature = "toml", feature = "json"))]
mod fields;
mod files;
mod format;
#[cfg(feature = "toml")]
mod from_toml;
mod message;
mod nearest;
mod position;
mod read_fault;
mod source;
mod span;
mod spanned_fault;
mod value_fault;
#[cfg(feature = "xml")]
mod xml;

use std::path::Path;

use palisade_core::Network;

pub use conflict_fault::ConflictFault;
pub use contradiction::Contradiction;
pub use duplicate_fault::DuplicateFault;
pub use error::DefinitionError;
pub use fault::Fault;
#[cfg(any(feature = "toml", feature = "json"))]
pub use fields::FieldFault;
pub use files::Directories;
pub use format::DefinitionFormat;
#[cfg(feature = "toml")]
pub use from_toml::{TomlError, from_toml};
pub use read_fault::ReadFault;
pub use source::{MAX_SIZE, Source};
pub use value_fault::ValueFault;
#[cfg(feature = "xml")]
pub use xml::{ElementFault, MarkupFault};

use draft::LocatedNetwork;
use source::SourceText;
use span::Span;
use spanned_fault::{AtSpan, SpannedFault};

/// Reads the networks of one file; `-` is standard input.
///
/// # Errors
/// If the file cannot be read or is not a definition: see [`Fault`].
pub fn read(path: &Path) -> Result<Vec<Network>, DefinitionError> {
    let (_, located) = read_source(Source::at(path))?;
    Ok(networks(located))
}

/// Reads the networks of these files, in the order given; `-` is standard input, at most once.
///
/// With [`Directories::Read`], a directory means its files `*.xml`, `*.toml` and `*.json` in the
/// order of their names, except hidden ones; a warning in the log names the other files.
///
/// # Errors
/// All errors of all files, in the same order. If there are none: all names that several files
/// define, or all conflicts between networks, since no command can run both.
pub fn read_all<P: AsRef<Path>>(
    paths: impl IntoIterator<Item = P>,
    directories: Directories,
) -> Result<Vec<Network>, Vec<DefinitionError>> {
    let mut read = Vec::new();
    let mut errors = Vec::new();
    for source in files::sources(paths, directories) {
        match source.and_then(read_source) {
            Ok(text) => read.push(text),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() {
        errors = across_files::duplicate_errors(&read);
    }
    if errors.is_empty() {
        errors = across_files::conflict_errors(&read);
    }
    if errors.is_empty() {
        let located = read.into_iter().flat_map(|(_, located)| located);
        Ok(networks(located))
    } else {
        Err(errors)
    }
}

/// Reads the networks of a text; errors name `source` as its origin.
///
/// # Errors
/// If the text is not a definition: see [`Fault`].
pub fn parse(source: &Source, bytes: &[u8]) -> Result<Vec<Network>, DefinitionError> {
    if bytes.len() > MAX_SIZE {
        return Err(DefinitionError::whole(source, ReadFault::TooLarge));
    }
    let located = located(bytes).map_err(|fault| DefinitionError::new(source, bytes, fault))?;
    Ok(networks(located))
}

fn networks(located: impl IntoIterator<Item = LocatedNetwork>) -> Vec<Network> {
    located.into_iter().map(|located| located.network).collect()
}

/// Reads a source's text, and the networks in it.
fn read_source(source: Source) -> Result<(SourceText, Vec<LocatedNetwork>), DefinitionError> {
    let bytes = match files::read(&source) {
        Ok(bytes) => bytes,
        Err(fault) => return Err(DefinitionError::whole(&source, fault)),
    };
    let text = SourceText { source, bytes };
    let located = located(&text.bytes).map_err(|fault| DefinitionError::within(&text, fault))?;
    Ok((text, located))
}

fn located(bytes: &[u8]) -> Result<Vec<LocatedNetwork>, SpannedFault> {
    let text = decode(bytes)?;
    match DefinitionFormat::of(text) {
        None => Err(ReadFault::Empty.at(Span::new(0, 0))),
        #[cfg(feature = "xml")]
        Some(DefinitionFormat::Xml) => xml::read(text).map(|network| vec![network]),
        #[cfg(feature = "toml")]
        Some(DefinitionFormat::Toml) => fields::read_toml(text),
        #[cfg(feature = "json")]
        Some(DefinitionFormat::Json) => fields::read_json(text),
        #[allow(unreachable_patterns, reason = "each format is a feature")]
        Some(format) => Err(ReadFault::FormatLeftOut(format).at(Span::new(0, 0))),
    }
}

/// The text without its byte order mark. Spans count from there.
fn decode(bytes: &[u8]) -> Result<&str, SpannedFault> {
    let bytes = position::without_byte_order_mark(bytes);
    if bytes.starts_with(&[0xFE, 0xFF]) || bytes.starts_with(&[0xFF, 0xFE]) {
        return Err(ReadFault::Utf16.at(Span::new(0, 2)));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let byte = bytes.get(at).copied().unwrap_or_default();
        ReadFault::NotUtf8 { byte }.at(Span::new(at, at + error.error_len().unwrap_or(1)))
    })
}
