//! What an older build made is made anew by this one, in one batch, and nothing of others' goes.
//!
//! `golden/layout-N-*.nft` is what version N of the layouts makes. This version makes the last of
//! them, and takes over what the others made.

use std::process::ExitCode;

use palisade_tests::{Definition, Dump, Namespace, Palisade, Trials, assert_same};

/// What versions of a layout make of the same networks.
#[derive(Clone, Copy)]
struct Golden {
    layout: &'static str,
    /// The version before, and what it made.
    version: u8,
    before: &'static str,
    now: &'static str,
}

const FLAT: &str = include_str!("../golden/layout-3-flat.nft");
const MAPPED: &str = include_str!("../golden/layout-3-mapped.nft");

const GOLDEN: [Golden; 4] = [
    Golden {
        layout: "flat",
        version: 1,
        before: include_str!("../golden/layout-1-flat.nft"),
        now: FLAT,
    },
    Golden {
        layout: "flat",
        version: 2,
        before: include_str!("../golden/layout-2-flat.nft"),
        now: FLAT,
    },
    Golden {
        layout: "mapped",
        version: 1,
        before: include_str!("../golden/layout-1-mapped.nft"),
        now: MAPPED,
    },
    Golden {
        layout: "mapped",
        version: 2,
        before: include_str!("../golden/layout-2-mapped.nft"),
        now: MAPPED,
    },
];

/// What this version makes: the options, and the table.
const MADE: [(&[&str], &str); 4] = [
    (&["--layout", "flat"], FLAT),
    (&["--layout", "mapped"], MAPPED),
    (
        &["--layout", "flat", "--established", "first"],
        include_str!("../golden/layout-3-flat-established.nft"),
    ),
    (
        &["--layout", "mapped", "--established", "first"],
        include_str!("../golden/layout-3-mapped-established.nft"),
    ),
];

fn main() -> ExitCode {
    let mut trials = Trials::new();
    for (options, golden) in MADE {
        let name = format!("{}: what this version makes", options.join(" "));
        trials = trials.with(name, move || made(options, golden));
    }
    for golden in GOLDEN {
        let name = |what: &str| format!("{}, version {}: {what}", golden.layout, golden.version);
        trials = trials
            .with(name("an older table is made anew"), move || renewed(golden))
            .with(name("an older table is told"), move || told(golden))
            .with(name("rules of others go over"), move || {
                carried_over(golden);
            })
            .with(name("what others made there stops it"), move || {
                occupied(golden);
            });
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

/// The same networks, recorded, with the tables that an older build would have made.
fn older<'a>(namespace: &'a Namespace, golden: Golden) -> Palisade<'a> {
    let palisade = Palisade::with_layout(namespace, golden.layout);
    palisade.apply(&definitions()).stdout();
    namespace.nft("flush ruleset");
    namespace.nft(golden.before);
    palisade
}

fn renewed(golden: Golden) {
    let namespace = Namespace::new();
    let palisade = older(&namespace, golden);
    let third = Definition::isolated("quiet", "virbr2", &["10.30.0.1/24"]);
    palisade.apply([&third]).stdout();
    palisade.ok(["verify"]);
    palisade.ok(["remove", "quiet"]);
    let found = Dump::ruleset(&namespace).settled();
    let golden = Dump::expected(golden.now).settled();
    assert_same("made anew", ("golden", &golden), ("found", &found));
}

/// What only looks says whose it is, and that way out works.
fn told(golden: Golden) {
    let namespace = Namespace::new();
    let palisade = older(&namespace, golden);
    let verified = palisade.answer(["verify"]);
    assert_eq!(verified.code, Some(3), "{verified}");
    let version = format!(
        "an older build made it, with layout version {}",
        golden.version
    );
    assert!(verified.stdout.contains(&version), "{verified}");
    assert!(!verified.stdout.contains("mark"), "{verified}");
    let third = Definition::isolated("quiet", "virbr2", &["10.30.0.1/24"]);
    let files = palisade.files([&third]);
    let plan = || palisade.on_files("plan", &files);
    let planned = plan();
    assert_eq!(planned.code, Some(1), "{planned}");
    assert!(planned.stderr.contains("`palisade repair`"), "{planned}");
    palisade.ok(["repair"]);
    palisade.ok(["verify"]);
    assert_eq!(plan().code, Some(3));
}

