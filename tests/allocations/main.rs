//! How often memory is asked for, by an allocator that counts: never for networks that a change is
//! not about. That encoding asks for none is tested beside it (`crates/nft/tests/allocations.rs`).

mod counting;

use std::process::ExitCode;

use palisade::Layout;
use palisade_tests::counted::{Site, network, networks};
use palisade_tests::trials;

use counting::allocations;

/// How many networks there are, or are there already.
const SIZES: [u32; 3] = [1, 100, 1_000];
const ONE_MORE: u32 = 60_000;

fn main() -> ExitCode {
    palisade_tests::run(trials!(one_more_and_one_less, all_and_no_change, looking))
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
    println!("{counts:?}");
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
    println!("{counts:?}");
    assert!(each(0) <= APPLIED, "{counts:?}");
    assert!(each(1) == UNCHANGED, "{counts:?}");
}

/// Reading back asks for no memory for elements that stand as they are recorded. What is asked for
/// to read the records is not counted.
fn looking() {
    let counts = SIZES.map(|size| {
        let mut site = Site::with(Layout::Mapped, size);
        let (mut verify, mut records) = (0, 0);
        // What is opened and made once counts in the first round, not in the second.
        for _ in 0..2 {
            site.count(|firewall| {
                verify = allocations(|| firewall.verify(&[]).expect("verify"));
                records = allocations(|| firewall.running().expect("read the records"));
            });
        }
        verify - records
    });
    println!("{counts:?}");
    let [one, hundred, thousand] = counts;
    assert!(hundred - one <= 99 * LOOKED_AT, "{counts:?}");
    assert!(thousand - hundred <= 900 * LOOKED_AT, "{counts:?}");
}

/// For each network that is looked at: its table's name, its file's. It is more than a dozen elements.
const LOOKED_AT: u64 = 10;
/// For each network that is applied.
const APPLIED: u64 = 160;
/// For each network that stays as it is.
const UNCHANGED: u64 = 0;
