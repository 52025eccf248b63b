//! The text of the workspace's files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Files by their paths below the workspace's folder.
#[derive(Debug, Default)]
pub(super) struct Files(BTreeMap<PathBuf, String>);

impl Files {
    /// Reads all sources, manifests and documents below a folder.
    pub(super) fn read(folder: &Path) -> Result<Self, String> {
        let mut files = Self::default();
        files.read_folder(folder, Path::new(""))?;
        Ok(files)
    }

    fn read_folder(&mut self, root: &Path, below: &Path) -> Result<(), String> {
        let fail = |error| format!("cannot read {}: {error}", root.join(below).display());
        for entry in std::fs::read_dir(root.join(below)).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let path = below.join(entry.file_name());
            let kind = entry.file_type().map_err(fail)?;
            let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
            if is_hidden || path == Path::new("target") {
                continue;
            }
            if kind.is_dir() {
                self.read_folder(root, &path)?;
            } else if kind.is_file() && has_extension(&path, &["rs", "toml", "md"]) {
                let text = std::fs::read_to_string(root.join(&path)).map_err(fail)?;
                self.0.insert(path, text);
            }
        }
        Ok(())
    }

    pub(super) fn get(&self, path: &Path) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    /// A line of a file, counted from 1.
    pub(super) fn line(&self, path: &Path, line: usize) -> &str {
        let mut lines = self.get(path).unwrap_or_default().lines();
        lines.nth(line.saturating_sub(1)).unwrap_or_default().trim()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Path, &str)> {
        let files = self.0.iter();
        files.map(|(path, text)| (path.as_path(), text.as_str()))
    }
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| extensions.contains(&extension))
}

#[cfg(test)]
impl<const N: usize> From<[(&str, &str); N]> for Files {
    fn from(files: [(&str, &str); N]) -> Self {
        let files = files.map(|(path, text)| (PathBuf::from(path), text.to_owned()));
        Self(BTreeMap::from(files))
    }
}

#[cfg(test)]
impl Files {
    /// Adds files, in the place of those of the same names.
    pub(super) fn extend<const N: usize>(&mut self, files: [(&str, &str); N]) {
        self.0.append(&mut Self::from(files).0);
    }
}
