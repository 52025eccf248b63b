//! What is running: the state directory.
//!
//! ```text
//! /run/palisade/                   lives as long as the kernel's rules do
//!     netns-4242/                  a folder for each network namespace, named by its cookie
//!         namespace.json           the boot that the cookie belongs to
//!         lock                     held by the process that changes something
//!         generation.json          the ruleset's generation after our last change
//!         networks/default.json    a file for each running network
//! ```
//!
//! Each file is replaced as a whole and synced, so that a reader sees the old one or the new one.
//! A file that this build cannot read is told, and stays where it is.

mod lock;
mod record;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::network::Name;

pub use lock::{Lock, PATIENCE};
use record::{Filed, Labelled};
pub use record::{Record, SCHEMA};

/// The part of the state directory that belongs to one network namespace.
#[derive(Debug, Clone)]
pub struct State {
    folder: PathBuf,
}

/// What went wrong with the state directory.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StateError {
    /// The kernel refused to read or write a file or folder.
    #[error("cannot {action} {}: {}", .path.display(), in_words(.source))]
    File {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file holds something else than what this build wrote there.
    #[error("{} is not a file of palisade's state: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A newer build wrote the file.
    #[error("{} has schema {found}, this build reads up to {SCHEMA}", .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The schema it has.
        found: u32,
    },
    /// A record is in a file of another name.
    #[error("{} holds the record of network `{name}`", .path.display())]
    Misplaced {
        /// The file.
        path: PathBuf,
        /// The network in it.
        name: Name,
    },
    /// Another of our processes is at work.
    #[error("{} was still held by {holder} after {} s", .path.display(), .waited.as_secs())]
    Locked {
        /// The lock's file.
        path: PathBuf,
        /// Who holds it.
        holder: String,
        /// How long we waited.
        waited: Duration,
    },
}

impl StateError {
    /// The way out, in one line.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::File { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "run as root, or name a folder of your own with --state-dir"
            }
            Self::File { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                "make room, and try again"
            }
            Self::File { .. } => "see to the folder, or name another one with --state-dir",
            Self::Unreadable { .. } | Self::Misplaced { .. } => {
                "move the file away; its rules stay in the kernel until you delete them"
            }
            Self::Newer { .. } => "use the build that wrote it, or a newer one",
            Self::Locked { .. } => "wait for it, or see what it is doing",
        }
    }
}

/// The operating system's words without the number that Rust puts behind them.
fn in_words(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_lowercase(),
        None => text,
    }
}

fn file_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StateError {
    let path = path.to_owned();
    move |source| StateError::File {
        action,
        path,
        source,
    }
}

/// The boot that a namespace's cookie belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Namespace {
    schema: u32,
    boot: String,
    cookie: u64,
}

/// The ruleset's generations after our last changes, by the backend.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Generations {
    schema: u32,
    generations: BTreeMap<String, u64>,
}

