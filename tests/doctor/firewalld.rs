//! A host with firewalld, which runs for real.

use palisade_tests::{Firewalld, Trials};

use crate::examined::{assert_healthy, examine};
use crate::lab::Lab;

const NAME: &str = "firewalld refuses what comes in and what is forwarded";

pub(crate) fn add_to(trials: Trials) -> Trials {
    match Firewalld::hindrance() {
        None => trials.with(NAME, firewalld),
        Some(reason) => trials.without(NAME, reason),
    }
}

fn firewalld() {
    let lab = Lab::new();
    let palisade = lab.palisade([]);
    let firewalld = Firewalld::start(&lab.host);
    assert!(!lab.reaches_world(), "or there is nothing to find");
    let examined = examine(&lab.host, &palisade);
    let findings = examined.of("forward-filter");
    assert!(!findings.is_empty());
    for finding in findings.iter().chain(&examined.of("host-filter")) {
        assert_eq!(finding["evidence"][0]["program"], "firewalld");
        assert_eq!(finding["evidence"][0]["table"], "inet firewalld");
    }
    let mends = examined.mends();
    let wanted = "--add-interface=virbr0";
    assert!(mends.iter().any(|mend| mend.ends_with(wanted)), "{mends:?}");
    for mend in mends {
        examined.run(&mend, &firewalld.prefix()).stdout();
    }
    assert_healthy(&lab.host, &palisade);
    assert!(lab.reaches_world());
    assert!(lab.reaches_host(53));
}
