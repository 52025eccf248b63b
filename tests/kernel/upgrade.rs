//! A table of an older build is refused until `palisade repair` rebuilds it.
//!
//! `golden/layout-4-*.nft` is what this version of the layouts makes. Tables of an older version have
//! another number in their mark; what is in them does not matter.

use std::process::ExitCode;

use palisade_tests::{Definition, Dump, Namespace, Palisade, Trials, assert_same};

const FLAT: &str = include_str!("../golden/layout-4-flat.nft");
const MAPPED: &str = include_str!("../golden/layout-4-mapped.nft");

/// What this version makes: the options, and the table.
const MADE: [(&[&str], &str); 4] = [
    (&["--layout", "flat"], FLAT),
    (&["--layout", "mapped"], MAPPED),
    (
        &["--layout", "flat", "--established", "first"],
        include_str!("../golden/layout-4-flat-established.nft"),
    ),
    (
        &["--layout", "mapped", "--established", "first"],
        include_str!("../golden/layout-4-mapped-established.nft"),
    ),
];

fn main() -> ExitCode {
    let mut trials = Trials::new();
    for (options, golden) in MADE {
        let name = format!("{}: what this version makes", options.join(" "));
        trials = trials.with(name, move || made(options, golden));
    }
    for options in [
        &["--layout", "mapped"][..],
        &["--layout", "flat"],
        &["--backend", "iptables"],
    ] {
        let name = format!("{}: older state is refused, and rebuilt", options[1]);
        trials = trials.with(name, move || older_state(options));
    }
    for (layout, now) in [("flat", FLAT), ("mapped", MAPPED)] {
        let name = format!("{layout}: an older table is refused, and rebuilt");
        trials = trials.with(name, move || refused(layout, now));
    }
    palisade_tests::run(trials)
}

fn definitions() -> [Definition; 2] {
    let nat = "<forward mode='nat'><nat ipv6='yes'/></forward>";
    [
        Definition::nat("default", "virbr0", &["192.168.122.1/24", "fd00:122::1/64"])
            .forwarding(nat),
        Definition::route("lab", "virbr1", &["10.20.0.1/25"]),
    ]
}

fn made(options: &[&str], golden: &str) {
    let namespace = Namespace::new();
    let palisade = Palisade::new(&namespace).with(options.iter().copied());
    palisade.apply(&definitions()).stdout();
    let found = Dump::ruleset(&namespace);
    let golden = Dump::expected(golden);
    assert_same(
        "a change of the layouts takes a new version, and a golden dump of it",
        ("golden", &golden),
        ("made", &found),
    );
}

/// State of an earlier build, with rules that it installed.
fn older_state(options: &[&str]) {
    let namespace = Namespace::new();
    let palisade = Palisade::new(&namespace).with(options.iter().copied());
    palisade.apply(&definitions()).stdout();
    let before = Dump::ruleset(&namespace).settled();
    let folders = std::fs::read_dir(palisade.state()).expect("the state");
    let folder = folders
        .map(|folder| folder.expect("a folder").path())
        .next();
    let networks = folder.expect("a folder").join("networks");
    for name in ["default", "lab"] {
        let path = networks.join(format!("{name}.json"));
        let record = std::fs::read_to_string(&path).expect("a record");
        let older = record.replacen("\"schema\":2", "\"schema\":1", 1);
        assert_ne!(older, record);
        std::fs::write(&path, older).expect("write the state");
    }
    for command in [&["list"][..], &["verify"], &["remove", "lab"]] {
        let answer = palisade.answer(command.iter().copied());
        assert_eq!(answer.code, Some(1), "{answer}");
        assert!(answer.stderr.contains("has schema 1"), "{answer}");
        assert!(
            answer.stderr.contains("hint: `palisade repair`"),
            "{answer}"
        );
    }
    palisade.ok(["repair", "lab"]);
    palisade.ok(["verify"]);
    let after = Dump::ruleset(&namespace).settled();
    assert_same("rebuilt", ("before", &before), ("after", &after));
    palisade.ok(["remove", "--all"]);
    let after = Dump::ruleset(&namespace).to_string();
    assert!(!after.contains("default: "), "{after}");
}

fn refused(layout: &str, golden: &str) {
    let namespace = Namespace::new();
    let palisade = Palisade::with_layout(&namespace, layout);
    palisade.apply(&definitions()).stdout();
    namespace.nft("flush ruleset");
    let mark = "layout version 4";
    assert!(golden.contains(mark), "{golden}");
    namespace.nft(&golden.replace(mark, "layout version 2"));
    namespace.nft("add chain ip palisade theirs");
    let before = Dump::ruleset(&namespace);

    let verified = palisade.answer(["verify"]);
    assert_eq!(verified.code, Some(3), "{verified}");
    let told = "an older build made it, with layout version 2: `palisade repair` rebuilds it";
    assert!(verified.stdout.contains(told), "{verified}");
    let third = Definition::isolated("quiet", "virbr2", &["10.30.0.1/24"]);
    let files = palisade.files([&third]);
    for command in ["plan", "apply"] {
        let answer = palisade.on_files(command, &files);
        assert_eq!(answer.code, Some(1), "{answer}");
        assert!(answer.stderr.contains("has layout version 2"), "{answer}");
        assert!(
            answer.stderr.contains("hint: `palisade repair`"),
            "{answer}"
        );
    }
    let after = Dump::ruleset(&namespace);
    assert_same("untouched", ("before", &before), ("after", &after));
    // Networks of other tables change meanwhile.
    let other = Palisade::new(&namespace)
        .sharing(&palisade)
        .with(["--table", "other"]);
    other.apply([&third]).stdout();
    palisade.ok(["remove", "quiet"]);

    palisade.ok(["repair"]);
    palisade.ok(["verify"]);
    let found = Dump::ruleset(&namespace).settled();
    let golden = Dump::expected(golden).settled();
    assert_same("rebuilt", ("golden", &golden), ("found", &found));
    let planned = palisade.on_files("plan", &files);
    assert_eq!(planned.code, Some(3), "{planned}");
}
