//! A folder that goes with the demo.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// A temporary folder of this process alone, deleted when this is dropped.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn new() -> io::Result<Self> {
        let name = format!("palisade-demo-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        // One that is there already may be another user's.
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Deletes the folder, for a process that ends without dropping this.
    pub(super) fn remover(&self) -> impl FnOnce() + use<> {
        let path = self.0.clone();
        move || {
            if let Err(error) = fs::remove_dir_all(&path) {
                log::debug!("cannot delete {}: {error}", path.display());
            }
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.remover()();
    }
}
