//! The names of the files and folders in the state of a network namespace.

use crate::journal;
use crate::storage::Contents;

/// The folder of records.
pub(super) const NETWORKS: &str = "networks";
/// The folder of records to come.
pub(super) const STAGED: &str = "staged";
/// The folder of records that were set aside.
pub(super) const UNREADABLE: &str = "unreadable";
/// The boot and the network namespace of all other files.
pub(super) const NAMESPACE: &str = "namespace.json";
pub(super) const INDEX: &str = "index";
pub(super) const PROCESSES: &str = "processes";
pub(super) const UNCONFIRMED: &str = "unconfirmed.json";

pub(super) const CONTENTS: Contents = Contents {
    files: &[journal::FILE, NAMESPACE, INDEX, PROCESSES, UNCONFIRMED],
    folders: &[NETWORKS, STAGED, UNREADABLE],
};
