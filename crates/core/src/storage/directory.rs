//! State in a directory of the file system.
//!
//! Folders are opened once, and everything in them relative to their descriptors. No symbolic link
//! is followed below the state directory, and nothing but regular files is read or written. Which
//! of them are used, [`trust`](super::trust) says.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use nix::dir::{Dir, Type};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat, renameat};
use nix::sys::stat::{Mode, SFlag, fstatat};
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::error::StorageError;
use super::lock::{Lock, LockError};
use super::named::file_error;
use super::operations::{Storage, Version};
use super::trust::{Trust, is_file, is_folder};
use super::walk;

/// The mode of files, whatever the umask says.
const MODE: u32 = 0o600;
const LOCK: &str = "lock";
/// Room for a look whether anything follows.
const BEYOND: usize = 32;
/// The name of a file that will replace another one: this, and six letters or digits.
const TEMPORARY: &str = ".tmp";

/// A folder below the state directory. It is made, with the folders in it, when something is written.
#[derive(Debug)]
pub struct Directory {
    state_directory: PathBuf,
    name: String,
    contents: Contents,
    trust: Cell<Trust>,
    opened: RefCell<Opened>,
    /// Whether this process has looked at all that is in it.
    is_examined: Cell<bool>,
}

/// What may be in the folder beside the lock and files that were set aside.
#[derive(Debug, Clone, Copy)]
pub struct Contents {
    /// Its files.
    pub files: &'static [&'static str],
    /// Its folders.
    pub folders: &'static [&'static str],
}

/// The folders that are open.
#[derive(Debug, Default)]
struct Opened {
    /// The folder itself.
    itself: Option<Arc<File>>,
    /// Those in it, by their names.
    below: BTreeMap<String, Arc<File>>,
}

impl Directory {
    /// The folder `name` below the state directory. Nothing is made yet: reading needs no right to
    /// write.
    #[must_use]
    pub fn below(state_directory: PathBuf, name: String, contents: Contents) -> Self {
        Self {
            state_directory,
            name,
            contents,
            trust: Cell::new(Trust::of_this_process()),
            opened: RefCell::default(),
            is_examined: Cell::new(false),
        }
    }

    fn itself(&self) -> PathBuf {
        self.state_directory.join(&self.name)
    }

    fn path(&self, path: &str) -> PathBuf {
        self.itself().join(path)
    }

    /// Opens the folder itself, or one in it.
    fn folder(&self, name: &str, make: bool) -> io::Result<Arc<File>> {
        let opened = self.opened.borrow().itself.clone();
        let itself = match opened {
            Some(itself) => itself,
            None => self.open_itself(make)?,
        };
        if name.is_empty() {
            return Ok(itself);
        }
        if let Some(folder) = self.opened.borrow().below.get(name) {
            return Ok(folder.clone());
        }
        let folder = walk::below(&itself, name, make)?;
        let trusted = self.trust.get().folder(&folder.metadata()?);
        trusted.map_err(|fault| fault.at(self.path(name)))?;
        let folder = Arc::new(folder);
        let below = &mut self.opened.borrow_mut().below;
        below.insert(name.to_owned(), folder.clone());
        Ok(folder)
    }

    fn open_itself(&self, make: bool) -> io::Result<Arc<File>> {
        let trust = Trust::of_this_process();
        let state_directory = walk::open(&self.state_directory, make, trust)?;
        let itself = walk::below(&state_directory, self.name.as_str(), make)?;
        let trusted = trust.folder(&itself.metadata()?);
        trusted.map_err(|fault| fault.at(self.itself()))?;
        let itself = Arc::new(itself);
        self.trust.set(trust);
        self.opened.borrow_mut().itself = Some(itself.clone());
        Ok(itself)
    }

    /// Does something in the folder of a path, with the last name on it. Where nothing is found
    /// because the folder was deleted, it is done in the one that has its name now.
    fn in_folder<T>(
        &self,
        path: &str,
        make: bool,
        act: impl Fn(&File, &str) -> io::Result<T>,
    ) -> io::Result<T> {
        let (folder, name) = split(path);
        let attempt = || act(&*self.folder(folder, make)?, name);
        match attempt() {
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.is_deleted(folder) => {
                self.opened.take();
                attempt()
            }
            done => done,
        }
    }

    /// Whether a folder that is open was deleted.
    fn is_deleted(&self, folder: &str) -> bool {
        let opened = self.opened.borrow();
        let folders = [opened.itself.as_ref(), opened.below.get(folder)];
        let is_deleted = |folder: &Arc<File>| folder.metadata().is_ok_and(|it| it.nlink() == 0);
        folders.into_iter().flatten().any(is_deleted)
    }

    /// Closes the folders that may have got another name since they were opened.
    fn look_again(&self) {
        let opened = &mut *self.opened.borrow_mut();
        opened.below.clear();
        let is_there = |folder: &Arc<File>| match (folder.metadata(), fs::metadata(self.itself())) {
            (Ok(open), Ok(there)) => (open.dev(), open.ino()) == (there.dev(), there.ino()),
            _ => false,
        };
        opened.itself = opened.itself.take().filter(is_there);
    }

