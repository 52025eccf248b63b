//! Backends and layouts mean the same, for any networks; and if one of them did not, it would show.

// What fails here is a test.
#![allow(clippy::panic, clippy::unwrap_used)]

mod documented;
mod mutants;
mod mutated;
mod networks;

use std::time::{Duration, Instant};

use palisade_inspect::compare::compare;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// In every mode and both families, with subnets side by side and devices that are shared.
    #[test]
    fn any_networks_mean_the_same_everywhere(networks in networks::some()) {
        let comparison = compare(&networks).unwrap();
        prop_assert!(comparison.is_as_documented(), "{networks:#?}\n{comparison:#?}");
        prop_assert!(comparison.packets > 0);
    }
}

#[test]
fn twenty_networks_take_a_moment() {
    let networks = networks::many(20);
    let start = Instant::now();
    let comparison = compare(&networks).unwrap();
    let took = start.elapsed();
    println!("{} packets in {took:?}", comparison.packets);
    assert!(comparison.is_as_documented(), "{comparison:#?}");
    // Built for tests, on a busy machine.
    assert!(took < Duration::from_secs(120), "{took:?}");
}
