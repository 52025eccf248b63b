//! Networks that leave with another address.

use palisade_tests::probe::{Outcome, Protocol, ask, send};

use crate::topology::{WAN0, address};
use crate::{Lab, assert_open, assert_refused, assert_seen_as};

pub(crate) fn hides_guests(lab: &Lab) {
    let (guest, world) = (lab.topology.guest("nat"), lab.topology.world());
    assert_seen_as(guest, world, WAN0.map(address));
}

/// A guest that speaks from a privileged port appears at another.
pub(crate) fn keeps_to_unprivileged_ports(lab: &Lab) {
    let world = lab.topology.world();
    for (from, to) in lab.topology.guest("nat").iter().zip(&world) {
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            let outcome = ask(protocol, &from.at(600), to);
            let port = outcome.source().map_or(0, |source| source.port());
            assert!(
                port >= 1024,
                "{protocol:?} from {}: {outcome:?}",
                from.address
            );
        }
    }
}

pub(crate) fn refuses_unsolicited(lab: &Lab) {
    let topology = &lab.topology;
    for outsider in [
        topology.world(),
        topology.second_world(),
        topology.guest("route"),
    ] {
        assert_refused(outsider, topology.guest("nat"));
    }
}

pub(crate) fn refuses_made_up_sources(lab: &Lab) {
    for (from, to) in lab.topology.liar("nat").iter().zip(&lab.topology.world()) {
        assert_eq!(send(from, to), Outcome::Silent, "from {}", from.address);
    }
}

pub(crate) fn uses_its_ranges(lab: &Lab) {
    let (from, to) = (
        lab.topology.guest("uplink")[0],
        lab.topology.second_world()[0],
    );
    let range = address("203.0.113.7")..=address("203.0.113.9");
    for protocol in Protocol::ALL {
        let outcome = ask(protocol, &from, &to);
        let Outcome::Answered(source) = outcome else {
            panic!("{protocol:?}: {outcome:?}");
        };
        assert!(range.contains(&source.ip()), "{protocol:?}: {source}");
        let has_ports = protocol != Protocol::Icmp;
        assert!(
            !has_ports || (20000..=20100).contains(&source.port()),
            "{protocol:?}: {source}"
        );
    }
}

pub(crate) fn serves_each_subnet(lab: &Lab) {
    let world = lab.topology.world();
    for guest in lab.topology.guests("twin") {
        assert_seen_as(guest, world, WAN0.map(address));
        for (from, to) in guest.iter().zip(&world) {
            for protocol in [Protocol::Tcp, Protocol::Udp] {
                let outcome = ask(protocol, from, to);
                let port = outcome.source().map_or(0, |source| source.port());
                let told = || format!("{protocol:?} from {}: {outcome:?}", from.address);
                assert!((40000..=50000).contains(&port), "{}", told());
            }
        }
    }
}

pub(crate) fn keeps_to_its_device(lab: &Lab) {
    let topology = &lab.topology;
    let guest = topology.guest("uplink");
    assert_refused(guest, topology.world());
    assert_refused(topology.world(), guest);
    // IPv6 is not translated there: it is routed, through the same device.
    let [second4, second6] = topology.second_world();
    let [guest4, guest6] = guest;
    for protocol in Protocol::ALL {
        assert_eq!(
            ask(protocol, &second4, &guest4),
            Outcome::Refused,
            "{protocol:?}"
        );
        let (out, back) = (
            ask(protocol, &guest6, &second6),
            ask(protocol, &second6, &guest6),
        );
        assert!(out.is_answered_to(guest6.address), "{protocol:?}: {out:?}");
        assert!(
            back.is_answered_to(second6.address),
            "{protocol:?}: {back:?}"
        );
    }
}

pub(crate) fn leaves_its_subnet_alone(lab: &Lab) {
    for network in ["nat", "uplink"] {
        let [first, second] = lab.topology.guests(network);
        assert_open(first, second);
    }
}
