//! Somebody flushes the ruleset; some networks are applied again, and then others removed. With
//! handles that are recorded, and others' rules under the same handles now, that is how networks
//! lose their rules.

use palisade_tests::{Dump, Namespace, Trials, assert_as_applied};

use palisade_tests::place::{Place, assert_clean, net};

pub(crate) fn add_to(mut trials: Trials) -> Trials {
    for place in Place::OF_NFTABLES {
        for first in 1..=4 {
            let name = format!("{place:?}: flushed, applied again from net{first} on, removed");
            trials = trials.with(name, move || {
                for order in orders().into_iter().filter(|order| order[0] == first) {
                    flushed(place, order);
                }
            });
        }
    }
    trials
}

/// The first two of this order are applied again, the last two removed.
fn flushed(place: Place, order: [u8; 4]) {
    let namespace = Namespace::new();
    let palisade = place.palisade(&namespace);
    palisade.apply(&[net(1), net(2), net(3), net(4)]).stdout();
    namespace.nft("flush ruleset\n");
    let [first, second, third, fourth] = order;
    let name = |i: u8| format!("net{i}");
    let assert_whole = |names: &[u8]| {
        let args = std::iter::once("verify".to_owned()).chain(names.iter().copied().map(name));
        let verified = palisade.answer(args);
        assert_eq!(verified.code, Some(0), "order {order:?}: {verified}");
    };
    palisade.apply([&net(first)]).stdout();
    assert_whole(&[first]);
    // Those that nobody put back are missed.
    assert_eq!(palisade.answer(["verify", &name(third)]).code, Some(3));
    palisade.apply([&net(second)]).stdout();
    assert_whole(&[first, second]);
    palisade.ok(["remove", &name(third)]);
    assert_whole(&[first, second]);
    palisade.ok(["remove", &name(fourth)]);
    assert_clean(&palisade);
    // What is put back takes the place that it had.
    let mut left = [first, second];
    left.sort_unstable();
    assert_as_applied(&namespace, place.word(), &left.map(net));
    palisade.ok(["remove", "--all"]);
    assert_eq!(Dump::ruleset(&namespace).as_str(), "");
}

/// All orders of four networks.
fn orders() -> Vec<[u8; 4]> {
    let mut orders = Vec::new();
    for a in 1..=4 {
        for b in 1..=4 {
            for c in 1..=4 {
                let order = [a, b, c, 10_u8.saturating_sub(a + b + c)];
                let mut sorted = order;
                sorted.sort_unstable();
                if sorted == [1, 2, 3, 4] {
                    orders.push(order);
                }
            }
        }
    }
    assert_eq!(orders.len(), 24);
    orders
}
