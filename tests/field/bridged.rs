//! Difference 5: what stays on its bridge is never translated.

use std::net::IpAddr;

use palisade_tests::place::Place;

use crate::lab::{Lab, arrivals, guest, note_arrivals, wait_for};
use palisade_tests::raw::{self, Packet};

/// A group that is searched for devices (SSDP), and a host behind another guest of the bridge.
fn destinations(v6: bool, number: u8) -> [IpAddr; 2] {
    match v6 {
        false => [[239, 255, 255, number].into(), [10, 9, 0, number].into()],
        true => [
            [0xff05, 0, 0, 0, 0, 0, 0, number.into()].into(),
            [0xfd09, 0, 0, 0, 0, 0, 0, number.into()].into(),
        ],
    }
}

pub(crate) fn keeps_its_source(place: Place) {
    let lab = Lab::new();
    note_arrivals(&lab.second);
    lab.host.ip("link set virbr0 type bridge mcast_snooping 0");
    lab.natted.ip(
        "route add 10.9.0.0/24 via 10.0.0.3\nroute add fd09::/64 via fd00::3\n\
         route add 239.0.0.0/8 dev eth0\nroute add ff05::/16 dev eth0 table local",
    );
    let palisade = place.palisade(&lab.host);
    palisade.apply(&Lab::definitions()).stdout();
    for (call, number) in [("0", 10), ("1", 20)] {
        for family in ["iptables", "ip6tables"] {
            lab.host
                .sysctl(&format!("bridge/bridge-nf-call-{family}"), call);
        }
        for v6 in [false, true] {
            let own = guest(0, v6);
            for destination in destinations(v6, number) {
                wait_for(&lab.second, destination, || {
                    Packet::new(own, destination, raw::udp(1900)).send(&lab.natted);
                });
                let sources = arrivals(&lab.second).remove(&destination);
                let keeps = sources.as_deref() == Some(&[own]);
                // libvirt's rules translate where bridged frames meet them.
                let must_keep = call == "0" || place == Place::Mapped;
                assert_eq!(
                    keeps, must_keep,
                    "{destination}, called {call}: {sources:?}"
                );
            }
        }
    }
}
