//! State directories that are lost while networks run: `verify` says so, and networks are adopted again
//! from what is installed, with what their rules counted.

use std::fs;

use palisade_tests::place::{Place, assert_clean, net, recorded, routed};
use palisade_tests::{Definition, Namespace, Palisade, Trials};
use serde_json::{Value, json};

use crate::kill::folder;

pub(crate) fn add_to(mut trials: Trials) -> Trials {
    for place in Place::ALL {
        let name = format!("lost state: {place:?}: {{}}");
        let of = |what: &str| name.replace("{}", what);
        trials = trials
            .with(of("adopted from the rules"), move || adopted(place))
            .with(of("adopted by sync, and the rest replaced"), move || {
                synced(place);
            })
            .with(of("one record of three"), move || one_of_three(place))
            .with(
                of("parts are kept, and replaced by definitions"),
                move || {
                    parts_replaced(place);
                },
            )
            .with(of("each change adopts first"), move || changed(place));
    }
    trials
        .with("lost state: every kind of network", every_kind)
        .with("lost state: apply adopts what it names", applied)
        .with("lost state: parts of a network are left", parts)
        .with("lost state: another program's table is left", another_table)
        .with("another state directory keeps its networks", two_states)
        .with("lost state: an old copy beside a migration", old_copy)
        .with("lost state: nothing to adopt", nothing)
        .with("verify: an element in another network's name", misnamed)
}

/// The state directory, emptied.
fn lose(palisade: &Palisade<'_>) {
    fs::remove_dir_all(palisade.state()).expect("remove the state");
}

