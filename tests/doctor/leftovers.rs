//! What was left by libvirt and by ourselves, and two families of programs at once.

use std::process::Command;

use palisade_tests::{Palisade, Trials, trials};

use crate::examined::{assert_healthy, examine};
use crate::lab::{self, Lab};

pub(crate) fn add_to(trials: Trials) -> Trials {
    trials.and(trials![
        both_families_of_programs,
        libvirt_left_its_table,
        libvirt_rules_the_same_bridge,
        libvirt_rules_another_bridge,
        tables_without_a_record,
        chains_without_a_record,
        state_that_does_not_count,
    ])
}

fn both_families_of_programs() {
    let lab = Lab::new();
    let palisade = lab.palisade([]);
    for program in ["iptables-legacy", "iptables-nft"] {
        assert_healthy(&lab.host, &palisade);
        let mut command = Command::new(program);
        let rule = ["-A", "INPUT", "-p", "tcp", "--dport", "22", "-j", "ACCEPT"];
        lab.host.answer(command.args(rule), "").stdout();
    }
    let examined = examine(&lab.host, &palisade);
    examined.assert_only(&["iptables-families"]);
    examined.one(
        "iptables-families",
        &["iptables-legacy", "iptables-nft", "filter"],
    );
    examined.assert_mended();
    let moved = lab
        .host
        .answer(&mut Command::new("iptables-nft-save"), "")
        .stdout();
    assert_eq!(
        moved.matches("--dport 22").count(),
        2,
        "nothing was lost: {moved}"
    );
}

/// As libvirt 10.4 lays it out.
fn libvirt(bridge: &str) -> String {
    format!(
        "table ip libvirt_network {{\n\
         chain guest_output {{\niifname \"{bridge}\" counter reject\n}}\n\
         chain forward {{\ntype filter hook forward priority 0\npolicy accept\n\
         counter jump guest_output\n}}\n}}\n"
    )
}

fn libvirt_left_its_table() {
    let lab = Lab::new();
    let palisade = lab.palisade([]);
    lab.host.nft(&libvirt("virbr7"));
    let examined = examine(&lab.host, &palisade);
    examined.assert_only(&["libvirt"]);
    examined.one("libvirt", &["ip libvirt_network", "note"]);
    examined.assert_mended();
}

fn libvirt_rules_the_same_bridge() {
    let lab = Lab::new();
    let palisade = lab.palisade([]);
    lab.host.nft(&libvirt("virbr0"));
    assert!(!lab.reaches_world(), "or there is nothing to find");
    let examined = examine(&lab.host, &palisade);
    examined.one("libvirt", &["default", "warning"]);
    let stops = examined.one("forward-filter", &["ip libvirt_network", "guest_output"]);
    assert_eq!(stops["severity"], "error");
    // The mend of the first takes away what that of the second would change.
    let finding = examined.one("libvirt", &[]);
    let command = finding["mend"][0].as_str().expect("a command");
    examined.run(command, &[]).stdout();
    assert_healthy(&lab.host, &palisade);
    assert!(lab.reaches_world());
}

/// That is what it is for.
fn libvirt_rules_another_bridge() {
    let lab = Lab::new();
    let palisade = lab.palisade([]);
    lab.host.bridges(["virbr7"]);
    lab.host.nft(&libvirt("virbr7"));
    assert_healthy(&lab.host, &palisade);
}

fn tables_without_a_record() {
    let lab = Lab::new();
    let forgotten = lab.palisade([]);
    drop(forgotten);
    let palisade = Palisade::new(&lab.host).with(["--table", "other"]);
    palisade.apply(&[lab::default()]).stdout();
    let examined = examine(&lab.host, &palisade);
    examined.assert_only(&["unrecorded"]);
    assert_eq!(examined.of("unrecorded").len(), 2, "ip and ip6");
    examined.assert_mended();
}

fn chains_without_a_record() {
    let lab = Lab::new();
    let forgotten = lab.palisade(["--backend", "iptables", "--iptables", "legacy"]);
    drop(forgotten);
    let palisade = Palisade::new(&lab.host);
    palisade.apply(&[lab::default()]).stdout();
    let examined = examine(&lab.host, &palisade);
    examined.assert_only(&["unrecorded"]);
    examined.assert_mended();
    let left = palisade_tests::iptables::ours(&lab.host, "legacy");
    assert!(left.is_empty(), "{left:?}");
}

fn state_that_does_not_count() {
    let lab = Lab::new();
    let palisade = lab.palisade([]);
    let older = palisade.state().join("netns-7");
    std::fs::create_dir_all(&older).expect("make a folder");
    let label = r#"{"schema": 1, "boot": "another", "cookie": 7}"#;
    std::fs::write(older.join("namespace.json"), label).expect("write a file");
    let examined = examine(&lab.host, &palisade);
    examined.assert_only(&["state"]);
    examined.one("state", &["netns-7", "another boot"]);
    examined.assert_mended();
    assert!(!older.exists());
}
