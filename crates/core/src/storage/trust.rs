//! Which files and folders palisade uses: what they must be, who may own them, and who may write to
//! them.
//!
//! Root believes what is in the state directory, and writes there. So nobody but root may be able
//! to put anything there, or to put another folder in its place.

use std::borrow::Cow;
use std::fmt;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use nix::unistd::{Uid, User};
use thiserror::Error;

use crate::error_kind::ErrorKind;
use crate::hint::Hint;
use crate::user_namespace;

const STICKY: u32 = 0o1000;
const WRITABLE_BY_OTHERS: u32 = 0o022;
const ELSEWHERE: &str = "name another folder with --state-dir";

/// Decides what a process of this user trusts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trust {
    user: Uid,
}

/// A file or folder that is not used.
#[derive(Debug, Error)]
#[error("{} {fault}", .path.display())]
pub(super) struct Distrusted {
    path: PathBuf,
    fault: Fault,
}

/// Why a file or folder is not used.
#[derive(Debug)]
pub(super) enum Fault {
    /// It is something else.
    Kind {
        found: &'static str,
        expected: &'static str,
    },
    /// Something is in the place of the state directory or of a parent.
    NoFolder { found: &'static str },
    /// Another user owns it, and may change what is in it.
    Owner { owner: Owner, user: Uid },
    /// Its owner is trusted, but others may write to it.
    Writable { owner: Owner },
}

/// The owner and the mode of a file or folder, and whether it is above the state directory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner {
    user: u32,
    mode: u32,
    is_parent: bool,
}

impl Trust {
    pub(super) fn of_this_process() -> Self {
        Self {
            user: Uid::effective(),
        }
    }

    /// A parent of the state directory: its owner may put anything in place of what is in it, and
    /// so may others who may write to it, unless it is sticky. Those of a plain user may be writable
    /// to a group: who moves the state directory away cannot make another one that this user owns.
    pub(super) fn parent(self, found: &Metadata) -> Result<(), Fault> {
        let owner = Owner::of(found, true);
        if !self.owns(found) && !is_of_the_system(found) {
            return Err(self.foreign(owner));
        }
        let is_replaceable = is_writable(found) && !is_sticky(found);
        if is_replaceable && self.user.is_root() && user_namespace::is_initial() {
            return Err(Fault::Writable { owner });
        }
        Ok(())
    }

    /// A symbolic link on the way to the state directory, and the folder that it is in.
    pub(super) fn link(self, found: &Metadata, folder: &Metadata) -> Result<(), Fault> {
        if self.owns(found) || is_of_the_system(found) && !is_writable(folder) {
            Ok(())
        } else {
            Err(self.foreign(Owner::of(found, true)))
        }
    }

    /// The state directory. It may be sticky, as the root of a tmpfs is: what others make there is
    /// not used, and they cannot replace what is.
    pub(super) fn state_directory(self, found: &Metadata) -> Result<(), Fault> {
        if is_sticky(found) {
            self.owned(found)
        } else {
            self.private(found)
        }
    }

    /// A folder of the state.
    pub(super) fn folder(self, found: &Metadata) -> Result<(), Fault> {
        is_folder(found)?;
        self.private(found)
    }

    /// A file of the state.
    pub(super) fn file(self, found: &Metadata) -> Result<(), Fault> {
        is_file(found)?;
        self.private(found)
    }

    /// A file whose content counts for nothing, so that others may have been able to write to it.
    pub(super) fn file_without_content(self, found: &Metadata) -> Result<(), Fault> {
        is_file(found)?;
        self.owned(found)
    }

    /// Whether this process may change the mode.
    pub(super) fn is_owner(self, found: &Metadata) -> bool {
        found.uid() == self.user.as_raw()
    }

    fn private(self, found: &Metadata) -> Result<(), Fault> {
        self.owned(found)?;
        if is_writable(found) {
            let owner = Owner::of(found, false);
            return Err(Fault::Writable { owner });
        }
        Ok(())
    }

    fn owned(self, found: &Metadata) -> Result<(), Fault> {
        if self.owns(found) {
            Ok(())
        } else {
            Err(self.foreign(Owner::of(found, false)))
        }
    }

