//! Which backend is used, by whose choice, and what is told of it.

use std::os::unix::fs::PermissionsExt;

use palisade_tests::{Answer, Definition, Dump, Namespace, Palisade, Trials, iptables};
use serde_json::Value;

use palisade_tests::place::{Place, assert_clean, net};

pub(crate) fn add_to(trials: Trials) -> Trials {
    trials
        .with("choice: without one, the first that works", without_one)
        .with("choice: what works is tried once", tried_once)
        .with("choice: the environment's", of_the_environment)
        .with("choice: the configuration file's", of_the_file)
        .with("choice: command line over environment over file", in_order)
        .with("choice: only an explicit one moves a network", kept)
        .with("choice: `none` records and installs nothing", none)
        .with("choice: one that does not work is an error", impossible)
        .with("choice: a migration takes all along", migrated)
        .with("choice: a migration keeps the order", in_their_order)
}

fn without_one() {
    let namespace = Namespace::new();
    let palisade = Palisade::new(&namespace);
    palisade.apply([&net(1)]).stdout();
    let told = told_of(&palisade, "net1");
    assert_eq!(told["backend"], "nftables");
    assert_eq!(told["layout"], "mapped");
    let why = told["why"].as_str().expect("a text");
    assert!(why.contains("works"), "{why}");
}

/// A network that runs where nobody chose proves what works; one that was put there does not.
fn tried_once() {
    let namespace = Namespace::new();
    let palisade = Palisade::new(&namespace);
    let is_tried = |options: &[&str], network: u8| {
        let applied = apply(&namespace, &palisade, options, &[], &net(network));
        assert_eq!(applied.code, Some(0), "{}", applied.stderr);
        applied.stderr.contains("works here")
    };
    assert!(!is_tried(&["-v", "--backend", "nftables"], 1));
    palisade.ok(["-v", "remove", "net1"]);
    assert!(is_tried(&["-v"], 1));
    assert!(!is_tried(&["-v"], 2));
    assert!(
        is_tried(&["-v", "--layout", "flat"], 3),
        "it is another layout"
    );
    for name in ["net1", "net2"] {
        assert_eq!(
            told_of(&palisade, name)["why"],
            "nftables with layout mapped works here"
        );
    }
    palisade.ok(["remove", "net1", "net2", "net3"]);
    assert!(!is_tried(&["-v", "--backend", "nftables"], 1));
    assert!(is_tried(&["-v"], 2), "the one that runs was put there");
}

fn of_the_environment() {
    let namespace = Namespace::new();
    let palisade = Palisade::new(&namespace);
    let variables = [
        ("PALISADE_BACKEND", "iptables"),
        ("PALISADE_IPTABLES", "legacy"),
    ];
    apply(&namespace, &palisade, &[], &variables, &net(1)).stdout();
    assert_told(&palisade, "net1", Place::Legacy);
    assert!(!iptables::ours(&namespace, "legacy").is_empty());
}

fn of_the_file() {
    let namespace = Namespace::new();
    let palisade = Palisade::new(&namespace);
    let file = configuration(
        &palisade,
        "firewall_backend = \"iptables\"\niptables = \"nft\"\n",
    );
    let options = ["--config", file.as_str()];
    apply(&namespace, &palisade, &options, &[], &net(1)).stdout();
    assert_told(&palisade, "net1", Place::Nft);
    let why = told_of(&palisade, "net1")["why"].clone();
    assert!(
        why.as_str().is_some_and(|why| why.contains("config")),
        "{why}"
    );
}

fn in_order() {
    let namespace = Namespace::new();
    let palisade = Palisade::new(&namespace);
    let file = configuration(&palisade, "firewall_backend = \"none\"\n");
    let variables = [
        ("PALISADE_BACKEND", "iptables"),
        ("PALISADE_IPTABLES", "legacy"),
    ];
    let options = ["--config", file.as_str()];
    apply(&namespace, &palisade, &options, &variables, &net(1)).stdout();
    assert_told(&palisade, "net1", Place::Legacy);
    let mut options = options.to_vec();
    options.extend(Place::Flat.options());
    apply(&namespace, &palisade, &options, &variables, &net(2)).stdout();
    assert_told(&palisade, "net2", Place::Flat);
    assert_told(&palisade, "net1", Place::Legacy);
    assert_clean(&palisade);
}

