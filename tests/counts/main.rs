//! What a change costs, in counts that are the same on every machine: messages and bytes to the
//! kernel, expressions in it, system calls, syncs. Times flake; these cannot. Each at 1, 100 and
//! 1,000 networks: where a cost must not grow, all three are equal.

mod calls;
mod expressions;
mod messages;
mod plans;
mod sizes;

use std::process::ExitCode;

use palisade_tests::Trials;

fn main() -> ExitCode {
    let mut trials = Trials::new();
    trials = messages::add_to(trials);
    trials = plans::add_to(trials);
    trials = expressions::add_to(trials);
    trials = calls::add_to(trials);
    palisade_tests::run_side_by_side(trials, 2)
}
