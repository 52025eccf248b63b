//! Random sequences of commands: whatever came before, the kernel holds what the running networks
//! are when they are applied to an empty one, in the order in which they count as started.

#[path = "random/networks.rs"]
mod networks;

use std::process::ExitCode;

use palisade_tests::{Definition, Dump, Namespace, Palisade, assert_as_applied, trials};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::subsequence;
use proptest::test_runner::{Config, TestRunner};

/// How many networks the commands speak of, each in two versions.
const NETWORKS: usize = 5;

fn main() -> ExitCode {
    palisade_tests::run(trials![any_sequence_in_flat, any_sequence_in_mapped])
}

fn any_sequence_in_flat() {
    for_random_sequences("flat");
}

fn any_sequence_in_mapped() {
    for_random_sequences("mapped");
}

fn for_random_sequences(layout: &str) {
    let config = Config {
        cases: 20,
        max_shrink_iters: 100,
        failure_persistence: None,
        ..Config::default()
    };
    let sequences = (versions(), vec(command(), 1..=6));
    let run = TestRunner::new(config).run(&sequences, |(versions, commands)| {
        run(layout, &versions, &commands);
        Ok(())
    });
    if let Err(error) = run {
        panic!("{error}");
    }
}

/// A network's number and version.
type Version = (usize, usize);

#[derive(Debug, Clone)]
enum Op {
    Apply(Vec<Version>),
    Sync(Vec<Version>),
    Remove(Vec<usize>),
    /// Somebody throws all rules away; the same networks are applied again.
    Flush,
}

fn command() -> impl Strategy<Value = Op> {
    let numbers = || subsequence((0..NETWORKS).collect::<Vec<_>>(), 1..=NETWORKS).prop_shuffle();
    let some = || {
        (numbers(), vec(0..2_usize, NETWORKS))
            .prop_map(|(numbers, versions)| numbers.into_iter().zip(versions).collect())
    };
    prop_oneof![
        4 => some().prop_map(Op::Apply),
        2 => some().prop_map(Op::Sync),
        3 => numbers().prop_map(Op::Remove),
        1 => Just(Op::Flush),
    ]
}

/// Each network in two versions, which share no address with another's.
fn versions() -> impl Strategy<Value = Vec<[Definition; 2]>> {
    let network = |i| {
        let version = move || {
            networks::network(i).prop_map(move |network| Definition {
                name: format!("net{i}"),
                ..network
            })
        };
        [version(), version()]
    };
    (0..NETWORKS).map(network).collect::<Vec<_>>()
}

fn run(layout: &str, versions: &[[Definition; 2]], commands: &[Op]) {
    let namespace = Namespace::new();
    let palisade = Palisade::with_layout(&namespace, layout);
    let definition = |&(i, version): &Version| &versions[i][version];
    let mut running: Vec<Version> = Vec::new();
    for command in commands {
        match command {
            Op::Apply(given) => {
                palisade.apply(given.iter().map(definition)).stdout();
                start(&mut running, given, definition);
            }
            Op::Sync(given) => {
                let files = palisade.files(given.iter().map(definition));
                palisade.on_files("sync", files).stdout();
                running.retain(|(i, _)| given.iter().any(|(j, _)| i == j));
                start(&mut running, given, definition);
            }
            Op::Remove(numbers) => {
                let known = running.iter().filter(|(i, _)| numbers.contains(i));
                let names: Vec<String> = known.map(|(i, _)| format!("net{i}")).collect();
                if !names.is_empty() {
                    palisade.ok(["remove"]
                        .into_iter()
                        .chain(names.iter().map(String::as_str)));
                }
                running.retain(|(i, _)| !numbers.contains(i));
            }
            Op::Flush => {
                namespace.nft("flush ruleset\n");
                if !running.is_empty() {
                    palisade.apply(running.iter().map(definition)).stdout();
                }
            }
        }
        if running.is_empty() {
            assert_eq!(Dump::ruleset(&namespace).as_str(), "", "after {command:?}");
        } else {
            assert_as_applied(&namespace, layout, running.iter().map(definition));
        }
    }
}

/// What changes counts as started anew, in the order given; what does not stays where it is.
fn start<'v>(
    running: &mut Vec<Version>,
    given: &[Version],
    definition: impl Fn(&Version) -> &'v Definition,
) {
    let is_running = |version: &&Version| {
        let same = |other: &Version| definition(other).xml() == definition(version).xml();
        running
            .iter()
            .any(|other| other.0 == version.0 && same(other))
    };
    let (_, changed): (Vec<Version>, Vec<Version>) = given.iter().partition(is_running);
    running.retain(|(i, _)| changed.iter().all(|(j, _)| i != j));
    running.extend(changed);
}
