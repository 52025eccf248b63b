//! Nothing half done: what crashes, other programs and broken files make of a change.

mod adopt;
mod choice;
mod crash;
mod crowd;
mod foreign;
mod hazard;
mod kill;
mod large;
mod programs;
mod spaces;
mod state_directory;
mod storage;
mod traffic;

use std::process::ExitCode;

use palisade_tests::Trials;

fn main() -> ExitCode {
    let mut trials = Trials::new();
    trials = crash::add_to(trials);
    trials = hazard::add_to(trials);
    trials = crowd::add_to(trials);
    trials = programs::add_to(trials);
    trials = large::add_to(trials);
    trials = traffic::add_to(trials);
    trials = choice::add_to(trials);
    trials = foreign::add_to(trials);
    trials = spaces::add_to(trials);
    trials = storage::add_to(trials);
    trials = state_directory::add_to(trials);
    trials = adopt::add_to(trials);
    // They mostly wait for programs.
    palisade_tests::run_side_by_side(trials, 3)
}
