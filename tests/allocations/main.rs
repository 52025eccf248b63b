//! How often memory is asked for, by an allocator that counts: in making batches never for each rule
//! or element, and in changes never for networks that the change is not about.

mod counting;
#[path = "../counts/site.rs"]
#[allow(dead_code, reason = "what is counted there is counted there")]
mod site;

use std::process::ExitCode;

use palisade::Layout;
use palisade::network::Family;
use palisade_nft::batch::{At, Batch};
use palisade_nft::layout::TableName;
use palisade_nft::object::{Element, Rule};
use palisade_nft::program::Program;
use palisade_tests::trials;

use counting::allocations;
use site::{Site, network, networks};

/// How many networks there are, or are there already.
const SIZES: [u32; 3] = [1, 100, 1_000];
/// A buffer that grows doubles: so often, for a thousand times the bytes.
const DOUBLINGS: u64 = 12;
const ONE_MORE: u32 = 60_000;

fn main() -> ExitCode {
    palisade_tests::run(trials!(
        elements_cost_nothing,
        rules_cost_nothing,
        one_more_and_one_less,
        all_and_no_change,
    ))
}

/// A table of IPv4 with so many networks.
fn program(layout: Layout, size: u32) -> Program {
    let networks = networks(size);
    let placed: Vec<_> = networks.iter().map(|network| (layout, network)).collect();
    Program::of(&TableName::default(), Family::Ipv4, &placed).expect("a table")
}

fn elements_cost_nothing() {
    let counts = SIZES.map(|size| {
        let program = program(Layout::Mapped, size);
        let sets: Vec<(&str, &[Element])> = program
            .sets
            .iter()
            .map(|filled| (filled.set.name.as_str(), filled.elements.as_slice()))
            .collect();
        let table = &program.table;
        allocations(|| {
            let mut batch = Batch::new(None);
            for &(set, elements) in &sets {
                batch.add_elements(table.family, &table.name, set, elements);
            }
            batch.finish()
        })
    });
    assert!(counts[2] <= counts[0] + DOUBLINGS, "{counts:?}");
}

fn rules_cost_nothing() {
    let counts = SIZES.map(|size| {
        let program = program(Layout::Flat, size);
        let chains = program.chains.iter();
        let rules: Vec<&Rule> = chains.flat_map(|chain| &chain.rules).collect();
        allocations(|| {
            let mut batch = Batch::new(None);
            for rule in &rules {
                batch.add_rule(rule, At::End);
            }
            batch.finish()
        })
    });
    assert!(counts[2] <= counts[0] + DOUBLINGS, "{counts:?}");
}

/// Beside a thousand as beside one.
fn one_more_and_one_less() {
    let counts = SIZES.map(|size| {
        let mut site = Site::with(Layout::Mapped, size);
        let (one, name) = ([network(ONE_MORE)], [network(ONE_MORE).name().clone()]);
        let mut counts = [0; 2];
        // What is opened and made once counts in the first round, not in the second.
        for _ in 0..2 {
            site.count(|firewall| {
                counts[0] = allocations(|| firewall.apply(&one).expect("apply one more"));
                counts[1] = allocations(|| firewall.remove(&name).expect("remove it"));
            });
        }
        counts
    });
    for (size, counted) in SIZES.into_iter().zip(counts) {
        for (few, many) in counts[0].into_iter().zip(counted) {
            assert!(many <= few + few / 10, "{size}: {counts:?}");
        }
    }
}

/// So many for each network, and less for one that stays as it is.
fn all_and_no_change() {
    let counts = [100, 1_000].map(|size| {
        let mut site = Site::new(Layout::Mapped);
        let networks = networks(size);
        let mut counts = [0; 2];
        site.count(|firewall| {
            counts[0] = allocations(|| firewall.apply(&networks).expect("apply"));
            counts[1] = allocations(|| firewall.sync(&networks).expect("sync"));
        });
        counts
    });
    let [few, many] = counts;
    let each = |of: usize| (many[of] - few[of]) / 900;
    assert!(each(0) <= APPLIED, "{counts:?}");
    assert!(each(1) <= UNCHANGED, "{counts:?}");
}

/// For each network that is applied.
const APPLIED: u64 = 400;
/// For each network that stays as it is.
const UNCHANGED: u64 = 60;