fn kept() {
    let namespace = Namespace::new();
    let palisade = Palisade::new(&namespace);
    apply(
        &namespace,
        &palisade,
        &Place::Legacy.options(),
        &[],
        &net(1),
    )
    .stdout();
    let file = configuration(&palisade, "firewall_backend = \"nftables\"\n");
    let options = ["--config", file.as_str()];
    let changed = net(1).forwarding("<forward mode='route'/>");
    for definition in [&net(1), &changed] {
        apply(&namespace, &palisade, &options, &[], definition).stdout();
        assert_told(&palisade, "net1", Place::Legacy);
        apply(
            &namespace,
            &palisade,
            &["--backend", "auto"],
            &[],
            definition,
        )
        .stdout();
        assert_told(&palisade, "net1", Place::Legacy);
    }
    // A new one goes where it is configured to, beside it.
    apply(&namespace, &palisade, &options, &[], &net(2)).stdout();
    assert_told(&palisade, "net2", Place::Mapped);
    assert_clean(&palisade);
    let explicit = Place::Flat.options();
    apply(&namespace, &palisade, &explicit, &[], &changed).stdout();
    assert_told(&palisade, "net1", Place::Flat);
    assert_eq!(iptables::ours(&namespace, "legacy"), [""; 0]);
    assert_clean(&palisade);
    // What is removed is what is recorded, whatever is chosen now.
    let mut remove = palisade.command(["--backend", "iptables", "remove", "--all"]);
    namespace.answer(&mut remove, "").stdout();
    assert_eq!(Dump::ruleset(&namespace).as_str(), "");
}

fn none() {
    let namespace = Namespace::new();
    let palisade = Palisade::new(&namespace).with(["--backend", "none"]);
    palisade.apply([&net(1)]).stdout();
    let told = told_of(&palisade, "net1");
    assert_eq!(told["backend"], "none");
    assert_eq!(Dump::ruleset(&namespace).as_str(), "");
    for programs in iptables::PROGRAMS {
        assert_eq!(iptables::ours(&namespace, programs), [""; 0]);
    }
    assert_clean(&palisade);
    palisade.ok(["remove", "net1"]);
    assert_eq!(palisade.running(), [""; 0]);
    // From nowhere to somewhere, and back.
    palisade.apply([&net(1)]).stdout();
    let moved = Place::Mapped.palisade(&namespace).sharing(&palisade);
    moved.apply([&net(1)]).stdout();
    assert!(!Place::Mapped.standing(&namespace).is_empty());
    palisade.apply([&net(1)]).stdout();
    assert_eq!(Dump::ruleset(&namespace).as_str(), "");
}

fn impossible() {
    let namespace = Namespace::new();
    let palisade = Palisade::new(&namespace);
    // Programs that are there, and work as on a kernel without ip_tables.
    let folder = tempfile::tempdir().expect("make a folder");
    for program in ["restore", "save"] {
        let path = folder.path().join(format!("iptables-legacy-{program}"));
        std::fs::write(&path, "#!/bin/sh\necho no ip_tables here >&2\nexit 3\n")
            .expect("write a script");
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&path, executable).expect("make it executable");
    }
    let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", folder.path().display());
    let variables = [("PATH", path.as_str())];
    let options = Place::Legacy.options();
    let refusal = apply(&namespace, &palisade, &options, &variables, &net(1)).refusal(1);
    assert!(
        refusal.contains("iptables-legacy") && refusal.contains("no ip_tables here"),
        "{refusal}"
    );
    assert_eq!(palisade.running(), [""; 0]);
    assert_eq!(Dump::ruleset(&namespace).as_str(), "");
    // Nobody asked for it: then the other one does.
    apply(&namespace, &palisade, &[], &variables, &net(1)).stdout();
    assert_told(&palisade, "net1", Place::Mapped);
}