fn json_of(palisade: &Palisade<'_>, words: &[&str]) -> Value {
    let answer = palisade.answer(["--format", "json"].iter().chain(words));
    serde_json::from_str(&answer.stdout).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

/// What differs, and what that means.
#[track_caller]
fn differences(palisade: &Palisade<'_>) -> Vec<Value> {
    let answer = palisade.answer(["--format", "json", "verify"]);
    assert_eq!(answer.code, Some(3), "{answer}");
    let told: Value = serde_json::from_str(&answer.stdout).expect("verify prints JSON");
    assert_eq!(told["clean"], false);
    told["differences"].as_array().expect("an array").clone()
}

/// A network without a record is a difference, and it is adopted; nothing in the kernel changes.
fn adopted(place: Place) {
    let namespace = Namespace::new();
    let palisade = place.palisade(&namespace);
    let forwards = [
        "tcp 203.0.113.7:8080 -> 10.1.0.5:80",
        "udp 5353-5360 -> 10.1.0.6:53-60",
    ];
    let first = net(1).with_forwards(&forwards);
    palisade.apply([&first, &routed(2)]).stdout();
    let (before, records) = (place.standing(&namespace), recorded(&palisade));
    lose(&palisade);
    assert!(palisade.running().is_empty());
    let found = differences(&palisade);
    for name in ["net1", "net2"] {
        let is_it = |found: &Value| found["network"] == name && found["kind"] == "foreign";
        assert!(found.iter().any(is_it), "{name}: {found:#?}");
    }
    let told = palisade.answer(["verify"]).stdout;
    assert!(told.contains("palisade recover --adopt"), "{told}");
    assert!(told.contains("no record names `net1`, `net2`"), "{told}");
    assert!(!palisade.state().exists(), "who only looks makes nothing");

    let told = json_of(&palisade, &["recover", "--adopt"]);
    let names: Vec<&str> = told["adopted"]
        .as_array()
        .expect("names")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(names.len(), 2, "{told}");
    assert_eq!(
        (&told["recovered"], &told["left"]),
        (&json!("nothing"), &json!([]))
    );
    assert_eq!(place.standing(&namespace), before);
    assert_clean(&palisade);
    assert_eq!(recorded(&palisade), records);
    lose(&palisade);
    let told = palisade.ok(["recover", "--adopt"]);
    assert!(told.ends_with('\n'), "{told:?}");
    for lacking in ["MTU", "zone", "DHCP", "TFTP", "IPv6"] {
        assert!(told.contains(lacking), "{lacking}: {told}");
    }
    // Once is enough.
    assert_eq!(
        json_of(&palisade, &["recover", "--adopt"])["adopted"],
        json!([])
    );
    palisade.ok(["remove", "net1"]);
    assert_clean(&palisade);
    assert_eq!(palisade.running(), ["net2"]);
    palisade.ok(["remove", "--all"]);
    assert_clean(&palisade);
}

/// What is as it is defined stays untouched, what differs is replaced, what is not defined is removed.
fn synced(place: Place) {
    let namespace = Namespace::new();
    let palisade = place.palisade(&namespace);
    palisade.apply([&net(1), &net(2), &net(3)]).stdout();
    lose(&palisade);
    let files = palisade.files([&net(1), &routed(2)]);
    // Nobody chooses again: networks stay where they are.
    let bare = Palisade::new(&namespace).sharing(&palisade);
    let planned = bare.on_files("plan", [vec!["--sync".into()], files.clone()].concat());
    assert_eq!(planned.code, Some(3), "{planned}");
    assert!(!palisade.state().exists(), "who only plans makes nothing");
    let told = bare.on_files("sync", &files).stdout();
    for expected in [
        "= net1 unchanged",
        "~ net2: replace",
        "note: adopted networks",
        "`net3` runs without a record: `palisade recover --adopt`",
    ] {
        assert!(told.contains(expected), "{expected}: {told}");
    }
    // It may be recorded in another state directory.
    assert_eq!(palisade.running(), ["net1", "net2"]);
    palisade.ok(["recover", "--adopt"]);
    bare.on_files("sync", &files).stdout();
    assert_clean(&palisade);
    assert_eq!(palisade.running(), ["net1", "net2"]);
    let listed = json_of(&palisade, &["list"]);
    for network in listed.as_array().expect("networks") {
        assert_eq!(network["backend"], place.backend(), "{network}");
    }
    let fresh = Namespace::new();
    let expected = place.palisade(&fresh);
    expected.apply([&net(1), &routed(2)]).stdout();
    assert_eq!(place.standing(&namespace), place.standing(&fresh));
}

/// The network gets back the place that it had among the others.
fn one_of_three(place: Place) {
    let namespace = Namespace::new();
    let palisade = place.palisade(&namespace);
    for i in 1..=3 {
        palisade.apply([&net(i)]).stdout();
    }
    let (before, records) = (place.standing(&namespace), recorded(&palisade));
    fs::remove_file(folder(&palisade).join("networks/net2.json")).expect("remove a record");
    assert!(!differences(&palisade).is_empty());
    let told = palisade.ok(["recover", "--adopt"]);
    assert!(told.contains("+ net2: adopted"), "{told}");
    assert_clean(&palisade);
    assert_eq!(recorded(&palisade), records);
    assert_eq!(place.standing(&namespace), before);
}

/// Modes, services and options, as far as rules tell them apart.
fn every_kind() {
    let definitions = [
        Definition::nat("ranges", "br1", &["10.1.0.1/24"]).forwarding(
            "<forward mode='nat' dev='up0'><nat><address start='192.0.2.1' end='192.0.2.9'/>\
             <port start='2000' end='3000'/></nat></forward>",
        ),
        Definition::nat("six", "br2", &["10.2.0.1/24", "fd00:2::1/64"])
            .forwarding("<forward mode='nat'><nat ipv6='yes'/></forward>")
            .with_forwards(&["sctp [2001:db8::7]:65535 -> [fd00:2::5]:1"]),
        Definition::nat("bound", "br3", &["10.3.0.1/16"])
            .forwarding("<forward mode='route' dev='up0'/>"),
        Definition::nat("alone \"quoted\"", "br4", &["10.4.0.1/24", "fd00:4::1/64"])
            .forwarding("")
            .with_forwards(&["tcp 8080 -> 10.4.0.5:80"]),
        Definition::nat("bare", "br5", &[]).forwarding(""),
    ];
    for established in ["in-turn", "first"] {
        let namespace = Namespace::new();
        let palisade =
            Palisade::with_layout(&namespace, "mapped").with(["--established", established]);
        palisade.apply(&definitions).stdout();
        let records = recorded(&palisade);
        lose(&palisade);
        let told = palisade.ok(["recover", "--adopt"]);
        assert_eq!(palisade.running().len(), definitions.len(), "{told}");
        assert_clean(&palisade);
        // In sets no network stands above another.
        let sorted = |listed: &str| {
            let mut listed: Vec<Value> = serde_json::from_str(listed).expect("JSON");
            listed.sort_by_key(|network| network["name"].to_string());
            for network in &mut listed {
                // Nothing of an isolated network's is accepted first.
                if network["mode"] == "isolated" {
                    network["established"].take();
                }
            }
            listed
        };
        assert_eq!(sorted(&recorded(&palisade)), sorted(&records));
        // The definitions are the same, so that nothing changes.
        let again = palisade.apply(&definitions).stdout();
        assert!(!again.contains("restore"), "{again}");
        assert_clean(&palisade);
    }
}

/// `apply` adopts the networks that it names, and no others: another state directory may record them.
fn applied() {
    for place in Place::ALL {
        let namespace = Namespace::new();
        let palisade = place.palisade(&namespace);
        palisade.apply([&net(1), &net(2)]).stdout();
        let before = place.standing(&namespace);
        lose(&palisade);
        let told = palisade.apply([&net(1)]).stdout();
        assert!(told.contains("= net1 unchanged"), "{told}");
        assert!(told.contains("note: adopted network `net1`"), "{told}");
        palisade.ok(["repair"]);
        assert_eq!(place.standing(&namespace), before);
        assert_eq!(palisade.running(), ["net1"]);
        palisade.ok(["recover", "--adopt"]);
        assert_eq!(palisade.running(), ["net1", "net2"]);
        assert_clean(&palisade);
    }
}

/// A command with a state directory of its own changes nothing of the networks of another.
fn two_states() {
    for place in Place::ALL {
        let namespace = Namespace::new();
        let palisade = place.palisade(&namespace);
        palisade.apply([&net(1), &net(2)]).stdout();
        let of_networks = || {
            let standing = place.standing(&namespace);
            let lines = standing.lines().filter(|line| line.contains("virbr"));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        let before = of_networks();
        let other = place.palisade(&namespace);
        let told = other.on_files("sync", other.files([&net(3)])).stdout();
        assert!(
            told.contains("unless another state directory does"),
            "{told}"
        );
        assert_eq!(other.running(), ["net3"]);
        other.ok(["remove", "--all"]);
        other.answer(["remove", "net1"]).refusal(1);
        assert_eq!(other.running(), [""; 0]);
        assert_eq!(of_networks(), before);
        assert_eq!(palisade.running(), ["net1", "net2"]);
    }
}

/// What is missing afterwards of each network.
fn break_all(place: Place, namespace: &Namespace) {
    let variant = match place {
        Place::Mapped => return namespace.nft("flush set ip palisade bridges"),
        Place::Flat => return namespace.nft("flush chain ip palisade guest_output"),
        Place::Legacy => "iptables-legacy",
        _ => "iptables-nft",
    };
    let mut command = std::process::Command::new(variant);
    namespace
        .answer(command.args(["-F", "PALISADE_FWO"]), "")
        .stdout();
}

/// What carries the name of a network without a record is never removed as foreign, and is replaced when
/// the network is applied.
fn parts_replaced(place: Place) {
    let namespace = Namespace::new();
    let palisade = place.palisade(&namespace);
    palisade.apply([&net(1), &net(2)]).stdout();
    let before = place.standing(&namespace);
    lose(&palisade);
    break_all(place, &namespace);
    let told = json_of(&palisade, &["recover", "--adopt"]);
    assert_eq!(told["left"].as_array().map(Vec::len), Some(2), "{told}");
    assert_eq!(palisade.answer(["recover", "--adopt"]).code, Some(1));
    let told = palisade.apply([&net(1)]).stdout();
    assert!(told.contains("! net1: restore"), "{told}");
    assert!(told.contains("`net2` runs without a record"), "{told}");
    let parts = place.standing(&namespace);
    let told = palisade.ok(["repair"]);
    assert!(
        told.contains("network `net2`, which no record names"),
        "{told}"
    );
    assert_eq!(place.standing(&namespace), parts);
    assert!(!differences(&palisade).is_empty());
    // Another network is recorded, and still the old rules are found.
    palisade.apply([&net(3)]).stdout();
    palisade.ok(["remove", "net3"]);
    let told = palisade.apply([&net(2)]).stdout();
    assert!(told.contains("! net2: restore"), "{told}");
    assert_clean(&palisade);
    assert_eq!(place.standing(&namespace), before);
    palisade.ok(["remove", "--all"]);
    assert_clean(&palisade);
}

/// No change takes over networks of which it is not said that they are its own.
fn changed(place: Place) {
    let namespace = Namespace::new();
    let palisade = place.palisade(&namespace);
    palisade.apply([&net(1), &net(2), &net(3)]).stdout();
    let before = place.standing(&namespace);
    lose(&palisade);
    let told = palisade.ok(["repair"]);
    for expected in [
        "`net3`",
        "run without a record: `palisade recover --adopt` records them",
    ] {
        assert!(told.contains(expected), "{told}");
    }
    assert_eq!(place.standing(&namespace), before);
    for words in [["remove", "net3"], ["block", "net3/10.3.0.9"]] {
        let refusal = palisade.answer(words).refusal(1);
        assert!(refusal.contains("recover --adopt"), "{refusal}");
        assert!(refusal.contains("--state-dir"), "{refusal}");
    }
    let told = palisade.ok(["remove", "--all"]);
    assert!(told.contains("run without a record"), "{told}");
    assert_eq!(place.standing(&namespace), before);
    palisade.ok(["recover", "--adopt"]);
    palisade.ok(["remove", "net3"]);
    let other = match place {
        Place::Flat => Place::Mapped,
        _ => Place::Flat,
    };
    palisade.ok(other.migration());
    assert_eq!(palisade.running(), ["net1", "net2"]);
    assert_clean(&palisade);
    let told = palisade.ok(["remove", "--all"]);
    assert!(told.contains("- net1: remove"), "{told}");
    assert_eq!(palisade.running(), [""; 0]);
    assert_clean(&palisade);
}

/// Rules that are not all of a network say nothing for sure.
fn parts() {
    let namespace = Namespace::new();
    let palisade = Palisade::with_layout(&namespace, "flat");
    palisade.apply([&net(1), &net(2)]).stdout();
    lose(&palisade);
    namespace.nft("flush chain ip palisade guest_output");
    let told = json_of(&palisade, &["recover", "--adopt"]);
    assert_eq!(told["adopted"], json!([]));
    let left = told["left"].as_array().expect("an array");
    assert_eq!(left.len(), 2, "{told}");
    assert_eq!(left[0]["reason"], "not-whole");
    assert_eq!(palisade.running(), [""; 0]);
    // Definitions say what they should be.
    let told = palisade
        .on_files("sync", palisade.files([&net(1), &net(2)]))
        .stdout();
    assert!(
        told.contains("! net1: restore") && told.contains("! net2: restore"),
        "{told}"
    );
    assert_clean(&palisade);
}

/// A table of another name may be a daemon's.
fn another_table() {
    let namespace = Namespace::new();
    let daemon = Palisade::new(&namespace).with(["--table", "daemon"]);
    daemon.apply([&net(1)]).stdout();
    let palisade = Palisade::new(&namespace);
    let told = palisade.ok(["recover", "--adopt"]);
    assert!(
        told.contains("left rules of `net1`") && told.contains("--table"),
        "{told}"
    );
    let told = palisade
        .on_files("sync", palisade.files([&net(2)]))
        .stdout();
    assert!(told.contains("+ net2: add"), "{told}");
    assert_clean_in(&daemon, "net1");
    let told = palisade.ok(["--table", "daemon", "recover", "--adopt"]);
    assert!(told.contains("+ net1: adopted"), "{told}");
    assert_eq!(palisade.running(), ["net1", "net2"]);
    assert_clean(&palisade);
}

#[track_caller]
fn assert_clean_in(palisade: &Palisade<'_>, network: &str) {
    palisade.ok(["verify", network]);
}

/// The rules that an old copy of the state does not know are told.
fn old_copy() {
    for (from, to) in [(Place::Mapped, Place::Nft), (Place::Legacy, Place::Flat)] {
        let namespace = Namespace::new();
        let palisade = from.palisade(&namespace);
        palisade.apply([&net(1)]).stdout();
        let (state, copy) = (folder(&palisade), palisade.state().with_file_name("copy"));
        let copied = std::process::Command::new("cp")
            .arg("-a")
            .args([&state, &copy])
            .status();
        assert!(copied.expect("run cp").success());
        palisade.ok(to.migration());
        fs::remove_dir_all(&state).expect("remove the state");
        fs::rename(&copy, &state).expect("put the old one back");
        palisade.ok(["repair"]);
        let found = differences(&palisade);
        assert!(!found.is_empty());
        for found in &found {
            assert_eq!(
                (&found["kind"], &found["network"]),
                (&json!("foreign"), &json!("net1"))
            );
            // Adopting it would only answer that its name is taken.
            let detail = found["detail"].as_str().expect("a text");
            assert!(detail.contains("palisade doctor"), "{detail}");
            assert!(!detail.contains("--adopt"), "{detail}");
        }
        let told = json_of(&palisade, &["recover", "--adopt"]);
        assert_eq!(told["left"][0]["reason"], "name-taken", "{told}");
    }
}

fn nothing() {
    let namespace = Namespace::new();
    let palisade = Palisade::new(&namespace);
    let told = palisade.ok(["recover", "--adopt"]);
    assert!(told.contains("nothing to adopt"), "{told}");
    assert_clean(&palisade);
    assert!(!palisade.state().exists());
}

/// The comment says whose an element is.
fn misnamed() {
    let namespace = Namespace::new();
    let palisade = Palisade::with_layout(&namespace, "mapped");
    palisade.apply([&net(1), &net(2)]).stdout();
    namespace.nft(
        "delete element ip palisade bridges { \"virbr1\" }; \
         add element ip palisade bridges { \"virbr1\" comment \"net2\" }",
    );
    let found = differences(&palisade);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(
        (&found[0]["kind"], &found[0]["network"]),
        (&json!("changed"), &json!("net1"))
    );
    palisade.ok(["repair"]);
    assert_clean(&palisade);
}
