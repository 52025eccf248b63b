//! Networks whose guests keep their addresses, and what passes between networks.

use palisade_tests::probe::{Outcome, Protocol, ask, send};

use crate::topology::Ends;
use crate::{Lab, assert_open, assert_refused, assert_seen_as};

/// The networks that have IPv6.
const DUAL: [&str; 4] = ["nat", "uplink", "route", "quiet"];

pub(crate) fn all_is_open(lab: &Lab) {
    let topology = &lab.topology;
    for network in DUAL {
        for outsider in [topology.world(), topology.second_world()] {
            assert_open(topology.guest(network), outsider);
            assert_open(outsider, topology.guest(network));
        }
        assert_open(topology.guest(network), topology.guests("route")[1]);
    }
}

pub(crate) fn is_open_both_ways(lab: &Lab) {
    let topology = &lab.topology;
    let guest = topology.guest("route");
    for outsider in [topology.world(), topology.second_world()] {
        assert_open(guest, outsider);
        assert_open(outsider, guest);
    }
}

pub(crate) fn refuses_made_up_sources(lab: &Lab) {
    for (from, to) in lab.topology.liar("route").iter().zip(&lab.topology.world()) {
        assert_eq!(send(from, to), Outcome::Silent, "from {}", from.address);
    }
}

/// Through the host, which sends back on the bridge what came from it.
pub(crate) fn guests_of_one_bridge_talk(lab: &Lab) {
    for network in DUAL {
        let [first, second] = lab.topology.guests(network);
        assert_open(first, second);
        assert_open(second, first);
    }
    // Without IPv6 in its definition; see `isolation::ipv6_past_ipv4`.
    let [[first, _], [second, _]] = lab.topology.guests("quiet4");
    for protocol in Protocol::ALL {
        let outcome = ask(protocol, &first, &second);
        assert!(
            outcome.is_answered_to(first.address),
            "{protocol:?}: {outcome:?}"
        );
    }
}

pub(crate) fn from_network_to_network(lab: &Lab) {
    let topology = &lab.topology;
    let guest = |network| topology.guest(network);
    // Both agree: out of one, with the host's address there, and into the other.
    let host: Vec<_> = topology
        .gateway("route")
        .iter()
        .map(|end| end.address)
        .collect();
    let host: [_; 2] = host.try_into().expect("an address of each family");
    assert_seen_as(guest("nat"), guest("route"), host);
    // One disagrees.
    let refused: [(Ends<'_>, Ends<'_>); 5] = [
        (guest("route"), guest("nat")),
        (guest("route"), guest("uplink")),
        (guest("nat"), guest("uplink")),
        (guest("nat"), guest("quiet")),
        (guest("route"), guest("quiet")),
    ];
    for (from, to) in refused {
        assert_refused(from, to);
    }
}
