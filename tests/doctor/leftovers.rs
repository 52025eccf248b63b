//! What was left by libvirt and by ourselves, and two families of programs at once.

use std::process::Command;

use palisade_tests::{Definition, Dump, Palisade, Trials, trials};

use crate::examined::{assert_healthy, examine};
use crate::lab::{self, Lab};

pub(crate) fn add_to(trials: Trials) -> Trials {
    trials.and(trials![
        both_families_of_programs,
        libvirt_left_its_table,
        libvirt_rules_the_same_bridge,
        libvirt_rules_another_bridge,
        libvirt_keeps_its_other_bridges,
        tables_without_a_record,
        chains_without_a_record,
        tables_of_a_lost_network,
        others_among_what_has_no_record,
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
    let command = finding["fix"]["commands"][0].as_str().expect("a command");
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

/// The mend takes out what is about the same bridge, and nothing else of libvirt's.
fn libvirt_keeps_its_other_bridges() {
    let lab = Lab::new();
    let palisade = lab.palisade([]);
    lab.host.bridges(["virbr9"]);
    lab.host.nft(
        "table ip libvirt_network {\n\
         chain guest_output {\niifname \"virbr0\" counter reject\niifname \"virbr9\" counter reject\n}\n\
         chain forward {\ntype filter hook forward priority 0\ncounter jump guest_output\n}\n\
         chain guest_nat {\ntype nat hook postrouting priority 100\n\
         ip saddr 192.168.122.0/24 ip daddr != 192.168.122.0/24 masquerade\n\
         ip saddr 10.9.0.0/24 ip daddr != 10.9.0.0/24 masquerade\n}\n}\n",
    );
    legacy(
        &lab,
        &[
            "-N LIBVIRT_FWO",
            "-I FORWARD -j LIBVIRT_FWO",
            "-A LIBVIRT_FWO -i virbr0 -j REJECT",
            "-A LIBVIRT_FWO -i virbr9 -j REJECT",
        ],
    );
    let examined = examine(&lab.host, &palisade);
    let finding = examined.one("libvirt", &["default", "warning"]);
    for command in finding["fix"]["commands"].as_array().expect("commands") {
        examined
            .run(command.as_str().expect("a command"), &[])
            .stdout();
    }
    assert!(lab.reaches_world());
    assert_healthy(&lab.host, &palisade);
    let table = Dump::table(&lab.host, "ip", "libvirt_network").expect("the table");
    let listed = format!("{table}{}", saved(&lab));
    assert!(!listed.contains("virbr0"), "{listed}");
    assert!(!listed.contains("192.168.122.0"), "{listed}");
    for kept in [
        "iifname \"virbr9\"",
        "jump guest_output",
        "ip saddr 10.9.0.0/24",
        "-A FORWARD -j LIBVIRT_FWO",
        "-A LIBVIRT_FWO -i virbr9 -j REJECT",
    ] {
        assert!(listed.contains(kept), "{kept} in {listed}");
    }
}

fn legacy(lab: &Lab, calls: &[&str]) {
    for call in calls {
        let mut program = Command::new("iptables-legacy");
        lab.host.answer(program.args(call.split(' ')), "").stdout();
    }
}

fn saved(lab: &Lab) -> String {
    lab.host
        .answer(&mut Command::new("iptables-legacy-save"), "")
        .stdout()
}

/// What an administrator put among rules that have no record outlives the mend.
fn others_among_what_has_no_record() {
    let places: [(&[&str], &str, &str); 3] = [
        (
            &["--layout", "mapped"],
            "insert rule ip palisade from_guest ip saddr 10.9.9.9 accept\n\
             add element ip palisade out_24 { \"eth7\" . 10.9.0.0 }",
            "elements = { \"eth7\" . 10.9.0.0",
        ),
        (
            &["--layout", "flat"],
            "insert rule ip palisade guest_output ip saddr 10.9.9.9 accept",
            "jump guest_output",
        ),
        (
            &["--backend", "iptables", "--iptables", "legacy"],
            "-I PALISADE_FWO -s 10.9.9.9 -j ACCEPT",
            "-A FORWARD -j PALISADE_FWO",
        ),
    ];
    for (options, puts, kept) in places {
        let lab = Lab::new();
        let palisade = lab.palisade(["--table", "other"]);
        lose(&lab, options);
        let is_legacy = options.contains(&"legacy");
        if is_legacy {
            legacy(&lab, &[puts]);
        } else {
            lab.host.nft(puts);
        }
        let examined = examine(&lab.host, &palisade);
        examined.assert_only(&["unrecorded"]);
        // Only advice, since it takes away what protects a network.
        for finding in examined.of("unrecorded") {
            let meaning = finding["impact"].as_str().expect("a text");
            let removal = meaning.split("If no network needs them, `").nth(1);
            let removal = removal.and_then(|it| it.split('`').next());
            examined.run(removal.expect("a command"), &[]).stdout();
        }
        assert_healthy(&lab.host, &palisade);
        let left = match Dump::table(&lab.host, "ip", "palisade") {
            Some(table) => table.to_string(),
            None => saved(&lab),
        };
        assert!(left.contains("10.9.9.9"), "{left}");
        assert!(left.contains(kept), "{left}");
        assert!(!left.contains("virbr0"), "{left}");
    }
}

/// A network that is recorded elsewhere loses nothing with them.
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

/// A network whose state is lost. By its own name it would be adopted when it is applied again.
fn lose(lab: &Lab, options: &[&str]) {
    let palisade = Palisade::new(&lab.host).with(options.iter().copied());
    let lost = Definition::nat("lost", "virbr0", &lab::SUBNETS);
    palisade.apply(&[lost]).stdout();
}

/// What protects a network is recorded again, and not removed.
fn chains_without_a_record() {
    let lab = Lab::new();
    let palisade = lab.palisade(["--table", "other"]);
    lose(&lab, &["--backend", "iptables", "--iptables", "legacy"]);
    let before = palisade_tests::iptables::ours(&lab.host, "legacy");
    assert_adopted(&lab, &palisade);
    assert_eq!(
        palisade_tests::iptables::ours(&lab.host, "legacy"),
        before,
        "nothing was removed"
    );
}

fn tables_of_a_lost_network() {
    let lab = Lab::new();
    let palisade = lab.palisade(["--table", "other"]);
    lose(&lab, &[]);
    let table = || Dump::table(&lab.host, "ip", "palisade").map(|table| table.to_string());
    let before = table();
    assert_adopted(&lab, &palisade);
    assert_eq!(table(), before, "nothing was removed");
}

#[track_caller]
fn assert_adopted(lab: &Lab, palisade: &Palisade<'_>) {
    let examined = examine(&lab.host, palisade);
    examined.assert_only(&["unrecorded"]);
    for command in examined.mends() {
        assert!(command.ends_with("recover --adopt"), "{command}");
    }
    examined.mend();
    assert_eq!(palisade.running(), ["default", "lost"]);
    assert!(examine(&lab.host, palisade).of("unrecorded").is_empty());
}

fn state_that_does_not_count() {
    let lab = Lab::new();
    let palisade = lab.palisade([]);
    let older = palisade.state().join("netns-7");
    std::fs::create_dir_all(&older).expect("make a folder");
    let label = r#"{"schema": 2, "boot": "another", "cookie": 7, "crc32c": "ee525864"}"#;
    std::fs::write(older.join("namespace.json"), label).expect("write a file");
    let examined = examine(&lab.host, &palisade);
    examined.assert_only(&["state"]);
    examined.one("state", &["netns-7", "another boot"]);
    examined.assert_mended();
    assert!(!older.exists());
}