    /// Opens the folder itself, or one in it, to list what is in it.
    fn list(&self, name: &str) -> io::Result<Dir> {
        let itself = self.folder("", false)?;
        let how = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let opened = match name {
            "" => openat(&*itself, ".", how, Mode::empty()),
            name => openat(&*itself, name, how, Mode::empty()),
        };
        let folder = opened.map_err(|error| self.refusal(error, name, &itself, name))?;
        let folder = File::from(folder);
        let trusted = self.trust.get().folder(&folder.metadata()?);
        trusted.map_err(|fault| fault.at(self.path(name)))?;
        Ok(Dir::from_fd(folder.into())?)
    }

    /// Opens a file, which must be a regular one. It waits for nobody at the other end of another.
    fn file(
        &self,
        path: &str,
        folder: &File,
        name: &str,
        how: OFlag,
    ) -> io::Result<(File, Metadata)> {
        let how = how | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let opened = openat(folder, name, how, Mode::from_bits_truncate(MODE));
        let file = File::from(opened.map_err(|error| self.refusal(error, path, folder, name))?);
        let found = file.metadata()?;
        let trust = self.trust.get();
        let trusted = match path {
            LOCK => trust.file_without_content(&found),
            _ => trust.file(&found),
        };
        trusted.map_err(|fault| fault.at(self.path(path)))?;
        let is_unusual = match path {
            LOCK => found.mode() & 0o777 != MODE,
            _ => found.mode() & MODE != MODE,
        };
        if is_unusual && how.contains(OFlag::O_CREAT) && trust.is_owner(&found) {
            file.set_permissions(Permissions::from_mode(MODE))?;
        }
        Ok((file, found))
    }

    /// Why something cannot be opened: the system's error, or what it is instead.
    fn refusal(&self, error: Errno, path: &str, folder: &File, name: &str) -> io::Error {
        match error {
            Errno::ENOENT => error.into(),
            _ => self
                .examine(path, folder, name)
                .err()
                .unwrap_or(error.into()),
        }
    }

    /// Refuses what is not a file, or not a folder where there must be one.
    fn examine(&self, path: &str, folder: &File, name: &str) -> io::Result<()> {
        let Ok(found) = walk::below(folder, name, false) else {
            return Ok(());
        };
        let found = found.metadata()?;
        let is_expected = match self.contents.folders.contains(&path) {
            true => is_folder(&found),
            false => is_file(&found),
        };
        is_expected.map_err(|fault| fault.at(self.path(path)))
    }

    /// Writes a file from its beginning, whether it is there or not.
    fn overwrite(&self, path: &str, folder: &File, name: &str, content: &[u8]) -> io::Result<File> {
        let how = OFlag::O_WRONLY | OFlag::O_CREAT;
        let (mut file, found) = self.file(path, folder, name, how)?;
        if found.len() > 0 {
            file.set_len(0)?;
        }
        file.write_all(content)?;
        Ok(file)
    }

    /// Deletes what killed processes left, and refuses what is no file or folder of the state.
    /// For who has the lock: no other process is writing.
    fn sweep(&self) -> io::Result<()> {
        let folder = self.folder("", false)?;
        for entry in self.list("")?.iter() {
            let entry = entry?;
            let Ok(name) = entry.file_name().to_str() else {
                continue;
            };
            let kind = entry.file_type();
            let is_strange =
                |names: &[&str], expected| names.contains(&name) && kind != Some(expected);
            let Contents { files, folders } = self.contents;
            if is_strange(files, Type::File) || is_strange(folders, Type::Directory) {
                self.examine(name, &folder, name)?;
            } else if is_temporary(name) && kind == Some(Type::File) {
                unlinkat(&*folder, name, UnlinkatFlags::NoRemoveDir)?;
                log::info!(
                    "deleted {}, which a killed process left",
                    self.path(name).display()
                );
            }
        }
        Ok(())
    }
}

/// The folder and the name in it; the folder itself has no name.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

fn is_temporary(name: &str) -> bool {
    let rest = name.strip_prefix(TEMPORARY);
    rest.is_some_and(|rest| rest.len() == 6 && rest.bytes().all(|b| b.is_ascii_alphanumeric()))
}

fn unless_missing<T>(result: io::Result<T>, otherwise: T) -> io::Result<T> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(otherwise),
        result => result,
    }
}

