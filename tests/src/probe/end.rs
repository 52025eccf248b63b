//! The ends of a question, and what became of it.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use socket2::{Domain, Socket, Type};

use crate::Namespace;

/// How long a question waits for what should come at once.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// One end of a question: an address in a namespace, and the port if it matters.
#[derive(Debug, Clone, Copy)]
pub struct End<'a> {
    /// Where the socket is.
    pub namespace: &'a Namespace,
    /// The address that it is bound to.
    pub address: IpAddr,
    /// The port; 0 is any.
    pub port: u16,
}

impl<'a> End<'a> {
    /// An end at any port.
    #[must_use]
    pub fn new(namespace: &'a Namespace, address: IpAddr) -> Self {
        Self {
            namespace,
            address,
            port: 0,
        }
    }

    /// The same at this port.
    #[must_use]
    pub fn at(self, port: u16) -> Self {
        Self { port, ..self }
    }

    pub(super) fn domain(&self) -> Domain {
        Domain::for_address(self.socket_address())
    }

    pub(super) fn socket_address(&self) -> SocketAddr {
        (self.address, self.port).into()
    }

    /// A socket in the namespace, bound to the address.
    pub(super) fn socket(&self, kind: Type, protocol: Option<socket2::Protocol>) -> Socket {
        self.namespace.inside(|| {
            let socket = Socket::new(self.domain(), kind, protocol).expect("make a socket");
            socket.set_reuse_address(true).expect("reuse the address");
            let address = self.socket_address();
            socket
                .bind(&address.into())
                .unwrap_or_else(|error| panic!("cannot bind to {address}: {error}"));
            socket
        })
    }
}

/// What became of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was answered, by one who saw this source.
    Answered(SocketAddr),
    /// It arrived, from this source, but no answer came back.
    Arrived(SocketAddr),
    /// Port unreachable came back, as somebody on the way said.
    Refused,
    /// Nothing arrived, and nothing came back.
    Silent,
}

impl Outcome {
    /// The source that the other end saw, if the question came there.
    #[must_use]
    pub fn source(self) -> Option<SocketAddr> {
        match self {
            Self::Answered(source) | Self::Arrived(source) => Some(source),
            Self::Refused | Self::Silent => None,
        }
    }

    /// Whether an answer came back, and the other end saw this address.
    #[must_use]
    pub fn is_answered_to(self, address: IpAddr) -> bool {
        matches!(self, Self::Answered(source) if source.ip() == address)
    }
}

/// Waits until one of the sockets has something to read, an error included; which.
pub(super) fn wait<const N: usize>(sockets: [&dyn AsFd; N], until: Instant) -> Option<usize> {
    let mut fds = sockets.map(|socket| PollFd::new(socket.as_fd(), PollFlags::POLLIN));
    let left = until.saturating_duration_since(Instant::now());
    let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
    poll(&mut fds, timeout).expect("wait for packets");
    fds.iter().position(|fd| fd.any().unwrap_or(false))
}