fn migrated() {
    let namespace = Namespace::new();
    let palisade = Palisade::new(&namespace);
    for (i, place) in (1..).zip(Place::ALL) {
        apply(&namespace, &palisade, &place.options(), &[], &net(i)).stdout();
    }
    assert_clean(&palisade);
    for to in Place::ALL {
        palisade.ok(to.migration());
        for i in 1..=4 {
            assert_told(&palisade, &format!("net{i}"), to);
        }
        assert_clean(&palisade);
        for other in Place::ALL.into_iter().filter(|other| *other != to) {
            let both_nftables = other.backend() == "nftables" && to.backend() == "nftables";
            if !both_nftables {
                assert_eq!(other.standing(&namespace).trim(), "", "{other:?} is left");
            }
        }
        // The same again: nothing to do.
        let again = palisade.ok(to.migration());
        assert!(again.contains("unchanged"), "{again}");
    }
}

/// Networks that move stand between those that stay as if all had been started there.
fn in_their_order() {
    for to in [Place::Flat, Place::Legacy, Place::Nft] {
        let namespace = Namespace::new();
        let palisade = Palisade::new(&namespace);
        for i in 1..=4 {
            apply(&namespace, &palisade, &to.options(), &[], &net(i)).stdout();
        }
        let expected = to.standing(&namespace);
        palisade.ok(["remove", "--all"]);
        let others = Place::ALL.into_iter().filter(|place| *place != to);
        for (other, moving) in others.zip([[1, 3], [2, 4], [1, 2]]) {
            for i in 1..=4 {
                let place = if moving.contains(&i) { other } else { to };
                apply(&namespace, &palisade, &place.options(), &[], &net(i)).stdout();
            }
            let before = running_since(&palisade);
            palisade.ok(to.migration());
            assert_eq!(to.standing(&namespace), expected, "{other:?} to {to:?}");
            assert_eq!(running_since(&palisade), before);
            assert_clean(&palisade);
            palisade.ok(["remove", "--all"]);
        }
    }
}

/// The running networks in the order in which they are listed, and since when they run.
fn running_since(palisade: &Palisade<'_>) -> Vec<(Value, Value)> {
    let listed = palisade.ok(["--format", "json", "list"]);
    let listed: Value = serde_json::from_str(&listed).expect("list prints JSON");
    let networks = listed.as_array().expect("an array of networks").iter();
    let each = networks.map(|network| (network["name"].clone(), network["since"].clone()));
    each.collect()
}

fn apply(
    namespace: &Namespace,
    palisade: &Palisade<'_>,
    options: &[&str],
    variables: &[(&str, &str)],
    definition: &Definition,
) -> Answer {
    let mut apply = palisade.command(options);
    apply.arg("apply").args(palisade.files([definition]));
    apply.envs(variables.iter().copied());
    namespace.answer(&mut apply, "")
}

fn configuration(palisade: &Palisade<'_>, text: &str) -> String {
    let files = palisade.texts([text]);
    let path = files[0].to_str().expect("a path of plain letters");
    path.to_owned()
}

/// What `list` says of one network.
#[track_caller]
fn told_of(palisade: &Palisade<'_>, name: &str) -> Value {
    let listed = palisade.ok(["--format", "json", "list"]);
    let listed: Value = serde_json::from_str(&listed).expect("list prints JSON");
    let networks = listed.as_array().expect("an array of networks");
    let found = networks.iter().find(|network| network["name"] == name);
    found
        .unwrap_or_else(|| panic!("no {name}: {listed}"))
        .clone()
}

#[track_caller]
fn assert_told(palisade: &Palisade<'_>, name: &str, place: Place) {
    let told = told_of(palisade, name);
    assert_eq!(told["backend"], place.backend(), "{told}");
    let key = match place.backend() {
        "nftables" => "layout",
        _ => "programs",
    };
    assert_eq!(told[key], place.word(), "{told}");
}
