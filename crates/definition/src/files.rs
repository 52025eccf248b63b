//! Reading definitions from files, directories and standard input.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use palisade_core::words::shown;

use super::error::DefinitionError;
use super::read_fault::ReadFault;
use super::source::{MAX_SIZE, Source};

/// How many ignored files the warning names.
const MAX_NAMED: usize = 3;

/// Whether directories among the files are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Directories {
    /// A directory is an error.
    Refused,
    /// A directory means the definitions in it.
    Read,
}

/// The whole text of a source, up to [`MAX_SIZE`].
pub(crate) fn read(source: &Source) -> Result<Vec<u8>, ReadFault> {
    let bytes = match source {
        Source::File(path) => File::open(path).and_then(bounded),
        Source::StandardInput => bounded(io::stdin().lock()),
    }
    .map_err(ReadFault::Io)?;
    if bytes.len() > MAX_SIZE {
        return Err(ReadFault::TooLarge);
    }
    Ok(bytes)
}

fn bounded(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(MAX_SIZE as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The sources that these paths name, with the files of directories.
pub(crate) fn sources<P: AsRef<Path>>(
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

/// The definitions in a directory, in the order of their names.
///
/// A pipe or a device with such a name is an error: opening it could block.
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
    let (paths, ignored): (Vec<PathBuf>, Vec<PathBuf>) =
        paths.into_iter().partition(|path| is_definition(path));
    warn_of_ignored(directory, &ignored);
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

/// Warns of files that a user may believe to be definitions.
fn warn_of_ignored(directory: &Path, ignored: &[PathBuf]) {
    let name = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        shown(&name)
    };
    let mut names: Vec<String> = ignored.iter().take(MAX_NAMED).map(name).collect();
    match ignored.len().saturating_sub(MAX_NAMED) {
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
