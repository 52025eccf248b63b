//! What is remembered of a running network.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::backend::{Installed, Placement};
use crate::network::Network;

/// A running network, and what was installed for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The network as it was defined.
    pub network: Network,
    /// By whom and where its rules were installed.
    pub placement: Placement,
    /// Since when it runs as it does.
    pub since: Timestamp,
    /// Its rank in the order in which networks were started: later ones have higher numbers.
    pub order: u64,
    /// What was installed, and nothing else will be taken away with it.
    pub installed: Vec<Installed>,
}

/// The number of the form in which records are written. It goes up with every change that an older
/// build could not read.
pub const SCHEMA: u32 = 1;

/// A record in its file.
#[derive(Serialize, Deserialize)]
pub(super) struct Filed<R> {
    pub(super) schema: u32,
    #[serde(flatten)]
    pub(super) record: R,
}

/// The part of a file that every build can read.
#[derive(Deserialize)]
pub(super) struct Labelled {
    pub(super) schema: u32,
}
