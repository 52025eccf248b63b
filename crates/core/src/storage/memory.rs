//! Storage in memory that fails when it is told to: for tests.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::error::StorageError;
use super::lock::Lock;
use super::named::file_error;
use super::operations::{Storage, Version};

/// What happens at the operation that was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// It fails, and the next ones work again.
    Fails,
    /// It is done, and says that it failed.
    FailsLate,
    /// It fails after half of what it was to write, and so do all others, as when the process dies.
    Dies,
    /// It works, and all others fail.
    DiesAfter,
    /// The disk is full: it and all others that need room write half, and fail. The rest works.
    Full,
}

/// Files in memory. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    files: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    fate: Fate,
}

/// What will go wrong. Clones share it, so that a fake kernel can stop with the storage.
#[derive(Debug, Clone, Default)]
pub struct Fate(Arc<Mutex<Course>>);

/// How many operations there were, and what happens at which.
#[derive(Debug, Default)]
struct Course {
    operations: usize,
    mishap: Option<(usize, Mishap)>,
}

impl Fate {
    /// Chooses what happens at the n-th changing operation from now on, counted from 0.
    pub fn at(&self, operation: usize, mishap: Mishap) {
        *locked(&self.0) = Course {
            operations: 0,
            mishap: Some((operation, mishap)),
        };
    }

    /// Nothing goes wrong any more, as for a new process. Says whether anything would have.
    #[must_use]
    pub fn heal(&self) -> bool {
        let course = &mut *locked(&self.0);
        let reached = |(at, _)| course.operations > at;
        course.mishap.take().is_some_and(reached)
    }

    /// How the next changing operation goes on that needs room on the disk.
    #[must_use]
    pub(crate) fn next_writing(&self) -> Step {
        let is_full = {
            let course = locked(&self.0);
            matches!(course.mishap, Some((at, Mishap::Full)) if course.operations >= at)
        };
        match self.next() {
            Step::Work if is_full => Step::Half,
            step => step,
        }
    }

    /// How the next changing operation goes on.
    #[must_use]
    pub fn next(&self) -> Step {
        let course = &mut *locked(&self.0);
        let now = course.operations;
        course.operations += 1;
        match course.mishap {
            Some((at, Mishap::Fails)) if now == at => Step::Fail,
            Some((at, Mishap::FailsLate)) if now == at => Step::Late,
            Some((at, Mishap::Dies)) if now == at => Step::Half,
            Some((at, Mishap::Dies | Mishap::DiesAfter)) if now > at => Step::Fail,
            _ => Step::Work,
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A test that panicked elsewhere says more than a poisoned lock.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Memory {
    /// What will go wrong here.
    #[must_use]
    pub fn fate(&self) -> Fate {
        self.fate.clone()
    }

    /// All files.
    #[must_use]
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        locked(&self.files).clone()
    }

    /// Puts a file there, whatever shall go wrong.
    pub fn put(&self, path: &str, content: Vec<u8>) {
        locked(&self.files).insert(path.to_owned(), content);
    }
}

/// How an operation goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It works.
    Work,
    /// It works, and says that it failed.
    Late,
    /// It fails, and changes nothing.
    Fail,
    /// It fails in the middle.
    Half,
}

impl Step {
    /// What the caller hears.
    fn told(self) -> io::Result<()> {
        if self == Self::Work {
            Ok(())
        } else {
            Err(full())
        }
    }
}

fn full() -> io::Error {
    io::Error::from(io::ErrorKind::StorageFull)
}

impl Storage for Memory {
    fn place(&self) -> String {
        "memory".to_owned()
    }

    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(locked(&self.files).get(path).cloned())
    }

    fn names(&self, folder: &str) -> io::Result<Vec<String>> {
        let prefix = match folder {
            "" => String::new(),
            folder => format!("{folder}/"),
        };
        let files = locked(&self.files);
        let names = files.keys().filter_map(|path| path.strip_prefix(&prefix));
        Ok(names.map(str::to_owned).collect())
    }

    fn make_folder(&self, _folder: &str) -> io::Result<()> {
        self.fate.next_writing().told()
    }

    fn write(&self, path: &str, content: &[u8]) -> io::Result<()> {
        let step = self.fate.next_writing();
        match step {
            Step::Work | Step::Late => self.put(path, content.to_vec()),
            Step::Half => self.put(path, content[..content.len() / 2].to_vec()),
            Step::Fail => {}
        }
        step.told()
    }

    fn replace(&self, path: &str, content: &[u8]) -> io::Result<()> {
        let step = self.fate.next_writing();
        if matches!(step, Step::Work | Step::Late) {
            self.put(path, content.to_vec());
        }
        step.told()
    }

    fn write_through(&self, path: &str, content: &[u8]) -> io::Result<()> {
        self.write(path, content)
    }

    fn append(&self, path: &str, content: &[u8]) -> io::Result<()> {
        let step = self.fate.next_writing();
        let written = match step {
            Step::Work | Step::Late => content,
            Step::Half => &content[..content.len() / 2],
            Step::Fail => return Err(full()),
        };
        locked(&self.files)
            .entry(path.to_owned())
            .or_default()
            .extend(written);
        step.told()
    }

    fn add(&self, path: &str, content: &[u8]) -> io::Result<Version> {
        self.append(path, content)?;
        let version = self.version(path)?;
        version.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    fn version(&self, path: &str) -> io::Result<Option<Version>> {
        let files = locked(&self.files);
        let folder = format!("{path}/");
        let is_meant = |file: &&String| *file == path || file.starts_with(&folder);
        // A name in a folder and the bytes of a file are all that a version is of here.
        let mut meant: Vec<(&String, Option<&Vec<u8>>)> = Vec::new();
        for (file, content) in files.iter().filter(|(file, _)| is_meant(file)) {
            meant.push((file, (file == path).then_some(content)));
        }
        let mut hasher = DefaultHasher::new();
        meant.hash(&mut hasher);
        let version = Version {
            inode: hasher.finish(),
            length: 0,
            changed: (0, 0),
        };
        Ok((!meant.is_empty()).then_some(version))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let step = self.fate.next();
        if matches!(step, Step::Work | Step::Late) {
            locked(&self.files).remove(path);
        }
        step.told()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let step = self.fate.next();
        if !matches!(step, Step::Work | Step::Late) {
            return step.told();
        }
        let mut files = locked(&self.files);
        let folder = format!("{from}/");
        let moved: Vec<String> = files
            .keys()
            .filter(|path| *path == from || path.starts_with(&folder))
            .cloned()
            .collect();
        if moved.is_empty() {
            return Err(io::Error::from(io::ErrorKind::NotFound));
        }
        let target = format!("{to}/");
        if files.keys().any(|path| path.starts_with(&target)) {
            return Err(io::Error::from(io::ErrorKind::DirectoryNotEmpty));
        }
        for path in moved {
            if let Some(content) = files.remove(&path) {
                files.insert(path.replacen(from, to, 1), content);
            }
        }
        step.told()
    }

    fn lock(&self, _patience: Duration) -> Result<Lock, StorageError> {
        Lock::private().map_err(file_error("make", self, "lock"))
    }
}
