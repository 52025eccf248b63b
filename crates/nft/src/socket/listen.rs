//! Listening: what the kernel tells by itself.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::time::Instant;

use neli::consts::socket::NlFamily;
use neli::utils::Groups;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::{OpenError, Socket, within};
use crate::transport::TransportError;

impl Socket {
    /// A socket in the caller's network namespace, or in that of this file, that hears what the
    /// kernel tells a group (`NFNLGRP_*`).
    ///
    /// # Errors
    /// If the kernel gives none, or there is no such namespace, or listening is not allowed.
    pub fn listen(namespace: Option<PathBuf>, group: u32) -> Result<Self, OpenError> {
        let listen = move || Self::connect(NlFamily::Netfilter, Groups::new_groups(&[group]));
        match namespace {
            Some(path) => within(path, listen),
            None => listen(),
        }
    }

    /// What the kernel told next: a datagram of messages. None if there is nothing (any more).
    ///
    /// # Errors
    /// [`TransportError::Overrun`] if it told more than the socket's buffer holds: what was lost is
    /// not known, and the next call goes on with what came after. Others if reading fails.
    pub fn heard(&mut self) -> Result<Option<&[u8]>, TransportError> {
        self.receive()
    }

    /// Waits until there is something to hear, `wake` has something to read, or this moment comes;
    /// without one, for as long as it takes.
    ///
    /// # Errors
    /// If waiting fails.
    pub fn wait(
        &self,
        wake: BorrowedFd<'_>,
        until: Option<Instant>,
    ) -> Result<Waited, TransportError> {
        let mut fds = [self.as_fd(), wake].map(|fd| PollFd::new(fd, PollFlags::POLLIN));
        let timeout = match until {
            None => PollTimeout::NONE,
            Some(until) => {
                // Rounded up, or the last millisecond would be spent in a loop.
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
}

/// Why waiting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// There is something to hear.
    Heard,
    /// Somebody else woke us.
    Woken,
    /// The time is over.
    Nothing,
}
