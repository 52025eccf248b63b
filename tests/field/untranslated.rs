//! Difference 3: nothing leaves a NAT network untranslated.

use palisade_tests::place::Place;

use crate::lab::{Lab, arrivals, counted, guest, somewhere};
use palisade_tests::raw::{self, Packet};

/// The first of the numbers of addresses that the guest of a network sends to.
const FIRST: [(u16, u8); 2] = [(0, 10), (2, 100)];

/// From a NAT network they leave with their private source by libvirt's rules, and not by `mapped`; from a
/// routed network they may leave.
pub(crate) fn leave_as_documented(place: Place) {
    let lab = Lab::new();
    let palisade = place.palisade(&lab.host);
    palisade.apply(&Lab::definitions()).stdout();
    for v6 in [false, true] {
        for (network, first) in FIRST {
            let sender = if network == 0 {
                &lab.natted
            } else {
                &lab.routed
            };
            for (number, (_, payload)) in (first..).zip(raw::of_no_connection(somewhere(v6, 0))) {
                let ends = (guest(network, v6), somewhere(v6, number));
                Packet::new(ends.0, ends.1, payload).send(sender);
            }
        }
    }
    lab.settle();
    let arrived = arrivals(&lab.world);
    for v6 in [false, true] {
        let kinds = raw::of_no_connection(somewhere(v6, 0));
        for (network, first) in FIRST {
            let own = guest(network, v6);
            for (number, (name, _)) in (first..).zip(&kinds) {
                let sources = arrived.get(&somewhere(v6, number));
                let leaves = sources.is_some_and(|sources| sources.contains(&own));
                let may_leave = network == 2 || place != Place::Mapped;
                assert_eq!(leaves, may_leave, "{name} from {own}: {sources:?}");
            }
        }
        let family = if v6 { "ipv6" } else { "ipv4" };
        let invalid = counted(&palisade, "natted", family, "invalid");
        let expected = (place == Place::Mapped).then_some(kinds.len() as u64);
        assert_eq!(invalid, expected, "{family}");
    }
    // No private source is in the world but those of the kinds above.
    let private = guest(0, false);
    let sent_by = arrived.get(&somewhere(false, 254)).expect("the last one");
    assert!(!sent_by.contains(&private), "{sent_by:?}");
}
