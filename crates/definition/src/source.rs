//! Where definitions come from.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use palisade_core::words::shown;

use super::error::DefinitionError;
use super::fault::ReadFault;

/// The largest definition, in bytes: a thousand times what libvirt's users have.
pub const MAX_SIZE: usize = 1 << 20;

/// How many files that are not read are named.
const FEW: usize = 3;

/// Where a text came from, for its reader and for messages.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// Standard input.
    StandardInput,
}

/// A text that was read, kept for those who point at it.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) source: Source,
    pub(super) bytes: Vec<u8>,
}

/// What a directory among the files means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Directories {
    /// An error.
    Refused,
    /// The definitions in it.
    Read,
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

    /// Everything in it; of what is too large, no more than shows that it is.
    pub(super) fn bytes(&self) -> Result<Vec<u8>, ReadFault> {
        let bytes = match self {
            Self::File(path) => File::open(path).and_then(bounded),
            Self::StandardInput => bounded(io::stdin().lock()),
        }
        .map_err(ReadFault::Io)?;
        if bytes.len() > MAX_SIZE {
            return Err(ReadFault::TooLarge);
        }
        Ok(bytes)
    }
}

fn bounded(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(MAX_SIZE as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.pad(&shown(&path.to_string_lossy())),
            Self::StandardInput => f.pad("standard input"),
        }
    }
}

/// The sources that these paths name, directories taken apart.
pub(super) fn all<P: AsRef<Path>>(
    paths: impl IntoIterator<Item = P>,
    directories: Directories,
) -> Vec<Result<Source, DefinitionError>> {
    let mut sources = Vec::new();
    let mut standard_input = false;
    for path in paths {
        let path = path.as_ref();
        let source = Source::at(path);
        if source == Source::StandardInput && std::mem::replace(&mut standard_input, true) {
            sources.push(Err(DefinitionError::whole(&source, ReadFault::Twice)));
        } else if directories == Directories::Read
            && source != Source::StandardInput
            && path.is_dir()
        {
            sources.extend(within(path));
        } else {
            sources.push(Ok(source));
        }
    }
    sources
}

/// The definitions in a directory, in the order of their names. What bears such a name and is no
/// file is told: to wait for a pipe's other end would be to hang.
fn within(directory: &Path) -> Vec<Result<Source, DefinitionError>> {
    let listed: io::Result<Vec<PathBuf>> = fs::read_dir(directory).and_then(|entries| {
        entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect()
    });
    let mut paths = match listed {
        Ok(paths) => paths,
        Err(error) => {
            let source = Source::File(directory.to_owned());
            return vec![Err(DefinitionError::whole(&source, ReadFault::Io(error)))];
        }
    };
    paths.retain(|path| !is_hidden(path));
    paths.sort();
    let (paths, others): (Vec<PathBuf>, Vec<PathBuf>) =
        paths.into_iter().partition(|path| is_definition(path));
    tell_unread(directory, &others);
    let checked = |path: PathBuf| {
        let found = fs::metadata(&path);
        let source = Source::File(path);
        match found {
            Err(error) => Err(DefinitionError::whole(&source, ReadFault::Io(error))),
            Ok(found) if !found.is_file() => {
                Err(DefinitionError::whole(&source, ReadFault::NotAFile))
            }
            Ok(_) => Ok(source),
        }
    };
    paths.into_iter().map(checked).collect()
}

/// Whoever thinks that a file counts shall hear that it does not.
fn tell_unread(directory: &Path, others: &[PathBuf]) {
    let name = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        shown(&name)
    };
    let mut names: Vec<String> = others.iter().take(FEW).map(name).collect();
    match others.len().saturating_sub(FEW) {
        0 => {}
        more => names.push(format!("{more} more")),
    }
    if !names.is_empty() {
        log::warn!(
            "{}: not read, since names of definitions end in .xml, .toml or .json: {}",
            Source::File(directory.to_owned()),
            names.join(", ")
        );
    }
}

fn is_hidden(path: &Path) -> bool {
    let name = path.file_name();
    name.is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

fn is_definition(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str);
    matches!(extension, Some("xml" | "toml" | "json"))
}
