//! How to open a firewall.

use std::path::PathBuf;

use palisade_core::NetworkOwner;

use crate::choice::Choice;

/// How to open a [`Firewall`](crate::Firewall).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// The state directory; none for the usual one: see [`folder::usual`](crate::folder::usual).
    pub state_directory: Option<PathBuf>,
    /// The network namespace to work in, as a file such as `/run/netns/lab`; none for the caller's.
    pub namespace: Option<PathBuf>,
    /// On whose behalf networks are applied. [`sync`](crate::Firewall::sync) and
    /// [`remove_all`](crate::Firewall::remove_all) remove none of another owner's.
    pub owner: NetworkOwner,
    /// What is chosen explicitly: running networks that are applied again move there.
    pub choice: Choice,
    /// What is configured: it holds for new networks, where nothing is chosen explicitly.
    pub configured: Choice,
}