/// Others' rules go over, at the place where they stood; `repair` takes them away.
fn carried_over(golden: Golden) {
    let namespace = Namespace::new();
    let palisade = older(&namespace, golden);
    let chain = chain_of(golden.layout);
    for position in ["insert", "add"] {
        namespace.nft(&format!(
            "{position} rule ip palisade {chain} ip saddr 10.9.9.9 counter comment \"{position}\""
        ));
    }
    let third = Definition::isolated("quiet", "virbr2", &["10.30.0.1/24"]);
    palisade.apply([&third]).stdout();
    palisade.ok(["remove", "quiet"]);
    let listed = Dump::table(&namespace, "ip", "palisade").expect("the table");
    let listed = listed.to_string();
    let version = format!("layout version {}", golden.version);
    assert!(!listed.contains(&version), "{listed}");
    let body = listed.split(&format!("chain {chain} {{")).nth(1);
    let rules: Vec<&str> = body
        .and_then(|body| body.split('}').next())
        .expect("the chain")
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("comment"))
        .collect();
    assert!(rules[0].contains("comment \"insert\""), "{listed}");
    assert!(
        rules[rules.len() - 1].contains("comment \"add\""),
        "{listed}"
    );
    let verified = palisade.answer(["verify"]);
    assert_eq!(verified.code, Some(3), "they are foreign still: {verified}");
    palisade.ok(["repair"]);
    palisade.ok(["verify"]);
    let repaired = Dump::ruleset(&namespace).to_string();
    assert!(!repaired.contains("10.9.9.9"), "{repaired}");
}

fn chain_of(layout: &str) -> &'static str {
    match layout {
        "flat" => "guest_output",
        _ => "from_guest",
    }
}

/// What has no place in the new table stops commands on it and on no other, and `repair` takes it
/// away.
fn occupied(golden: Golden) {
    let namespace = Namespace::new();
    let palisade = older(&namespace, golden);
    namespace.nft(
        "add chain ip palisade theirs\n\
         add rule ip palisade theirs ip saddr 10.9.9.9 accept\n",
    );
    let before = Dump::ruleset(&namespace);
    let third = Definition::isolated("quiet", "virbr2", &["10.30.0.1/24"]);
    let answer = palisade.apply([&third]);
    assert_eq!(answer.code, Some(1), "{}", answer.stderr);
    assert!(answer.stderr.contains("theirs"), "{}", answer.stderr);
    assert!(answer.stderr.contains("hint: move it"), "{}", answer.stderr);
    let after = Dump::ruleset(&namespace);
    assert_same("untouched", ("before", &before), ("after", &after));
    // Networks of other tables are nobody's hindrance, and the older table is still one.
    let other = Palisade::new(&namespace)
        .sharing(&palisade)
        .with(["--table", "other"]);
    let wider = Definition::isolated("quiet", "virbr2", &["10.30.0.1/23"]);
    for third in [third, wider] {
        other.apply([&third]).stdout();
        let answer = palisade.answer(["remove", "lab"]);
        assert_eq!(answer.code, Some(1), "{answer}");
        assert!(answer.stderr.contains("theirs"), "{answer}");
    }
    palisade.ok(["remove", "quiet"]);
    let after = Dump::ruleset(&namespace);
    assert_same("untouched", ("before", &before), ("after", &after));
    let repaired = palisade.answer(["repair"]);
    assert_eq!(repaired.code, Some(0), "{repaired}");
    let told = format!("{}{}", repaired.stdout, repaired.stderr);
    assert!(told.contains("theirs"), "{told}");
    let found = Dump::ruleset(&namespace).settled();
    let golden = Dump::expected(golden.now).settled();
    assert_same("repaired", ("golden", &golden), ("found", &found));
}
