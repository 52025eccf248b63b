//! Definitions of networks: what users write, read into [`Network`]s.
//!
//! Three formats say the same: libvirt's network XML, TOML and JSON. Which of them a text is in is
//! seen from how it begins, never from its file's name. Whatever is wrong is told as a
//! [`DefinitionError`], with the place and the way out; nothing is guessed, except what libvirt's
//! own defaults say.
//!
//! A definition may come from anybody: it is read up to [`MAX_SIZE`], nesting is bounded, and
//! entities, external files and document types of XML are refused.

#![forbid(unsafe_code)]
// What formats share is checked with all of them; alone, one needs less of it.
#![cfg_attr(
    not(all(feature = "xml", feature = "toml", feature = "json")),
    allow(dead_code, unused_imports)
)]

mod clash;
mod draft;
mod error;
mod fault;
#[cfg(any(feature = "toml", feature = "json"))]
mod fields;
mod format;
#[cfg(feature = "toml")]
mod from_toml;
mod nearest;
mod place;
mod repeated;
mod shown;
mod source;
#[cfg(feature = "xml")]
mod xml;

use std::path::Path;

use palisade_core::Network;

pub use clash::Clash;
pub use draft::Contradiction;
pub use error::DefinitionError;
pub use fault::{Fault, ReadFault, ValueFault};
#[cfg(any(feature = "toml", feature = "json"))]
pub use fields::FieldFault;
pub use format::Format;
#[cfg(feature = "toml")]
pub use from_toml::{TomlError, from_toml};
pub use repeated::Repeated;
pub use source::{Directories, MAX_SIZE, Source};
#[cfg(feature = "xml")]
pub use xml::{ElementFault, MarkupFault};

use draft::Drawn;
use place::{Placed, Problem, Span};
use source::Text;

/// Reads the networks of one file; `-` is standard input.
///
/// # Errors
/// If the file cannot be read or is no definition: see [`Fault`].
pub fn read(path: &Path) -> Result<Vec<Network>, DefinitionError> {
    let (_, drawn) = read_source(Source::at(path))?;
    Ok(networks(drawn))
}

/// Reads the networks of these files, in the order given; `-` is standard input, once at most.
/// Where `directories` are read, one stands for its files `*.xml`, `*.toml` and `*.json`, in the
/// order of their names, without those that begin with a dot; what else is in it is a warning in
/// the log.
///
/// # Errors
/// Everything that is wrong with any of the files, in the same order; or what excludes one another
/// in them, since no command can run both.
pub fn read_all<P: AsRef<Path>>(
    paths: impl IntoIterator<Item = P>,
    directories: Directories,
) -> Result<Vec<Network>, Vec<DefinitionError>> {
    let mut read = Vec::new();
    let mut errors = Vec::new();
    for source in source::all(paths, directories) {
        match source.and_then(read_source) {
            Ok(text) => read.push(text),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() {
        errors = repeated::repeated(&read);
    }
    if errors.is_empty() {
        errors = clash::clashes(&read);
    }
    if errors.is_empty() {
        let drawn = read.into_iter().flat_map(|(_, drawn)| drawn);
        Ok(networks(drawn))
    } else {
        Err(errors)
    }
}

/// Reads the networks of a text that came from `source`, which is named in errors.
///
/// # Errors
/// If the text is no definition: see [`Fault`].
pub fn parse(source: &Source, bytes: &[u8]) -> Result<Vec<Network>, DefinitionError> {
    if bytes.len() > MAX_SIZE {
        return Err(DefinitionError::whole(source, ReadFault::TooLarge));
    }
    let drawn = drawn(bytes).map_err(|problem| DefinitionError::new(source, bytes, problem))?;
    Ok(networks(drawn))
}

fn networks(drawn: impl IntoIterator<Item = Drawn>) -> Vec<Network> {
    drawn.into_iter().map(|drawn| drawn.network).collect()
}

/// A source's text, and the networks in it.
fn read_source(source: Source) -> Result<(Text, Vec<Drawn>), DefinitionError> {
    let bytes = match source.bytes() {
        Ok(bytes) => bytes,
        Err(fault) => return Err(DefinitionError::whole(&source, fault)),
    };
    let text = Text { source, bytes };
    let drawn = drawn(&text.bytes).map_err(|problem| DefinitionError::within(&text, problem))?;
    Ok((text, drawn))
}

fn drawn(bytes: &[u8]) -> Result<Vec<Drawn>, Problem> {
    let text = decode(bytes)?;
    match Format::of(text) {
        None => Err(ReadFault::Nothing.at(Span::new(0, 0))),
        #[cfg(feature = "xml")]
        Some(Format::Xml) => xml::read(text).map(|network| vec![network]),
        #[cfg(feature = "toml")]
        Some(Format::Toml) => fields::read_toml(text),
        #[cfg(feature = "json")]
        Some(Format::Json) => fields::read_json(text),
        #[allow(unreachable_patterns, reason = "each format is a feature")]
        Some(format) => Err(ReadFault::LeftOut(format).at(Span::new(0, 0))),
    }
}

/// The text behind the byte order mark, with which places are counted.
fn decode(bytes: &[u8]) -> Result<&str, Problem> {
    let bytes = place::without_mark(bytes);
    if bytes.starts_with(&[0xFE, 0xFF]) || bytes.starts_with(&[0xFF, 0xFE]) {
        return Err(ReadFault::Utf16.at(Span::new(0, 2)));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let byte = bytes.get(at).copied().unwrap_or_default();
        ReadFault::NotUtf8 { byte }.at(Span::new(at, at + error.error_len().unwrap_or(1)))
    })
}