impl Storage for Directory {
    fn place(&self) -> String {
        self.itself().display().to_string()
    }

    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        let read = self.in_folder(path, false, |folder, name| {
            let (file, found) = self.file(path, folder, name, OFlag::O_RDONLY)?;
            // Its length is known. `File` itself would ask for it again, `Take` does not.
            let length = usize::try_from(found.len()).unwrap_or_default();
            let mut content = Vec::with_capacity(length.saturating_add(BEYOND));
            file.take(u64::MAX).read_to_end(&mut content)?;
            Ok(Some(content))
        });
        unless_missing(read, None)
    }

    fn names(&self, folder: &str) -> io::Result<Vec<String>> {
        self.look_again();
        let names = || -> io::Result<Vec<String>> {
            let mut names = Vec::new();
            for entry in self.list(folder)?.iter() {
                let entry = entry?;
                match entry.file_name().to_str() {
                    // What is not UTF-8 is not of our making.
                    Ok("." | "..") | Err(_) => {}
                    Ok(name) => names.push(name.to_owned()),
                }
            }
            Ok(names)
        };
        unless_missing(names(), Vec::new())
    }

    fn make_folder(&self, folder: &str) -> io::Result<()> {
        self.folder(folder, true).map(drop)
    }

    fn write(&self, path: &str, content: &[u8]) -> io::Result<()> {
        self.in_folder(path, true, |folder, name| {
            self.overwrite(path, folder, name, content).map(drop)
        })
    }

    /// The new file is made in the folder above those of records, so that one that is left over is
    /// never taken for a record.
    fn replace(&self, path: &str, content: &[u8]) -> io::Result<()> {
        // No process has a number above 2^22.
        let temporary = format!("{TEMPORARY}{:06x}", std::process::id() & 0xff_ffff);
        self.in_folder(path, true, |folder, name| {
            let itself = self.folder("", true)?;
            let written = self.overwrite(&temporary, &itself, &temporary, content);
            let replaced = written.and_then(|_| {
                self.examine(path, folder, name)?;
                Ok(renameat(&*itself, temporary.as_str(), folder, name)?)
            });
            if replaced.is_err() {
                // Whoever has the lock next tries again.
                let _ = unlinkat(&*itself, temporary.as_str(), UnlinkatFlags::NoRemoveDir);
            }
            replaced
        })
    }

    fn write_through(&self, path: &str, content: &[u8]) -> io::Result<()> {
        self.in_folder(path, false, |folder, name| {
            self.overwrite(path, folder, name, content)?.sync_all()?;
            // The folder too, so that the file's name is on the disk.
            let how = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
            File::from(openat(folder, ".", how, Mode::empty())?).sync_all()
        })
    }

    fn append(&self, path: &str, content: &[u8]) -> io::Result<()> {
        self.in_folder(path, false, |folder, name| {
            let how = OFlag::O_WRONLY | OFlag::O_APPEND;
            let (mut file, _) = self.file(path, folder, name, how)?;
            file.write_all(content)?;
            file.sync_all()
        })
    }

    fn add(&self, path: &str, content: &[u8]) -> io::Result<Version> {
        self.in_folder(path, false, |folder, name| {
            let how = OFlag::O_WRONLY | OFlag::O_APPEND | OFlag::O_CREAT;
            let (mut file, _) = self.file(path, folder, name, how)?;
            file.write_all(content)?;
            let found = file.metadata()?;
            Ok(Version {
                inode: found.ino(),
                length: found.len(),
                changed: (found.mtime(), found.mtime_nsec()),
            })
        })
    }

    fn version(&self, path: &str) -> io::Result<Option<Version>> {
        let found = self.in_folder(path, false, |folder, name| {
            let found = fstatat(folder, name, AtFlags::AT_SYMLINK_NOFOLLOW)?;
            let expected = match self.contents.folders.contains(&path) {
                true => SFlag::S_IFDIR,
                false => SFlag::S_IFREG,
            };
            if found.st_mode & SFlag::S_IFMT.bits() != expected.bits() {
                self.examine(path, folder, name)?;
            }
            Ok(Some(Version {
                inode: found.st_ino,
                length: found.st_size.cast_unsigned(),
                changed: (found.st_mtime, found.st_mtime_nsec),
            }))
        });
        unless_missing(found, None)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let removed = self.in_folder(path, false, |folder, name| {
            Ok(unlinkat(folder, name, UnlinkatFlags::NoRemoveDir)?)
        });
        unless_missing(removed, ())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let renamed = self.in_folder(from, false, |folder, name| {
            let (to_folder, to_name) = split(to);
            let to_folder = self.folder(to_folder, true)?;
            Ok(renameat(folder, name, &*to_folder, to_name)?)
        });
        if !from.contains('/') {
            // It may be a folder that is open.
            self.opened.borrow_mut().below.clear();
        }
        renamed
    }

    fn lock(&self, patience: Duration) -> Result<Lock, StorageError> {
        self.look_again();
        let opened = self.in_folder(LOCK, true, |folder, name| {
            self.file(LOCK, folder, name, OFlag::O_RDWR | OFlag::O_CREAT)
        });
        let path = self.path(LOCK);
        let lock = match opened {
            Ok((file, _)) => Lock::take(file, path, patience)?,
            Err(source) => return Err(LockError::File { path, source }.into()),
        };
        if !self.is_examined.get() {
            self.sweep().map_err(file_error("use", self, ""))?;
            self.is_examined.set(true);
        }
        Ok(lock)
    }
}
