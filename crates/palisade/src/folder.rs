//! Where things are looked for: the state directory, network namespaces.

use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, Uid, access};
use palisade_core::user_namespace;

/// The state directory of the system.
pub const SYSTEM: &str = "/run/palisade";

/// The usual state directory: [`SYSTEM`] for root; for a plain user `$XDG_RUNTIME_DIR/palisade`,
/// without that a folder of its own under the temporary directory. A plain user that is root of a
/// user namespace, and may not write to the system's, is one still. Whether it can be trusted is
/// seen when it is opened.
#[must_use]
pub fn usual() -> PathBuf {
    if Uid::effective().is_root() && (user_namespace::is_initial() || is_writable(SYSTEM)) {
        return PathBuf::from(SYSTEM);
    }
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    if let Some(runtime) = runtime.filter(|path| path.is_absolute()) {
        return runtime.join("palisade");
    }
    let user = user_namespace::user_outside();
    std::env::temp_dir().join(format!("palisade-{user}"))
}

/// Whether this process may write to a folder, or make it.
fn is_writable(folder: &str) -> bool {
    let folder = Path::new(folder);
    let mut there = folder.ancestors().filter(|folder| folder.exists());
    let may = AccessFlags::W_OK | AccessFlags::X_OK;
    there.next().is_some_and(|there| access(there, may).is_ok())
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
    fn namespaces() {
        assert_eq!(namespace("lab"), Path::new("/run/netns/lab"));
        assert_eq!(namespace("/proc/1/ns/net"), Path::new("/proc/1/ns/net"));
    }
}
