//! Netlink sockets, in one network namespace.

mod error;
mod namespace;
mod options;
mod wait;

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
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

/// One buffer for all replies, never smaller: the kernel truncates dumps silently when a
/// receive buffer is smaller than the one before. It fills 32 KiB at most.
const RECEIVE: usize = 64 * 1024;
/// How many bytes the kernel reserves in a send buffer.
const RESERVED: usize = 32;
/// Replies are short, but a batch that fails at every object has one reply for each.
const RECEIVE_BUFFER: usize = 8 * 1024 * 1024;

/// A netlink socket. Keep it open: closing one waits until the kernel has destroyed deleted rules,
/// about 14 ms after a deletion.
pub struct Socket {
    inner: NlSocket,
    buffer: Vec<u8>,
    /// How many bytes it can send at once, as far as was tried.
    room: usize,
}

impl Socket {
    /// A socket to netfilter in the caller's network namespace.
    ///
    /// # Errors
    /// If the kernel refuses one.
    pub fn open() -> Result<Self, SocketError> {
        Self::connect(NlFamily::Netfilter, Groups::empty())
    }

    /// A socket to rtnetlink in the caller's network namespace.
    ///
    /// # Errors
    /// If the kernel refuses one.
    pub(crate) fn open_route() -> Result<Self, SocketError> {
        Self::connect(NlFamily::Route, Groups::empty())
    }

    /// A socket to netfilter in the network namespace of this file, such as `/run/netns/lab`, or in
    /// the caller's.
    ///
    /// # Errors
    /// If there is no such namespace, or entering it is not allowed.
    pub fn open_in(namespace: Option<&Path>) -> Result<Self, SocketError> {
        match namespace {
            Some(path) => within(path.to_owned(), Self::open),
            None => Self::open(),
        }
    }

    /// A socket in the caller's network namespace, or in that of this file, that receives what
    /// the kernel multicasts to a group of netfilter (`NFNLGRP_*`).
    ///
    /// # Errors
    /// If the kernel refuses one, or there is no such namespace, or listening is not allowed.
    pub fn listen(namespace: Option<&Path>, group: u32) -> Result<Self, SocketError> {
        let listen = move || Self::connect(NlFamily::Netfilter, Groups::new_groups(&[group]));
        match namespace {
            Some(path) => within(path.to_owned(), listen),
            None => listen(),
        }
    }

    /// The next datagram of messages, if there is one.
    ///
    /// # Errors
    /// [`TransportError::Overrun`] if the kernel sent more than the socket's buffer holds. The lost
    /// messages are unknown, and the next call continues with those that came after. Other errors
    /// if reading fails.
    pub fn heard(&mut self) -> Result<Option<&[u8]>, TransportError> {
        self.receive()
    }

    /// Waits until the socket or `wake` has something to read, or until this moment, if there is
    /// one.
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
                // Errors come with a text and with the place in the request.
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
    /// If the kernel has none: kernels before 5.14.
    pub fn namespace_cookie(&self) -> io::Result<u64> {
        Ok(getsockopt(self, NetnsCookie)?)
    }

    /// Enlarges the send buffer, if that is allowed.
    fn make_room(&mut self, bytes: usize) -> Result<(), TransportError> {
        if bytes <= self.room {
            return Ok(());
        }
        self.room = self.room_for(bytes)?;
        Ok(())
    }

    /// How many bytes the socket may send at once, after a request for this many.
    fn room_for(&self, bytes: usize) -> Result<usize, TransportError> {
        let limit = || {
            getsockopt(self, SndBuf)
                .unwrap_or(0)
                .saturating_sub(RESERVED)
        };
        if bytes <= limit() {
            return Ok(limit());
        }
        // The kernel doubles the requested size.
        let wanted = bytes / 2 + RESERVED;
        // The forced option has no limit, but takes a capability that user namespaces lack.
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
        // With TRUNC, the length is that of the whole datagram.
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
                // The rest is read too: it must not be taken for replies to the next request.
                Err(TransportError::Overrun) => overrun = true,
                Err(TransportError::Receive(error))
                    if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
