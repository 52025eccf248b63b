//! What palisade does on the host beside rules: the checksum of DHCP answers, zones of firewalld.

mod checksum;
mod site;
mod wire;
mod zones;

use std::process::ExitCode;

use palisade_tests::Trials;

fn main() -> ExitCode {
    let trials = zones::add_to(Trials::new());
    let trials = trials.and(checksum::trials()).and(wire::trials());
    palisade_tests::run_side_by_side(trials, 3)
}
