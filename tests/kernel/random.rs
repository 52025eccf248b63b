//! Random networks: what `apply` installs through our own wire format is what `nft` installs from
//! the text that `render` prints, in both layouts.

#[path = "random/networks.rs"]
mod networks;

use std::process::ExitCode;

use palisade_tests::{Definition, Dump, Namespace, Palisade, assert_same, trials};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

fn main() -> ExitCode {
    palisade_tests::run(trials![
        applied_is_rendered_in_flat,
        applied_is_rendered_in_mapped
    ])
}

fn applied_is_rendered_in_flat() {
    for_random_networks(|networks| applied_is_rendered("flat", networks));
}

fn applied_is_rendered_in_mapped() {
    for_random_networks(|networks| applied_is_rendered("mapped", networks));
}

fn for_random_networks(test: impl Fn(&[Definition])) {
    let config = Config {
        cases: 30,
        max_shrink_iters: 200,
        failure_persistence: None,
        ..Config::default()
    };
    let run = TestRunner::new(config).run(&networks(), |networks| {
        test(&networks);
        Ok(())
    });
    if let Err(error) = run {
        panic!("{error}");
    }
}

fn applied_is_rendered(layout: &str, networks: &[Definition]) {
    let (applied, loaded) = (Namespace::new(), Namespace::new());
    let palisade = Palisade::with_layout(&applied, layout);
    palisade.apply(networks).stdout();
    loaded.nft(&palisade.render(networks));
    assert_same(
        layout,
        ("rendered and loaded", &Dump::ruleset(&loaded).settled()),
        ("applied", &Dump::ruleset(&applied).settled()),
    );
    palisade.ok(["remove", "--all"]);
    assert_eq!(Dump::ruleset(&applied).as_str(), "", "{networks:#?}");
}

/// Up to five networks that can run side by side.
fn networks() -> impl Strategy<Value = Vec<Definition>> {
    (1..=5_usize).prop_flat_map(|count| (0..count).map(networks::network).collect::<Vec<_>>())
}
