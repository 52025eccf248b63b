//! Where runs keep their files: in memory, so that no disk is measured.

use std::path::{Path, PathBuf};

use nix::sys::statfs::{TMPFS_MAGIC, statfs};
use tempfile::TempDir;

/// Where Linux has a tmpfs that every program may use.
const SHARED_MEMORY: &str = "/dev/shm";

/// A folder on a tmpfs, that ends with its guard.
#[derive(Debug)]
pub(super) struct Scratch {
    folder: TempDir,
}

impl Scratch {
    pub(super) fn new() -> Result<Self, String> {
        match statfs(SHARED_MEMORY) {
            Ok(found) if found.filesystem_type() == TMPFS_MAGIC => {}
            Ok(_) => return Err(format!("{SHARED_MEMORY} is no tmpfs: mount one there")),
            Err(errno) => return Err(format!("cannot look at {SHARED_MEMORY}: {errno}")),
        }
        Self::below(Path::new(SHARED_MEMORY))
    }

    /// A folder of its own for one run.
    pub(super) fn folder(&self) -> Result<Self, String> {
        Self::below(self.path())
    }

    fn below(parent: &Path) -> Result<Self, String> {
        let folder = tempfile::Builder::new()
            .prefix("palisade-bench-")
            .tempdir_in(parent)
            .map_err(|error| format!("cannot make a folder in {}: {error}", parent.display()))?;
        Ok(Self { folder })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file, in a folder that is made if it is not there.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<PathBuf, String> {
        let path = self.path().join(name);
        let folder = path.parent().unwrap_or(self.path());
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&path, text))
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        Ok(path)
    }
}
