//! Netlink sockets to netfilter, in one network namespace.

mod listen;
mod options;

use std::fs::File;
use std::io;
use std::path::PathBuf;

use neli::consts::socket::{Msg, NlFamily};
use neli::socket::NlSocket;
use neli::utils::Groups;
use nix::errno::Errno;
use nix::sched::{CloneFlags, setns};
use nix::sys::socket::sockopt::{RcvBufForce, SndBuf, SndBufForce};
use nix::sys::socket::{getsockopt, setsockopt};
use palisade_core::words::{WITH_RIGHTS, in_words};
use thiserror::Error;

use crate::transport::{Transport, TransportError};
use options::NetnsCookie;

pub use listen::Waited;

/// One buffer for all replies, never smaller: a receive into a smaller one than before cuts dumps
/// off without a word. The kernel fills 32 KiB at most.
const RECEIVE: usize = 64 * 1024;
/// What the kernel keeps free in a send buffer.
const RESERVED: usize = 32;
/// Replies are short, but a batch that fails at every object has one for each.
const RECEIVE_BUFFER: usize = 8 * 1024 * 1024;

/// The way out where a network namespace cannot be entered.
const ENTERING: &str = "entering a network namespace takes CAP_SYS_ADMIN: run as root";

/// A socket that talks to nf_tables or connection tracking. It stays open: closing one waits for
/// what the kernel has yet to destroy, about 14 ms after a deletion.
pub struct Socket {
    inner: NlSocket,
    buffer: Vec<u8>,
    /// How many bytes it is known to send at once.
    room: usize,
}

/// Why there is no socket.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The network namespace cannot be opened.
    #[error("cannot open network namespace {}: {}", .path.display(), in_words(.source))]
    Namespace {
        /// Where it was looked for.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The network namespace cannot be entered.
    #[error("cannot enter network namespace {}: {}", .path.display(), in_words(.source))]
    Enter {
        /// The namespace.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is no network namespace.
    #[error("{} is no network namespace", .path.display())]
    NotOne {
        /// The file.
        path: PathBuf,
    },
    /// The kernel gave no socket.
    #[error("{}", unopened(.0))]
    Socket(io::Error),
}

fn unopened(error: &io::Error) -> String {
    match error.kind() {
        // Anybody may open one; not everybody may listen to what happens to rules.
        io::ErrorKind::PermissionDenied => "listening to netfilter takes CAP_NET_ADMIN in the \
                                            network namespace, which this process lacks"
            .to_owned(),
        _ => format!(
            "cannot open a netlink socket to netfilter: {}",
            in_words(error)
        ),
    }
}

impl OpenError {
    /// The way out, in one line.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Namespace { source, .. } if is_not_allowed(source) => ENTERING,
            Self::Namespace { .. } | Self::NotOne { .. } => {
                "`ip netns list` names those that there are; that of a process is /proc/PID/ns/net"
            }
            Self::Enter { .. } => ENTERING,
            Self::Socket(error) if is_not_allowed(error) => WITH_RIGHTS,
            Self::Socket(_) => "netfilter may be missing: modprobe nfnetlink",
        }
    }
}

fn is_not_allowed(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
}

impl Socket {
    /// A socket in the caller's network namespace.
    ///
    /// # Errors
    /// If the kernel gives none.
    pub fn open() -> Result<Self, OpenError> {
        Self::connect(NlFamily::Netfilter, Groups::empty())
    }

    /// A socket to rtnetlink in the caller's network namespace: it tells of the host's addresses.
    ///
    /// # Errors
    /// If the kernel gives none.
    pub fn open_route() -> Result<Self, OpenError> {
        Self::connect(NlFamily::Route, Groups::empty())
    }

    /// A socket in the network namespace of this file, such as `/run/netns/lab`.
    ///
    /// # Errors
    /// If there is no such namespace, or entering it is not allowed.
    pub fn open_in(path: PathBuf) -> Result<Self, OpenError> {
        within(path, Self::open)
    }

    fn connect(family: NlFamily, groups: Groups) -> Result<Self, OpenError> {
        let inner = NlSocket::connect(family, None, groups)
            .and_then(|socket| {
                // Bytes of the request at fault come back with its error, and words.
                socket.enable_ext_ack(true)?;
                Ok(socket)
            })
            .map_err(OpenError::Socket)?;
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

/// Opens sockets, or reads files, in the network namespace of this file. The caller stays where it is: a thread of
/// its own enters the namespace.
///
/// # Errors
/// If there is no such namespace, or entering it is not allowed; and those of `open`.
pub fn within<T: Send + 'static>(
    path: PathBuf,
    open: impl FnOnce() -> Result<T, OpenError> + Send + 'static,
) -> Result<T, OpenError> {
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(source) => return Err(OpenError::Namespace { path, source }),
    };
    let enter = move || {
        setns(file, CloneFlags::CLONE_NEWNET).map_err(|errno| match errno {
            Errno::EINVAL => OpenError::NotOne { path },
            errno => OpenError::Enter {
                path,
                source: errno.into(),
            },
        })?;
        open()
    };
    let thread = std::thread::Builder::new()
        .name("netns".to_owned())
        .spawn(enter)
        .map_err(OpenError::Socket)?;
    match thread.join() {
        Ok(opened) => opened,
        Err(_) => Err(OpenError::Socket(io::Error::other("its thread died"))),
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
