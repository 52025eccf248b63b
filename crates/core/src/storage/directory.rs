//! State in a directory of the file system.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::StorageError;
use super::lock::{Lock, LockError};
use super::named::file_error;
use super::operations::{Storage, Version};

/// A folder, and the folders in it that are made when something is written.
#[derive(Debug, Clone)]
pub struct Directory {
    path: PathBuf,
}

impl Directory {
    /// The folder at this path. Nothing is made yet: reading needs no right to write.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn of(&self, path: &str) -> PathBuf {
        self.path.join(path)
    }

    fn make_folder(folder: &Path) -> io::Result<()> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
    }
}

fn unless_missing<T>(result: io::Result<T>, otherwise: T) -> io::Result<T> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(otherwise),
        result => result,
    }
}

fn version(found: &fs::Metadata) -> Version {
    Version {
        inode: found.ino(),
        length: found.len(),
        changed: (found.mtime(), found.mtime_nsec()),
    }
}

impl Storage for Directory {
    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        unless_missing(fs::read(self.of(path)).map(Some), None)
    }

    fn names(&self, folder: &str) -> io::Result<Vec<String>> {
        let read = || -> io::Result<Vec<String>> {
            let mut names = Vec::new();
            for entry in fs::read_dir(self.of(folder))? {
                // What is not UTF-8 is not of our making.
                names.extend(entry?.file_name().into_string().ok());
            }
            Ok(names)
        };
        unless_missing(read(), Vec::new())
    }

    fn write(&self, path: &str, content: &[u8]) -> io::Result<()> {
        let target = self.of(path);
        let open = || {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(0o600);
            options.open(&target)
        };
        let mut file = match (open(), target.parent()) {
            (Err(error), Some(folder)) if error.kind() == io::ErrorKind::NotFound => {
                Self::make_folder(folder)?;
                open()?
            }
            (opened, _) => opened?,
        };
        file.write_all(content)
    }

    /// The new file is made in the folder above those of records, so that one that is left over is
    /// never taken for a record.
    fn replace(&self, path: &str, content: &[u8]) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.path)?;
        file.write_all(content)?;
        let target = self.of(path);
        if let Some(folder) = target.parent() {
            Self::make_folder(folder)?;
        }
        file.persist(target)?;
        Ok(())
    }

    fn write_through(&self, path: &str, content: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(self.of(path))?;
        file.write_all(content)?;
        file.sync_all()?;
        // The folder too, so that the file's name is on the disk.
        File::open(&self.path)?.sync_all()
    }

    fn append(&self, path: &str, content: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().append(true).open(self.of(path))?;
        file.write_all(content)?;
        file.sync_all()
    }

    fn add(&self, path: &str, content: &[u8]) -> io::Result<Version> {
        let mut options = OpenOptions::new();
        options.append(true).create(true).mode(0o600);
        let mut file = options.open(self.of(path))?;
        file.write_all(content)?;
        Ok(version(&file.metadata()?))
    }

    fn version(&self, path: &str) -> io::Result<Option<Version>> {
        let found = unless_missing(fs::metadata(self.of(path)).map(Some), None)?;
        Ok(found.as_ref().map(version))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        unless_missing(fs::remove_file(self.of(path)), ())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let (from, to) = (self.of(from), self.of(to));
        match (fs::rename(&from, &to), to.parent()) {
            // One of the two folders is not there.
            (Err(error), Some(folder)) if error.kind() == io::ErrorKind::NotFound => {
                Self::make_folder(folder)?;
                fs::rename(from, to)
            }
            (renamed, _) => renamed,
        }
    }

    fn lock(&self, patience: Duration) -> Result<Lock, StorageError> {
        let path = self.of("lock");
        match Lock::take(&path, patience) {
            Err(LockError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Self::make_folder(&self.path).map_err(file_error("make folder", self, ""))?;
                Ok(Lock::take(&path, patience)?)
            }
            taken => Ok(taken?),
        }
    }
}
