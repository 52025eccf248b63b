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
mod bridges;
mod conflict_fault;
mod contradiction;
mod draft;
mod duplicate_fault;
mod encoding;
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
#[cfg(any(feature = "xml", feature = "toml", feature = "json"))]
mod vocabulary;
#[cfg(feature = "xml")]
mod xml;

use std::borrow::Cow;
use std::path::Path;

use palisade_core::Network;

pub use bridges::Bridges;
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
#[cfg(any(feature = "xml", feature = "toml", feature = "json"))]
pub use vocabulary::{Place, TableKind};
#[cfg(feature = "xml")]
pub use xml::{ElementFault, MarkupFault, WordKind};

use bridges::Unknown;
use draft::{LocatedNetwork, NetworkDraft};
use encoding::Encoding;
use source::SourceText;
use span::Span;
use spanned_fault::{AtSpan, SpannedFault};

/// Reads the networks of one file; `-` is standard input.
///
/// # Errors
/// If the file cannot be read or is not a definition: see [`Fault`].
pub fn read(path: &Path) -> Result<Vec<Network>, DefinitionError> {
    let (text, located) = read_source(Source::at(path), &Unknown)?;
    Ok(networks(&text, located))
}

/// Reads the networks of these files, in the order given; `-` is standard input, at most once.
///
/// With [`Directories::Read`], a directory means its files `*.xml`, `*.toml` and `*.json` in the
/// order of their names, except hidden ones; a warning in the log names the other files. What is
/// allowed in a definition and probably not meant is a warning in the log, too.
///
/// # Errors
/// All errors of all files, in the same order. If there are none: all names that several files
/// define, or all conflicts between networks, since no command can run both.
pub fn read_all<P: AsRef<Path>>(
    paths: impl IntoIterator<Item = P>,
    directories: Directories,
) -> Result<Vec<Network>, Vec<DefinitionError>> {
    read_all_with(paths, directories, &Unknown)
}

/// Like [`read_all`], for definitions that may leave the name of the bridge to `bridges`.
///
/// # Errors
/// As for [`read_all`].
pub fn read_all_with<P: AsRef<Path>>(
    paths: impl IntoIterator<Item = P>,
    directories: Directories,
    bridges: &dyn Bridges,
) -> Result<Vec<Network>, Vec<DefinitionError>> {
    let mut read = Vec::new();
    let mut errors = Vec::new();
    for source in files::sources(paths, directories) {
        match source.and_then(|source| read_source(source, bridges)) {
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
        let all = read.into_iter();
        Ok(all
            .flat_map(|(text, located)| networks(&text, located))
            .collect())
    } else {
        Err(errors)
    }
}

/// Reads the networks of a text; errors name `source` as its origin.
///
/// # Errors
/// If the text is not a definition: see [`Fault`].
pub fn parse(source: &Source, bytes: &[u8]) -> Result<Vec<Network>, DefinitionError> {
    let (text, located) = read_text(source.clone(), bytes.to_vec(), &Unknown)?;
    Ok(networks(&text, located))
}

/// The networks, after warnings are logged.
fn networks(text: &SourceText, located: Vec<LocatedNetwork>) -> Vec<Network> {
    let network = |located: LocatedNetwork| {
        for warning in &located.warnings {
            log::warn!("{}: {}", text.place(warning.span), warning.value);
        }
        located.network
    };
    located.into_iter().map(network).collect()
}

/// A text, and the networks in it.
type Read = (SourceText, Vec<LocatedNetwork>);

fn read_source(source: Source, bridges: &dyn Bridges) -> Result<Read, DefinitionError> {
    match files::read(&source) {
        Ok(bytes) => read_text(source, bytes, bridges),
        Err(fault) => Err(DefinitionError::whole(&source, fault)),
    }
}

fn read_text(
    source: Source,
    bytes: Vec<u8>,
    bridges: &dyn Bridges,
) -> Result<Read, DefinitionError> {
    if bytes.len() > MAX_SIZE {
        return Err(DefinitionError::whole(&source, ReadFault::TooLarge));
    }
    let (encoding, decoded) =
        Encoding::decode(&bytes).map_err(|fault| DefinitionError::new(&source, &bytes, fault))?;
    let text = SourceText {
        source,
        bytes: match decoded {
            Cow::Owned(decoded) => decoded,
            Cow::Borrowed(_) => bytes,
        },
    };
    let drafts = drafts(&text.bytes, encoding);
    let located = drafts.and_then(|drafts| {
        let located = drafts.into_iter().map(|draft| draft.network(bridges));
        located.collect::<Result<_, _>>()
    });
    match located {
        Ok(located) => Ok((text, located)),
        Err(fault) => Err(DefinitionError::within(&text, fault)),
    }
}

fn drafts(bytes: &[u8], encoding: Encoding) -> Result<Vec<NetworkDraft>, SpannedFault> {
    let text = utf8(bytes)?;
    match DefinitionFormat::of(text) {
        None => Err(ReadFault::Empty.at(Span::new(0, 0))),
        #[cfg(feature = "xml")]
        Some(DefinitionFormat::Xml) => xml::read(text, encoding).map(|network| vec![network]),
        #[cfg(feature = "toml")]
        Some(DefinitionFormat::Toml) => fields::read_toml(text),
        #[cfg(feature = "json")]
        Some(DefinitionFormat::Json) => fields::read_json(text),
        #[allow(unreachable_patterns, reason = "each format is a feature")]
        Some(format) => Err(ReadFault::FormatLeftOut(format).at(Span::new(0, 0))),
    }
}

/// The text without its byte order mark. Spans count from there.
fn utf8(bytes: &[u8]) -> Result<&str, SpannedFault> {
    let bytes = position::without_byte_order_mark(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let byte = bytes.get(at).copied().unwrap_or_default();
        ReadFault::NotUtf8 { byte }.at(Span::new(at, at + error.error_len().unwrap_or(1)))
    })
}