    fn owns(self, found: &Metadata) -> bool {
        self.is_owner(found) || found.uid() == 0
    }

    fn foreign(self, owner: Owner) -> Fault {
        Fault::Owner {
            owner,
            user: self.user,
        }
    }
}

/// Whether it is a folder, where the state directory or a parent must be one.
pub(super) fn is_folder_on_the_way(found: &Metadata) -> Result<(), Fault> {
    if found.is_dir() {
        return Ok(());
    }
    let found = kind(found);
    Err(Fault::NoFolder { found })
}

pub(super) fn is_folder(found: &Metadata) -> Result<(), Fault> {
    if found.is_dir() {
        return Ok(());
    }
    let (found, expected) = (kind(found), "a folder");
    Err(Fault::Kind { found, expected })
}

pub(super) fn is_file(found: &Metadata) -> Result<(), Fault> {
    if found.is_file() {
        return Ok(());
    }
    let (found, expected) = (kind(found), "a regular file");
    Err(Fault::Kind { found, expected })
}

fn kind(found: &Metadata) -> &'static str {
    let kind = found.file_type();
    if kind.is_symlink() {
        "a symbolic link"
    } else if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a FIFO"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_file() {
        "a regular file"
    } else {
        "a device"
    }
}

/// Whether it belongs to a user that a user namespace does not know: the host's root, as far as that
/// can be seen from inside.
fn is_of_the_system(found: &Metadata) -> bool {
    !user_namespace::is_initial() && found.uid() == user_namespace::unmapped_user()
}

fn is_writable(found: &Metadata) -> bool {
    found.mode() & WRITABLE_BY_OTHERS != 0
}

fn is_sticky(found: &Metadata) -> bool {
    found.mode() & STICKY != 0
}

impl Owner {
    fn of(found: &Metadata, is_parent: bool) -> Self {
        Self {
            user: found.uid(),
            mode: found.mode() & 0o7777,
            is_parent,
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "belongs to {}, mode {:04o}", named(self.user), self.mode)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind { found, expected } => write!(f, "is {found}, not {expected}"),
            Self::NoFolder { found } => write!(f, "is {found}, not a folder"),
            Self::Owner { owner, user } if user.is_root() => {
                write!(f, "{owner}; root uses only what belongs to root")
            }
            Self::Owner { owner, user } => {
                let user = named(user.as_raw());
                write!(
                    f,
                    "{owner}; {user} uses only what belongs to {user} or root"
                )
            }
            Self::Writable { owner } => write!(f, "{owner}: others may write to it"),
        }
    }
}

fn named(user: u32) -> String {
    if user == 0 {
        return "root".to_owned();
    }
    match User::from_uid(Uid::from_raw(user)) {
        Ok(Some(known)) => format!("{} (user {user})", known.name),
        _ => format!("user {user}"),
    }
}

impl Fault {
    pub(super) fn at(self, path: impl Into<PathBuf>) -> io::Error {
        let path = path.into();
        io::Error::other(Distrusted { path, fault: self })
    }
}

impl Distrusted {
    /// The one behind an error of the file system, if there is one.
    pub(super) fn behind(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl Hint for Distrusted {
    fn kind(&self) -> ErrorKind {
        ErrorKind::State
    }

    fn hint(&self) -> Cow<'_, str> {
        let path = word(&self.path);
        let command = match self.fault {
            Fault::Kind { .. } => return "move it away: only palisade may put files there".into(),
            Fault::Owner { owner, user } if user.is_root() && !owner.is_parent => {
                format!("`chown -R root {path}` if you trust what is in it")
            }
            Fault::NoFolder { .. } | Fault::Owner { .. } => return ELSEWHERE.into(),
            Fault::Writable { owner } if owner.is_parent => format!("`chmod go-w {path}`"),
            Fault::Writable { .. } => {
                format!("`chmod -R go-w {path}` if you trust what is in it")
            }
        };
        format!("{command}, or {ELSEWHERE}").into()
    }
}

/// A path as one word for a shell.
fn word(path: &Path) -> String {
    let text = path.to_string_lossy();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if text.chars().all(is_plain) {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
