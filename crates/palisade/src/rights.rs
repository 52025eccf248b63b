//! Whether this process may change rules at all: asked before anything is tried.

use std::path::Path;

use nix::errno::Errno;
use nix::unistd::Uid;
use palisade_core::user_namespace;
use palisade_netlink::Socket;
use palisade_nft::backend::Nftables;
use palisade_nft::dump::DumpError;

/// Whether the kernel would refuse any change of rules in this namespace. The host's root is not
/// asked for it.
pub(crate) fn are_missing(namespace: Option<&Path>) -> bool {
    if Uid::effective().is_root() && user_namespace::is_initial() {
        return false;
    }
    // Other errors are reported by the caller that needs a socket.
    let Ok(socket) = Socket::open_in(namespace) else {
        return false;
    };
    // Netfilter answers no question, however harmless, without the right to change rules.
    let answer = Nftables::new(Box::new(socket)).reader().generation();
    matches!(
        answer,
        Err(DumpError::Refused {
            errno: Errno::EPERM,
            ..
        })
    )
}
