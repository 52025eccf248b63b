//! Where things are looked for: the state directory, network namespaces.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, Uid, access};
use palisade_core::Hint;
use palisade_core::words::in_words;
use thiserror::Error;

use crate::user_namespace;

/// The state directory of the system.
pub const SYSTEM: &str = "/run/palisade";

/// Why there is no state directory.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FolderError {
    /// It could not be made or looked at.
    #[error("cannot use {} as the state directory: {}", .path.display(), in_words(.source))]
    Unusable {
        /// The folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Others could write into it, or it belongs to them.
    #[error("{} is not a folder of yours that nobody else can enter", .path.display())]
    NotPrivate {
        /// The folder.
        path: PathBuf,
    },
}

impl Hint for FolderError {
    fn hint(&self) -> Cow<'_, str> {
        "name another one with --state-dir".into()
    }
}

/// The usual state directory: [`SYSTEM`] for root; for a plain user `$XDG_RUNTIME_DIR/palisade`,
/// without that a folder of its own under the temporary directory. A plain user that is root of a
/// user namespace, and may not write to the system's, is one still.
///
/// # Errors
/// If that last one is somebody else's, or open to others.
pub fn usual() -> Result<PathBuf, FolderError> {
    if Uid::effective().is_root() && (user_namespace::is_initial() || is_writable(SYSTEM)) {
        return Ok(PathBuf::from(SYSTEM));
    }
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    if let Some(runtime) = runtime.filter(|path| path.is_absolute()) {
        return Ok(runtime.join("palisade"));
    }
    let user = user_namespace::user_outside();
    let path = std::env::temp_dir().join(format!("palisade-{user}"));
    own(&path)?;
    Ok(path)
}

/// Whether this process may write to a folder, or make it.
fn is_writable(folder: &str) -> bool {
    let folder = Path::new(folder);
    let mut there = folder.ancestors().filter(|folder| folder.exists());
    let may = AccessFlags::W_OK | AccessFlags::X_OK;
    there.next().is_some_and(|there| access(there, may).is_ok())
}

/// A folder under a directory that everybody may write to: it may be there already, made by
/// somebody who waits for us to write into it.
fn own(path: &Path) -> Result<(), FolderError> {
    let unusable = |source| FolderError::Unusable {
        path: path.to_owned(),
        source,
    };
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(unusable(error)),
    }
    let found = fs::symlink_metadata(path).map_err(unusable)?;
    let is_private =
        found.is_dir() && found.uid() == Uid::effective().as_raw() && found.mode() & 0o077 == 0;
    if is_private {
        Ok(())
    } else {
        Err(FolderError::NotPrivate {
            path: path.to_owned(),
        })
    }
}

/// The file of a network namespace: a name is one under `/run/netns`, as `ip netns` has them.
#[must_use]
pub fn namespace(name_or_path: &str) -> PathBuf {
    if name_or_path.contains('/') {
        PathBuf::from(name_or_path)
    } else {
        Path::new("/run/netns").join(name_or_path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_others_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let mine = parent.path().join("mine");
        own(&mine).unwrap();
        own(&mine).unwrap();
        let open = parent.path().join("open");
        fs::DirBuilder::new().mode(0o755).create(&open).unwrap();
        assert!(matches!(own(&open), Err(FolderError::NotPrivate { .. })));
        let link = parent.path().join("link");
        std::os::unix::fs::symlink(&mine, &link).unwrap();
        assert!(matches!(own(&link), Err(FolderError::NotPrivate { .. })));
    }

    #[test]
    fn namespaces() {
        assert_eq!(namespace("lab"), Path::new("/run/netns/lab"));
        assert_eq!(namespace("/proc/1/ns/net"), Path::new("/proc/1/ns/net"));
    }
}
