//! What stands in the kernel: rules, and the expressions that packets walk through.

use palisade::{Layout, TableName};
use palisade_netlink::Socket;
use palisade_nft::dump::Reader;
use palisade_nft::object::Family;
use palisade_tests::Trials;

use crate::sizes::SIZES;
use palisade_tests::counted::Site;

/// Those of one NAT network: libvirt's ten, three that lead to the administrator's chains, and one
/// that networks without NAT between networks need.
const RULES_OF_A_NETWORK: usize = 14;

/// Those of one NAT network: libvirt's ten rules and four more, with two
/// expressions for each comparison (three for the state), one for each verdict and counter, and
/// three for a translation to ports.
const OF_A_NETWORK: usize = 6 + 4 + 9 + 4 + 6 + 6 + 10 + 10 + 6 + 6 + 4 * 4;

pub(crate) fn add_to(trials: Trials) -> Trials {
    trials
        .with("mapped: rules do not grow", mapped)
        .with("flat: as many rules for each network", flat)
}

/// Rules and expressions of both tables.
fn standing(layout: Layout, size: u32) -> (usize, usize) {
    let site = Site::with(layout, size);
    let mut socket = Socket::open_in(Some(&site.namespace.path())).expect("open a socket");
    let mut replies = Vec::new();
    let mut reader = Reader::new(&mut socket, &mut replies);
    let (mut rules, mut expressions) = (0, 0);
    for family in [Family::Ip, Family::Ip6] {
        let read = reader.rules(family, TableName::default().as_str());
        for rule in read.expect("read rules") {
            rules += 1;
            expressions += rule.expressions.len();
        }
    }
    (rules, expressions)
}

/// What a packet walks through is the same for one network and for a thousand.
fn mapped() {
    let counts = SIZES.map(|size| standing(Layout::Mapped, size));
    assert_eq!(counts, [counts[0]; 3]);
    let (rules, expressions) = counts[0];
    assert!(rules <= 47 && expressions <= 143, "{rules}, {expressions}");
}

fn flat() {
    let counts = SIZES.map(|size| standing(Layout::Flat, size));
    let (rules, expressions) = counts[0];
    for (size, counted) in SIZES.into_iter().zip(counts) {
        let more = size as usize - 1;
        let expected = (
            rules + RULES_OF_A_NETWORK * more,
            expressions + OF_A_NETWORK * more,
        );
        assert_eq!(counted, expected, "{size} networks");
    }
}
