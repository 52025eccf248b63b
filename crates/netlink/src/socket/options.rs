//! Socket options that neither neli nor nix has, and the one place with `unsafe` in this crate.
//!
//! - neli's socket exposes its descriptor only as a number, while nix needs one that is open: it is
//!   open for as long as the socket lives, and the borrow does not outlive it.
//! - nix generates the code for an unknown option from its number and type: `SO_NETNS_COOKIE` is a `u64` (`sock_getsockopt`, since Linux 5.14).
#![allow(unsafe_code)]

use std::os::fd::{AsRawFd, BorrowedFd};

use neli::socket::NlSocket;
use nix::libc;
use nix::sys::socket::sockopt::GetStruct;

/// The socket's descriptor.
pub(super) fn descriptor(socket: &NlSocket) -> BorrowedFd<'_> {
    // SAFETY: `socket` owns the descriptor and closes it only when dropped; the returned borrow
    // ends before that.
    unsafe { BorrowedFd::borrow_raw(socket.as_raw_fd()) }
}

/// The cookie of a socket's network namespace.
#[derive(Debug, Clone, Copy)]
pub(super) struct NetnsCookie;

nix::getsockopt_impl!(
    NetnsCookie,
    libc::SOL_SOCKET,
    libc::SO_NETNS_COOKIE,
    u64,
    GetStruct<u64>
);
