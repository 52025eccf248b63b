//! Waiting for a socket, or for a file that interrupts the wait.

use std::os::fd::BorrowedFd;
use std::time::Instant;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::TransportError;

/// Why waiting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// The socket has something to read.
    Heard,
    /// `wake` has something to read.
    Woken,
    /// The moment has come.
    Nothing,
}

/// Waits until the socket or `wake` has something to read, or this moment comes.
pub(super) fn wait(
    socket: BorrowedFd<'_>,
    wake: BorrowedFd<'_>,
    until: Option<Instant>,
) -> Result<Waited, TransportError> {
    let mut fds = [socket, wake].map(|fd| PollFd::new(fd, PollFlags::POLLIN));
    let timeout = match until {
        None => PollTimeout::NONE,
        Some(until) => {
            // Rounded up: otherwise the last millisecond is spent in a loop.
            let left = until.saturating_duration_since(Instant::now());
            let millis = left.as_micros().div_ceil(1000);
            i32::try_from(millis)
                .ok()
                .and_then(|millis| PollTimeout::try_from(millis).ok())
                .unwrap_or(PollTimeout::MAX)
        }
    };
    match poll(&mut fds, timeout) {
        Ok(_) | Err(Errno::EINTR) => {}
        Err(errno) => return Err(TransportError::Receive(errno.into())),
    }
    let [has_heard, is_woken] = fds.map(|fd| fd.any().unwrap_or(false));
    Ok(if is_woken {
        Waited::Woken
    } else if has_heard {
        Waited::Heard
    } else {
        Waited::Nothing
    })
}
