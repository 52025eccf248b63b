//! Guests of one bridge, where frames meet the rules of IP.

use palisade_tests::{Namespace, Trials};

use crate::examined::examine;
use crate::lab::Lab;

pub(crate) fn add_to(trials: Trials) -> Trials {
    trials.with(
        "addresses_that_guests_use_among_themselves",
        addresses_that_guests_use_among_themselves,
    )
}

fn addresses_that_guests_use_among_themselves() {
    let (lab, second) = (Lab::new(), Namespace::new());
    lab.host.cable("vnet1", &second, "eth0");
    lab.host.ip("link set vnet1 master virbr0");
    lab.guest.ip("addr add 172.31.9.1/24 dev eth0");
    second.ip("addr add 172.31.9.2/24 dev eth0");
    for family in ["iptables", "ip6tables"] {
        let setting = format!("bridge/bridge-nf-call-{family}");
        lab.host.sysctl(&setting, "1");
    }
    let palisade = lab.palisade([]);
    let reaches = || lab.reaches_from("172.31.9.1", &second, ("172.31.9.2", 9));
    assert!(!reaches());
    let examined = examine(&lab.host, &palisade);
    examined.assert_only(&["bridged-sources"]);
    for finding in examined.of("bridged-sources") {
        assert_eq!(finding["severity"], "note");
    }
    examined.assert_mended();
    assert!(reaches());
}
