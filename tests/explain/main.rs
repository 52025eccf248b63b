//! What `explain` says of packets, against what the kernel does with them and what `nft` shows.

mod changed;
mod forwards;
mod frames;
mod others;
mod refusals;
mod routes;
mod running;
mod site;

use std::process::ExitCode;

use palisade_tests::{Trials, run_side_by_side};

fn main() -> ExitCode {
    let trials = routes::add_to(running::add_to(forwards::add_to(Trials::new())));
    let trials = changed::add_to(frames::add_to(refusals::add_to(others::add_to(trials))));
    run_side_by_side(trials, 2)
}
