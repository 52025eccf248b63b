//! Opens the state directory from the root of the file system, one folder after the other, each
//! relative to the one before: whoever renames something meanwhile leads nobody elsewhere.

use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use nix::NixPath;
use nix::errno::Errno;
use nix::fcntl::{OFlag, openat, readlinkat};
use nix::sys::stat::{Mode, mkdirat};

use super::trust::{Trust, is_folder_on_the_way};

/// As many as the kernel follows.
const MAX_LINKS: usize = 40;
/// The mode of folders, whatever the umask says.
const FOLDER: u32 = 0o700;

/// Opens the state directory, and makes it and its parents if `make` says so. Its parents may be
/// symbolic links, if those who are trusted made them.
pub(super) fn open(path: &Path, make: bool, trust: Trust) -> io::Result<File> {
    let root = || File::open("/");
    let (mut folder, mut here) = (root()?, PathBuf::from("/"));
    let mut found = folder.metadata()?;
    let mut rest = Vec::new();
    push(&mut rest, &std::path::absolute(path)?);
    let mut links = 0;
    while let Some(name) = rest.pop() {
        trust.parent(&found).map_err(|fault| fault.at(&here))?;
        let next = below(&folder, name.as_os_str(), make)?;
        let there = here.join(&name);
        let found_there = next.metadata()?;
        if found_there.is_symlink() {
            let trusted = trust.link(&found_there, &found);
            trusted.map_err(|fault| fault.at(&there))?;
            links += 1;
            if links > MAX_LINKS {
                return Err(Errno::ELOOP.into());
            }
            let target = PathBuf::from(readlinkat(&next, "")?);
            if target.is_absolute() {
                (folder, here) = (root()?, PathBuf::from("/"));
                found = folder.metadata()?;
            }
            push(&mut rest, &target);
            continue;
        }
        is_folder_on_the_way(&found_there).map_err(|fault| fault.at(&there))?;
        if name == ".." {
            here.pop();
        } else {
            here = there;
        }
        (folder, found) = (next, found_there);
    }
    let trusted = trust.state_directory(&found);
    trusted.map_err(|fault| fault.at(here))?;
    Ok(folder)
}

/// The names on a path, the first one last. An absolute path begins at the root, where the caller is.
fn push(rest: &mut Vec<OsString>, path: &Path) {
    let names = path
        .components()
        .rev()
        .filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some("..".into()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
        });
    rest.extend(names);
}

/// Opens what has this name in a folder, whatever it is, only to look at it or to find something in
/// it. With `make`, a folder is made where nothing is.
pub(super) fn below<N>(folder: &File, name: &N, make: bool) -> io::Result<File>
where
    N: NixPath + ?Sized,
{
    let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let open = || openat(folder, name, flags, Mode::empty()).map(File::from);
    match open() {
        Err(Errno::ENOENT) if make => {}
        opened => return Ok(opened?),
    }
    match mkdirat(folder, name, Mode::from_bits_truncate(FOLDER)) {
        Ok(()) => {}
        Err(Errno::EEXIST) => return Ok(open()?),
        Err(error) => return Err(error.into()),
    }
    let made = open()?;
    if made.metadata()?.mode() & 0o777 != FOLDER {
        // A descriptor of this kind takes no `fchmod`.
        let itself = format!("/proc/self/fd/{}", made.as_raw_fd());
        fs::set_permissions(itself, Permissions::from_mode(FOLDER))?;
    }
    Ok(made)
}
