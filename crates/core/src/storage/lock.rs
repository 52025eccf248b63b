//! The lock that keeps two of our processes apart.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::words::in_words;

/// How long to wait for another of our processes.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// How often to look whether the lock is free.
const INTERVAL: Duration = Duration::from_millis(5);

/// The lock, held until this is dropped. The file says who holds it.
///
/// A program that is given the descriptor holds it too, for as long as it runs: so a process that
/// comes to recover what a killed one began waits for the programs which that one had started.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// Why there is no lock.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another of our processes is at work.
    #[error("{} was still held by {holder} after {} s", .path.display(), .waited.as_secs())]
    Held {
        /// The lock's file.
        path: PathBuf,
        /// Who holds it.
        holder: String,
        /// How long we waited.
        waited: Duration,
    },
    /// The file cannot be opened or locked.
    #[error("cannot lock {}: {}", .path.display(), in_words(.source))]
    File {
        /// The lock's file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl Lock {
    pub(super) fn take(path: &Path, patience: Duration) -> Result<Self, LockError> {
        let failed = |source| LockError::File {
            path: path.to_owned(),
            source,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(failed)?;
        let deadline = Instant::now() + patience;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    std::thread::sleep(INTERVAL);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(LockError::Held {
                        path: path.to_owned(),
                        holder: holder(&mut file),
                        waited: patience,
                    });
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
        // Only for people: that the file is locked is what counts.
        // Always of one length, so that nothing of a longer number is left behind it.
        let told = file.write_all_at(format!("{:<10}\n", std::process::id()).as_bytes(), 0);
        if let Err(error) = told {
            log::debug!("{}: cannot say who holds the lock: {error}", path.display());
        }
        Ok(Self { file })
    }

    /// A lock that nobody else knows of, for storage that one process has for itself.
    ///
    /// # Errors
    /// If there is no temporary file.
    pub fn private() -> io::Result<Self> {
        let file = tempfile::tempfile()?;
        Ok(Self { file })
    }
}

impl AsFd for Lock {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Who holds the lock: the process's number, and its name if it can be found out.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let process = file
        .rewind()
        .and_then(|()| file.read_to_string(&mut text))
        .ok()
        .and_then(|_| text.trim().parse::<u32>().ok());
    let Some(process) = process else {
        return "another process".to_owned();
    };
    match std::fs::read_to_string(format!("/proc/{process}/comm")) {
        Ok(name) => format!("process {process} ({})", name.trim()),
        // Programs that it started may hold the lock still.
        Err(_) => format!("a program that process {process} started"),
    }
}
