//! What networks ask for beyond libvirt, with real packets in every layout and backend.

use std::process::ExitCode;

use palisade_tests::Trials;

mod between;
mod blocked;
mod forwards;
mod library;
mod owners;
mod refused;
mod segments;

fn main() -> ExitCode {
    let trials = segments::add_to(Trials::new());
    let trials = forwards::add_to(between::add_to(trials));
    let trials = owners::add_to(blocked::add_to(trials));
    palisade_tests::run(refused::add_to(trials))
}
