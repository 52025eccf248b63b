//! A host with firewalld, which runs for real.

use palisade_tests::{Definition, Firewalld, Trials};

use crate::examined::{assert_healthy, examine};
use crate::lab::{Lab, SUBNETS};

const NAME: &str = "firewalld refuses what comes in and what is forwarded";

const ROUTED: &str = "firewalld refuses what comes to routed guests";

pub(crate) fn add_to(trials: Trials) -> Trials {
    match Firewalld::hindrance() {
        None => trials.with(NAME, firewalld).with(ROUTED, routed),
        Some(reason) => trials.without(NAME, reason.clone()).without(ROUTED, reason),
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

/// No zone lets others connect to guests: a policy does.
fn routed() {
    let lab = Lab::new();
    let palisade = palisade_tests::Palisade::new(&lab.host);
    let lan = Definition::route("lan", "virbr0", &SUBNETS);
    palisade.apply(&[lan]).stdout();
    let firewalld = Firewalld::start(&lab.host);
    let examined = examine(&lab.host, &palisade);
    let mends = examined.mends();
    assert!(
        mends
            .iter()
            .any(|mend| mend.ends_with("--set-target=ACCEPT")),
        "{mends:?}"
    );
    for mend in mends {
        examined.run(&mend, &firewalld.prefix()).stdout();
    }
    assert_healthy(&lab.host, &palisade);
    assert!(lab.is_reached());
    assert!(lab.reaches_world());
}
