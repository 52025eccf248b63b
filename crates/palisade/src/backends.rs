//! The backends, as they are made for a network namespace.

use std::path::Path;

use palisade_iptables::Iptables;
use palisade_iptables::run::Processes;

use crate::unprinted::Kernel;

/// The iptables backend of a network namespace; none for the caller's.
#[must_use]
pub fn iptables(namespace: Option<&Path>) -> Iptables {
    let programs = match namespace {
        Some(path) => Processes::inside(path.to_owned()),
        None => Processes::new(),
    };
    let kernel = Kernel {
        namespace: namespace.map(Path::to_owned),
    };
    Iptables::new(Box::new(programs)).with(Box::new(kernel))
}
