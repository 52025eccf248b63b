//! Reasons why a file gives no text.

use std::borrow::Cow;
use std::io;

use palisade_core::words::in_words;
use palisade_core::{ErrorKind, Hint};
use thiserror::Error;

use super::format::DefinitionFormat;
use super::source::MAX_SIZE;

/// A file that gives no text of a definition.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadFault {
    /// The file cannot be opened or read.
    #[error("cannot be read: {}", in_words(.0))]
    Io(#[source] io::Error),
    /// An entry of a directory that has the name of a definition and is no file.
    #[error("is not a file")]
    NotAFile,
    /// Standard input is named a second time; it can be read only once.
    #[error("is named twice")]
    Twice,
    /// The text is larger than [`MAX_SIZE`].
    #[error("is larger than {MAX_SIZE} bytes")]
    TooLarge,
    /// The text is empty, or white space only.
    #[error("holds no network")]
    Empty,
    /// The text begins with the byte order mark of UTF-16, and is not UTF-16.
    #[error("the text begins as UTF-16, but is not")]
    Utf16,
    /// A byte that belongs to no character.
    #[error("byte 0x{byte:02x} is not UTF-8")]
    NotUtf8 {
        /// The byte.
        byte: u8,
    },
    /// The text is in a format that this build leaves out.
    #[error("this program does not read {0}")]
    FormatLeftOut(DefinitionFormat),
}

impl Hint for ReadFault {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Definition
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Io(error) => match error.kind() {
                io::ErrorKind::NotFound => "check the path",
                io::ErrorKind::PermissionDenied => {
                    "check the permissions of the file and its folders"
                }
                io::ErrorKind::IsADirectory => "name the files in it",
                _ => "give a file that can be read, or - for standard input",
            },
            Self::NotAFile => "move it away, or name the files one by one",
            Self::Twice => "give - once, with all networks in one text",
            Self::TooLarge => "is this the right file? split it if it really holds networks",
            Self::Empty => "write a network as libvirt's XML, as TOML or as JSON",
            Self::Utf16 | Self::NotUtf8 { .. } => "save the file as UTF-8",
            Self::FormatLeftOut(_) => "write the definition in another format",
        }
        .into()
    }
}
