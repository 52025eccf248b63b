//! Netlink sockets to netfilter, in one network namespace.

mod error;
mod namespace;
mod options;
mod wait;

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::time::Instant;

use neli::consts::socket::{Msg, NlFamily};
use neli::socket::NlSocket;
use neli::utils::Groups;
use nix::sys::socket::sockopt::{RcvBufForce, SndBuf, SndBufForce};
use nix::sys::socket::{getsockopt, setsockopt};

use crate::transport::{Transport, TransportError};
use options::NetnsCookie;

pub use error::SocketError;
pub use namespace::within;
pub use wait::Waited;

/// One buffer for all replies, never smaller: a receive into a smaller one than before cuts dumps
/// off without a word. The kernel fills 32 KiB at most.
const RECEIVE: usize = 64 * 1024;
/// What the kernel keeps free in a send buffer.
const RESERVED: usize = 32;
/// Replies are short, but a batch that fails at every object has one for each.
const RECEIVE_BUFFER: usize = 8 * 1024 * 1024;

/// A socket that talks to nf_tables or connection tracking. It stays open: closing one waits for
/// what the kernel has yet to destroy, about 14 ms after a deletion.
pub struct Socket {
    inner: NlSocket,
    buffer: Vec<u8>,
    /// How many bytes it is known to send at once.
    room: usize,
}

impl Socket {
    /// A socket in the caller's network namespace.
    ///
    /// # Errors
    /// If the kernel gives none.
    pub fn open() -> Result<Self, SocketError> {
        Self::connect(NlFamily::Netfilter, Groups::empty())
    }

    /// A socket to rtnetlink in the caller's network namespace: it tells of the host's addresses.
    ///
    /// # Errors
    /// If the kernel gives none.
    pub(crate) fn open_route() -> Result<Self, SocketError> {
        Self::connect(NlFamily::Route, Groups::empty())
    }

    /// A socket in the network namespace of this file, such as `/run/netns/lab`.
    ///
    /// # Errors
    /// If there is no such namespace, or entering it is not allowed.
    pub fn open_in(path: PathBuf) -> Result<Self, SocketError> {
        within(path, Self::open)
    }

    /// A socket in the caller's network namespace, or in that of this file, that hears what the
    /// kernel tells a group (`NFNLGRP_*`).
    ///
    /// # Errors
    /// If the kernel gives none, or there is no such namespace, or listening is not allowed.
    pub fn listen(namespace: Option<PathBuf>, group: u32) -> Result<Self, SocketError> {
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
        wait::wait(self.as_fd(), wake, until)
    }

    fn connect(family: NlFamily, groups: Groups) -> Result<Self, SocketError> {
        let inner = NlSocket::connect(family, None, groups)
            .and_then(|socket| {
                // Bytes of the request at fault come back with its error, and words.
                socket.enable_ext_ack(true)?;
                Ok(socket)
            })
            .map_err(SocketError::Socket)?;
        let socket = Self {
            inner,
            buffer: vec![0; RECEIVE],
            room: 0,
        };
        if let Err(errno) = setsockopt(&socket, RcvBufForce, &RECEIVE_BUFFER) {
            log::debug!("the receive buffer keeps its size: {errno}");
        }
        Ok(socket)
    }

    /// The cookie of the socket's network namespace: no other has the same until the next boot.
    ///
    /// # Errors
    /// If the kernel has none: those before 5.14.
    pub fn namespace_cookie(&self) -> io::Result<u64> {
        Ok(getsockopt(self, NetnsCookie)?)
    }

    /// Lets the socket send so many bytes at once, if it may.
    fn make_room(&mut self, bytes: usize) -> Result<(), TransportError> {
        if bytes <= self.room {
            return Ok(());
        }
        self.room = self.room_for(bytes)?;
        Ok(())
    }

    /// How many bytes it may send at once, after asking for room for so many.
    fn room_for(&self, bytes: usize) -> Result<usize, TransportError> {
        let limit = || {
            getsockopt(self, SndBuf)
                .unwrap_or(0)
                .saturating_sub(RESERVED)
        };
        if bytes <= limit() {
            return Ok(limit());
        }
        // The kernel doubles what is asked for.
        let wanted = bytes / 2 + RESERVED;
        // With force no limit holds, but it takes a right that user namespaces do not have.
        if setsockopt(self, SndBufForce, &wanted).is_err()
            && let Err(errno) = setsockopt(self, SndBuf, &wanted)
        {
            log::debug!("the send buffer keeps its size: {errno}");
        }
        if bytes <= limit() {
            return Ok(limit());
        }
        Err(TransportError::TooLarge {
            bytes,
            limit: limit(),
            needed: wanted,
        })
    }

    /// Reads one datagram, if there is one.
    fn receive(&mut self) -> Result<Option<&[u8]>, TransportError> {
        // With TRUNC, the length is that of the datagram, whatever fits.
        let flags = Msg::DONTWAIT | Msg::TRUNC;
        match self.inner.recv(self.buffer.as_mut_slice(), flags) {
            Ok((len, _)) => match self.buffer.get(..len) {
                Some(datagram) => Ok(Some(datagram)),
                None => Err(TransportError::Truncated(len)),
            },
            Err(error) => match error.raw_os_error() {
                Some(nix::libc::EAGAIN) => Ok(None),
                Some(nix::libc::ENOBUFS) => Err(TransportError::Overrun),
                _ => Err(TransportError::Receive(error)),
            },
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        options::descriptor(&self.inner)
    }
}

impl Transport for Socket {
    fn exchange(&mut self, request: &[u8], replies: &mut Vec<u8>) -> Result<(), TransportError> {
        self.make_room(request.len())?;
        let sent = loop {
            match self.inner.send(request, Msg::empty()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                sent => break sent,
            }
        };
        sent.map_err(TransportError::Send)?;
        let mut overrun = false;
        loop {
            match self.receive() {
                Ok(Some(datagram)) => replies.extend_from_slice(datagram),
                Ok(None) if overrun => return Err(TransportError::Overrun),
                Ok(None) => return Ok(()),
                // The rest is read all the same, so that it does not answer the next request.
                Err(TransportError::Overrun) => overrun = true,
                Err(TransportError::Receive(error))
                    if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
