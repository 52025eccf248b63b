//! Backends and layouts mean the same: as the kernel has them, as iptables' own translator puts
//! them, and when one of them is changed in one thing.

mod dumped;
#[path = "../../crates/inspect/tests/compare/mutants/mod.rs"]
mod mutants;
mod mutated;
mod sets;
mod translated;
mod translation;

use std::process::ExitCode;

use palisade_tests::trials;

fn main() -> ExitCode {
    use dumped::what_stands_in_the_kernel_means_the_same;
    use mutated::{
        mutants_of_flat_are_drift, mutants_of_iptables_are_drift, mutants_of_mapped_are_drift,
    };
    use translated::iptables_translated_is_flat;
    palisade_tests::run(trials![
        what_stands_in_the_kernel_means_the_same,
        iptables_translated_is_flat,
        mutants_of_flat_are_drift,
        mutants_of_mapped_are_drift,
        mutants_of_iptables_are_drift,
    ])
}
