//! Entering a network namespace.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use nix::errno::Errno;
use nix::sched::{CloneFlags, setns};

use super::error::SocketError;

/// Runs `open`, which opens sockets or reads files, in the network namespace of this file. The
/// caller stays in its own: a separate thread enters the namespace.
///
/// # Errors
/// If there is no such namespace, or entering it is not allowed; and those of `open`.
pub fn within<T: Send + 'static>(
    path: PathBuf,
    open: impl FnOnce() -> Result<T, SocketError> + Send + 'static,
) -> Result<T, SocketError> {
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(source) => return Err(SocketError::Namespace { path, source }),
    };
    let enter = move || {
        setns(file, CloneFlags::CLONE_NEWNET).map_err(|errno| match errno {
            Errno::EINVAL => SocketError::NotOne { path },
            errno => SocketError::Enter {
                path,
                source: errno.into(),
            },
        })?;
        open()
    };
    let thread = std::thread::Builder::new()
        .name("netns".to_owned())
        .spawn(enter)
        .map_err(SocketError::Socket)?;
    match thread.join() {
        Ok(opened) => opened,
        Err(_) => Err(SocketError::Socket(io::Error::other("its thread died"))),
    }
}