impl State {
    /// The state of the network namespace with this cookie (`SO_NETNS_COOKIE`), below `directory`.
    /// Nothing is made yet: reading needs no right to write.
    #[must_use]
    pub fn of(directory: &Path, cookie: u64) -> Self {
        Self {
            folder: directory.join(format!("netns-{cookie}")),
        }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes the folder if needed, and keeps our other processes out until the lock is dropped.
    /// State that was written before the last boot is set aside under another name: what it speaks
    /// of is gone.
    ///
    /// # Errors
    /// If the folder cannot be made, or another process holds the lock for longer than `patience`.
    pub fn lock(&self, cookie: u64, patience: Duration) -> Result<Lock, StateError> {
        self.make_folder(&self.folder)?;
        let lock = Lock::take(&self.folder.join("lock"), patience)?;
        let boot = boot_id()?;
        let path = self.folder.join("namespace.json");
        let now = Namespace {
            schema: SCHEMA,
            boot,
            cookie,
        };
        match read_json::<Namespace>(&path)? {
            Some(then) if then == now => {}
            Some(_) => {
                self.set_aside()?;
                self.replace(&path, &now)?;
            }
            None => self.replace(&path, &now)?,
        }
        self.make_folder(&self.networks())?;
        Ok(lock)
    }

    /// All records, in the order in which the networks were started. Records of another boot do
    /// not count: their rules are gone.
    ///
    /// # Errors
    /// If a file cannot be read, or holds what this build does not understand.
    pub fn records(&self) -> Result<Vec<Record>, StateError> {
        if !self.is_of_this_boot()? {
            return Ok(Vec::new());
        }
        let folder = self.networks();
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(file_error("read", &folder)(error)),
        };
        let mut records = Vec::new();
        for entry in entries {
            let path = entry.map_err(file_error("read", &folder))?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                records.extend(read_record(&path)?);
            }
        }
        records.sort_by(|a, b| (a.order, a.network.name()).cmp(&(b.order, b.network.name())));
        Ok(records)
    }

    /// Writes records; they are on the disk when this returns. However many there are, the disk
    /// is waited for a fixed number of times.
    ///
    /// # Errors
    /// If a file cannot be written or synced. Each record is then either the old or the new one.
    pub fn write<'r>(
        &self,
        records: impl IntoIterator<Item = &'r Record>,
    ) -> Result<(), StateError> {
        let mut files = Vec::new();
        for record in records {
            let path = self.path(record.network.name());
            let schema = SCHEMA;
            let file = self
                .prepare(&Filed { schema, record })
                .map_err(file_error("write", &path))?;
            files.push((file, path));
        }
        match files.as_slice() {
            [] => return Ok(()),
            [(file, path)] => file
                .as_file()
                .sync_all()
                .map_err(file_error("sync", path))?,
            // One sync of the whole file system is cheaper than one for each file.
            [(file, path), ..] => nix::unistd::syncfs(file.as_file())
                .map_err(|errno| file_error("sync", path)(errno.into()))?,
        }
        for (file, path) in files {
            file.persist(&path)
                .map_err(|error| file_error("write", &path)(error.error))?;
        }
        sync_folder(&self.networks())
    }

    /// Forgets networks; those that are not recorded are passed over.
    ///
    /// # Errors
    /// If a file cannot be deleted.
    pub fn forget<'n>(&self, names: impl IntoIterator<Item = &'n Name>) -> Result<(), StateError> {
        let mut forgotten = false;
        for name in names {
            let path = self.path(name);
            match fs::remove_file(&path) {
                Ok(()) => forgotten = true,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(file_error("delete", &path)(error)),
            }
        }
        if forgotten {
            sync_folder(&self.networks())?;
        }
        Ok(())
    }

    /// The ruleset's generation after our last change by this backend, if it is known.
    #[must_use]
    pub fn generation(&self, backend: &str) -> Option<u64> {
        let read = read_json::<Generations>(&self.generations());
        read.ok()??.generations.get(backend).copied()
    }

    /// Remembers the ruleset's generation; none if it is not known. Only a hint that saves work,
    /// so that it need not be synced.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn set_generation(&self, backend: &str, to: Option<u64>) -> Result<(), StateError> {
        let path = self.generations();
        let mut all = read_json::<Generations>(&path)
            .ok()
            .flatten()
            .unwrap_or_default();
        all.schema = SCHEMA;
        match to {
            Some(generation) => all.generations.insert(backend.to_owned(), generation),
            None => all.generations.remove(backend),
        };
        self.prepare(&all)
            .and_then(|file| Ok(file.persist(&path)?))
            .map(drop)
            .map_err(file_error("write", &path))
    }

    fn networks(&self) -> PathBuf {
        self.folder.join("networks")
    }

    fn generations(&self) -> PathBuf {
        self.folder.join("generation.json")
    }

    fn path(&self, name: &Name) -> PathBuf {
        self.networks().join(format!("{name}.json"))
    }

    fn make_folder(&self, folder: &Path) -> Result<(), StateError> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(file_error("make folder", folder))
    }

    fn is_of_this_boot(&self) -> Result<bool, StateError> {
        match read_json::<Namespace>(&self.folder.join("namespace.json"))? {
            Some(namespace) => Ok(namespace.boot == boot_id()?),
            None => Ok(true),
        }
    }

    fn set_aside(&self) -> Result<(), StateError> {
        let networks = self.networks();
        if !networks.exists() {
            return Ok(());
        }
        let aside = (1..)
            .map(|n| self.folder.join(format!("networks.before-boot-{n}")))
            .find(|path| !path.exists())
            .unwrap_or_else(|| self.folder.join("networks.before-boot"));
        log::warn!(
            "{} was written before the last boot: it is now {}",
            networks.display(),
            aside.display()
        );
        fs::rename(&networks, &aside).map_err(file_error("rename", &networks))
    }

    /// Replaces a file as a whole, and syncs it and its folder.
    fn replace(&self, path: &Path, value: &impl Serialize) -> Result<(), StateError> {
        let write = || -> io::Result<()> {
            let file = self.prepare(value)?;
            file.as_file().sync_all()?;
            file.persist(path)?;
            Ok(())
        };
        write().map_err(file_error("write", path))?;
        sync_folder(path.parent().unwrap_or(&self.folder))
    }

    /// A new file, not yet under its name. It is made beside the folder of networks, so that one
    /// that is left over is never taken for a record.
    fn prepare(&self, value: &impl Serialize) -> io::Result<tempfile::NamedTempFile> {
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        // One system call for each file, not one for each token.
        let mut text = serde_json::to_vec_pretty(value)?;
        text.push(b'\n');
        file.write_all(&text)?;
        Ok(file)
    }
}

fn sync_folder(folder: &Path) -> Result<(), StateError> {
    fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(file_error("sync", folder))
}

/// None if there is no such file.
fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, StateError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(file_error("read", path)(error)),
    };
    let unreadable = |source| StateError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let label: Labelled = serde_json::from_slice(&text).map_err(unreadable)?;
    if label.schema > SCHEMA {
        return Err(StateError::Newer {
            path: path.to_owned(),
            found: label.schema,
        });
    }
    serde_json::from_slice(&text).map(Some).map_err(unreadable)
}

fn read_record(path: &Path) -> Result<Option<Record>, StateError> {
    let Some(Filed { record, .. }) = read_json::<Filed<Record>>(path)? else {
        return Ok(None); // Forgotten since the folder was read.
    };
    let name = record.network.name();
    if path.file_stem().is_some_and(|stem| stem == name.as_str()) {
        Ok(Some(record))
    } else {
        Err(StateError::Misplaced {
            path: path.to_owned(),
            name: name.clone(),
        })
    }
}

/// The kernel's name for the time since it was started.
fn boot_id() -> Result<String, StateError> {
    let path = Path::new("/proc/sys/kernel/random/boot_id");
    let text = fs::read_to_string(path).map_err(file_error("read", path))?;
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests;
