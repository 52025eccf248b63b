//! The lock that keeps two of our processes apart.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use super::{StateError, file_error};

/// How long to wait for another of our processes.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// How often to look whether the lock is free.
const INTERVAL: Duration = Duration::from_millis(5);

/// The lock, held until this is dropped. The file says who holds it.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    pub(super) fn take(path: &Path, patience: Duration) -> Result<Self, StateError> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(file_error("open", path))?;
        let deadline = Instant::now() + patience;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    std::thread::sleep(INTERVAL);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(StateError::Locked {
                        path: path.to_owned(),
                        holder: holder(&mut file),
                        waited: patience,
                    });
                }
                Err(TryLockError::Error(error)) => return Err(file_error("lock", path)(error)),
            }
        }
        // Only for people: that the file is locked is what counts.
        let told = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        if let Err(error) = told {
            log::debug!("{}: cannot say who holds the lock: {error}", path.display());
        }
        Ok(Self { _file: file })
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
        Err(_) => format!("process {process}"),
    }
}
