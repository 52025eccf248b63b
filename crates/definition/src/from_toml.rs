//! Reads TOML into any type, as safely as definitions.

use serde::de::DeserializeOwned;
use thiserror::Error;
use toml_parser::Source;
use toml_parser::lexer::TokenKind;

use super::message::one_line;
use super::position::Position;
use super::span::Span;

/// How many parts a dotted key may have: `ports.start` has two.
const MAX_PARTS: usize = 8;

/// A text that is not TOML, or not what its reader expects.
///
/// `Display` is one line, `LINE:COLUMN: message`, safe to print.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{line}:{column}: {message}")]
pub struct TomlError {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

/// Reads a TOML text. The text need not be trusted.
///
/// # Errors
/// If it is not TOML in UTF-8, or not what `T` expects.
pub fn from_toml<T: DeserializeOwned>(text: &[u8]) -> Result<T, TomlError> {
    let error = |span: Span, message: &str| {
        let Position { line, column, .. } = Position::new(text, span);
        let message = one_line(message);
        TomlError {
            line,
            column,
            message,
        }
    };
    if let Some(span) = std::str::from_utf8(text).ok().and_then(endless_key) {
        return Err(error(span, "a key has too many parts"));
    }
    toml::from_slice(text).map_err(|source| {
        // The parser gives no place for text that is not UTF-8.
        let valid = std::str::from_utf8(text).map_or_else(|error| error.valid_up_to(), str::len);
        let span = source.span().unwrap_or(valid..valid);
        // Lines behind the first are an excerpt of the text, escape sequences included.
        let first = source.message().lines().next();
        error(span.into(), first.unwrap_or("it cannot be read"))
    })
}

/// Finds a key with more than [`MAX_PARTS`] parts.
///
/// The parser bounds the parts of a key, and how deep brackets are nested, but not the product of
/// the two: 80 tables within one another, each with a key of 79 parts, overflow the stack.
pub(crate) fn endless_key(text: &str) -> Option<Span> {
    let mut parts = 1;
    for token in Source::new(text).lex() {
        match token.kind() {
            TokenKind::Dot => parts += 1,
            TokenKind::Equals
            | TokenKind::Comma
            | TokenKind::LeftSquareBracket
            | TokenKind::LeftCurlyBracket
            | TokenKind::RightSquareBracket
            | TokenKind::RightCurlyBracket
            | TokenKind::Newline => parts = 1,
            _ => {}
        }
        if parts > MAX_PARTS {
            return Some(Span::new(token.span().start(), token.span().end()));
        }
    }
    None
}
