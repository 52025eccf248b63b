//! What an older build made is made anew by this one, in one batch, and nothing of others' goes.
//!
//! `golden/layout-1-*.nft` is what the first version of the layouts makes. A later version keeps
//! it, and must take it over; until there is one, its mark is made older here.

use std::process::ExitCode;

use palisade_tests::{Definition, Dump, Namespace, Palisade, Trials, assert_same};

const GOLDEN: [(&str, &str); 2] = [
    ("flat", include_str!("../golden/layout-1-flat.nft")),
    ("mapped", include_str!("../golden/layout-1-mapped.nft")),
];

fn main() -> ExitCode {
    let mut trials = Trials::new();
    for (layout, golden) in GOLDEN {
        trials = trials
            .with(format!("{layout}: what this version makes"), move || {
                made(layout, golden);
            })
            .with(
                format!("{layout}: an older table is made anew"),
                move || {
                    renewed(layout, golden);
                },
            )
            .with(format!("{layout}: rules of others go over"), move || {
                carried_over(layout, golden);
            })
            .with(
                format!("{layout}: what others made there stops it"),
                move || {
                    occupied(layout, golden);
                },
            );
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

fn made(layout: &str, golden: &str) {
    let namespace = Namespace::new();
    let palisade = Palisade::with_layout(&namespace, layout);
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
fn older<'a>(namespace: &'a Namespace, layout: &str, golden: &str) -> Palisade<'a> {
    let palisade = Palisade::with_layout(namespace, layout);
    palisade.apply(&definitions()).stdout();
    namespace.nft("flush ruleset");
    namespace.nft(&golden.replace("layout version 1", "layout version 0"));
    palisade
}

fn renewed(layout: &str, golden: &str) {
    let namespace = Namespace::new();
    let palisade = older(&namespace, layout, golden);
    let third = Definition::isolated("quiet", "virbr2", &["10.30.0.1/24"]);
    palisade.apply([&third]).stdout();
    palisade.ok(["verify"]);
    palisade.ok(["remove", "quiet"]);
    let found = Dump::ruleset(&namespace).settled();
    let golden = Dump::expected(golden).settled();
    assert_same("made anew", ("golden", &golden), ("found", &found));
}

/// Others' rules go over, at the place where they stood; `repair` takes them away.
fn carried_over(layout: &str, golden: &str) {
    let namespace = Namespace::new();
    let palisade = older(&namespace, layout, golden);
    let chain = chain_of(layout);
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
    assert!(!listed.contains("layout version 0"), "{listed}");
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

/// What has no place in the new table stops the command, and `repair` takes it away.
fn occupied(layout: &str, golden: &str) {
    let namespace = Namespace::new();
    let palisade = older(&namespace, layout, golden);
    namespace.nft(
        "add chain ip palisade theirs\n\
         add rule ip palisade theirs ip saddr 10.9.9.9 accept\n",
    );
    let before = Dump::ruleset(&namespace);
    let third = Definition::isolated("quiet", "virbr2", &["10.30.0.1/24"]);
    let answer = palisade.apply([&third]);
    assert_eq!(answer.code, Some(1), "{}", answer.stderr);
    assert!(answer.stderr.contains("theirs"), "{}", answer.stderr);
    let after = Dump::ruleset(&namespace);
    assert_same("untouched", ("before", &before), ("after", &after));
    let repaired = palisade.answer(["repair"]);
    assert_eq!(repaired.code, Some(0), "{repaired}");
    let told = format!("{}{}", repaired.stdout, repaired.stderr);
    assert!(told.contains("theirs"), "{told}");
    let found = Dump::ruleset(&namespace).settled();
    let golden = Dump::expected(golden).settled();
    assert_same("repaired", ("golden", &golden), ("found", &found));
}
