//! Names of files: in errors, and new ones.

use std::io;

use super::error::StorageError;
use super::operations::Storage;

/// Names the file in an error.
pub(crate) fn file_error<'a>(
    action: &'static str,
    storage: &'a dyn Storage,
    path: &'a str,
) -> impl FnOnce(io::Error) -> StorageError + use<'a> {
    move |source| StorageError::File {
        action,
        path: match path {
            "" => storage.place(),
            path => format!("{}/{path}", storage.place()),
        },
        source,
    }
}

/// `name-1`, or with the first number that is not among these names.
pub(crate) fn free_name(name: &str, there: &[String]) -> String {
    let mut numbered = (1..).map(|number: u64| format!("{name}-{number}"));
    let free = numbered.find(|numbered| !there.contains(numbered));
    free.unwrap_or_else(|| name.to_owned())
}
