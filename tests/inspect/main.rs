//! Seeing, counting, confirming and mending: what operators do with networks that run.

mod confirm;
mod counters;
mod established;
mod interrupted;
mod meaning;
mod mended;
mod multicast;
mod order;
mod plan;
mod site;
mod tamper;
mod told;
mod unprinted;
mod usable;
mod vanished;
mod watch;
mod watching;

use std::process::ExitCode;

use palisade_tests::Trials;

fn main() -> ExitCode {
    let mut trials = Trials::new();
    trials = counters::add_to(trials);
    trials = established::add_to(trials);
    trials = multicast::add_to(trials);
    trials = confirm::add_to(trials);
    trials = interrupted::add_to(trials);
    trials = order::add_to(trials);
    trials = plan::add_to(trials);
    trials = tamper::add_to(trials);
    trials = told::add_to(trials);
    trials = meaning::add_to(trials);
    trials = mended::add_to(trials);
    trials = unprinted::add_to(trials);
    trials = usable::add_to(trials);
    trials = watch::add_to(trials);
    trials = vanished::add_to(trials);
    // They mostly wait for programs.
    palisade_tests::run_side_by_side(trials, 3)
}
