//! The lock that keeps two of our processes apart.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::words::in_words;

/// How long to wait for another of our processes.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// How often to look whether the lock is free.
const INTERVAL: Duration = Duration::from_millis(5);

/// The lock, held until this is dropped. The file says who holds it.
///
/// If the process is killed, a program that was given the descriptor holds the lock on for as long as
/// it runs: so a process that comes to recover what was begun waits for that program. A copy that
/// a forked process has holds nothing once this is dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
    /// The process that took it.
    process: u32,
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
    /// Locks this file, which `path` leads to.
    pub(super) fn take(
        mut file: File,
        path: PathBuf,
        patience: Duration,
    ) -> Result<Self, LockError> {
        let deadline = Instant::now() + patience;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    std::thread::sleep(INTERVAL);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(LockError::Held {
                        path,
                        holder: holder(&mut file),
                        waited: patience,
                    });
                }
                Err(TryLockError::Error(source)) => return Err(LockError::File { path, source }),
            }
        }
        // Only for people: that the file is locked is what counts.
        // Always of one length, so that nothing of a longer number is left behind it.
        let process = std::process::id();
        if let Err(error) = file.write_all_at(format!("{process:<10}\n").as_bytes(), 0) {
            log::debug!("{}: cannot say who holds the lock: {error}", path.display());
        }
        Ok(Self { file, process })
    }

    /// A lock that nobody else knows of, for storage that one process has for itself.
    ///
    /// # Errors
    /// If there is no `/dev/null`.
    pub fn private() -> io::Result<Self> {
        Ok(Self {
            file: File::open("/dev/null")?,
            process: std::process::id(),
        })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Forked processes have copies of the descriptor: to close this one frees nothing. Nor may one
        // of them free what the process holds that took it.
        if self.process == std::process::id()
            && let Err(error) = self.file.unlock()
        {
            log::debug!("cannot unlock: {error}");
        }
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
