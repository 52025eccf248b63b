//! Where definitions come from, and their texts.

use std::fmt;
use std::path::{Path, PathBuf};

use palisade_core::words::shown;

use super::position::Position;
use super::span::Span;

/// The largest definition, in bytes: that of the networks of a large host, all in one file.
pub const MAX_SIZE: usize = 10 << 20;

/// Where a text comes from, as messages name it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// Standard input.
    StandardInput,
}

impl Source {
    /// The file at a path; `-` is standard input.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        if path.as_os_str() == "-" {
            Self::StandardInput
        } else {
            Self::File(path.to_owned())
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.pad(&shown(&path.to_string_lossy())),
            Self::StandardInput => f.pad("standard input"),
        }
    }
}

/// A text that was read, kept for errors that point into it.
#[derive(Debug)]
pub(crate) struct SourceText {
    pub(crate) source: Source,
    /// In UTF-8, unless that is what is wrong.
    pub(crate) bytes: Vec<u8>,
}

impl SourceText {
    /// A span's begin as `FILE:LINE:COLUMN`.
    pub(crate) fn place(&self, span: Span) -> String {
        let Position { line, column, .. } = Position::new(&self.bytes, span);
        format!("{}:{line}:{column}", self.source)
    }
}
