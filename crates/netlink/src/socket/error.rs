//! Why a socket could not be opened.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

use palisade_core::words::{WITH_RIGHTS, in_words};
use palisade_core::{ErrorKind, Hint};
use thiserror::Error;

/// The fix where a network namespace cannot be entered.
const ENTERING: &str = "entering a network namespace takes CAP_SYS_ADMIN: run as root";

/// Why a socket could not be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SocketError {
    /// The network namespace cannot be opened.
    #[error("cannot open network namespace {}: {}", .path.display(), in_words(.source))]
    Namespace {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The network namespace cannot be entered.
    #[error("cannot enter network namespace {}: {}", .path.display(), in_words(.source))]
    Enter {
        /// The namespace.
        path: PathBuf,
        /// The cause.
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
        // Every process may open a socket; listening to changes of rules takes a capability.
        io::ErrorKind::PermissionDenied => "listening to netfilter takes CAP_NET_ADMIN in the \
                                            network namespace, which this process lacks"
            .to_owned(),
        _ => format!(
            "cannot open a netlink socket to netfilter: {}",
            in_words(error)
        ),
    }
}

impl Hint for SocketError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Namespace { source, .. } | Self::Enter { source, .. }
                if is_not_allowed(source) =>
            {
                ErrorKind::Permission
            }
            Self::Namespace { .. } | Self::Enter { .. } | Self::NotOne { .. } => {
                ErrorKind::NoNamespace
            }
            Self::Socket(error) if is_not_allowed(error) => ErrorKind::Permission,
            Self::Socket(_) => ErrorKind::System,
        }
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Namespace { source, .. } if is_not_allowed(source) => ENTERING,
            Self::Namespace { .. } | Self::NotOne { .. } => {
                "`ip netns list` names those that there are; that of a process is /proc/PID/ns/net"
            }
            Self::Enter { .. } => ENTERING,
            Self::Socket(error) if is_not_allowed(error) => WITH_RIGHTS,
            Self::Socket(_) => "netfilter may be missing: modprobe nfnetlink",
        }
        .into()
    }
}

fn is_not_allowed(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
}
