//! `doctor` on hosts that are healthy, and on hosts that are not: what it names must be what was
//! done to them, and what it says to do must help.

mod bridged;
mod documents;
mod examined;
mod examples;
mod field;
mod filters;
mod firewalld;
mod forwards;
mod host;
mod lab;
mod leftovers;
mod rights;
mod terminal;
mod ufw;

use std::process::ExitCode;

use palisade_tests::Trials;

fn main() -> ExitCode {
    let mut trials = Trials::new();
    trials = filters::add_to(trials);
    trials = host::add_to(trials);
    trials = leftovers::add_to(trials);
    trials = documents::add_to(trials);
    trials = examples::add_to(trials);
    trials = rights::add_to(trials);
    trials = terminal::add_to(trials);
    trials = ufw::add_to(trials);
    trials = firewalld::add_to(trials);
    trials = forwards::add_to(trials);
    trials = bridged::add_to(trials);
    trials = field::add_to(trials);
    // They mostly wait for programs and packets.
    palisade_tests::run_side_by_side(trials, 6)
}
