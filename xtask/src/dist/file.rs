//! Files, and errors that name them.

use std::fs;
use std::path::Path;

use crate::program::workspace;

/// A file of the workspace.
pub(super) fn read(path: &str) -> Result<String, String> {
    let path = workspace().join(path);
    fs::read_to_string(&path).map_err(naming(&path))
}

pub(super) fn naming(path: &Path) -> impl FnOnce(std::io::Error) -> String + use<> {
    let path = path.display().to_string();
    move |error| format!("{path}: {error}")
}
