//! `render`: what would be installed. The whole text of both layouts is compared with
//! `docs/layouts.md`, in `documents.rs`.

use crate::palisade::{DEFAULT, Palisade, TWO};

fn tables(text: &str) -> Vec<&str> {
    text.lines()
        .filter(|line| line.starts_with("table "))
        .collect()
}

fn chains(text: &str) -> Vec<&str> {
    let chains = text
        .lines()
        .filter_map(|line| line.strip_prefix("\tchain "));
    chains.map(|line| line.trim_end_matches(" {")).collect()
}

#[test]
fn mapped_is_the_default() {
    let palisade = Palisade::new();
    palisade.file("default.xml", DEFAULT);
    let default = palisade.output("render default.xml");
    assert_eq!(
        default,
        palisade.output("render --layout mapped default.xml")
    );
    assert_ne!(default, palisade.output("render --layout flat default.xml"));
}

#[test]
fn layouts_have_chains_of_their_own() {
    let palisade = Palisade::new();
    palisade.file("default.xml", DEFAULT);
    let mapped = palisade.output("render default.xml");
    let flat = palisade.output("render --layout flat default.xml");
    let [mapped, flat] = [chains(&mapped), chains(&flat)];
    let libvirts = [
        "forward",
        "guest_output",
        "guest_input",
        "guest_cross",
        "guest_nat",
    ];
    assert!(
        libvirts.iter().all(|chain| flat.contains(chain)),
        "{flat:?}"
    );
    assert!(mapped.contains(&"guests_forward"), "{mapped:?}");
    assert!(
        // The administrator's chains belong to the table.
        mapped
            .iter()
            .all(|chain| chain.starts_with("admin_") || !flat.contains(chain)),
        "{mapped:?}"
    );
}

/// Every bridge is guarded in IPv6 by `mapped`; `flat` has a table only where libvirt has rules.
#[test]
fn families() {
    let palisade = Palisade::new();
    palisade.file("default.xml", DEFAULT);
    let both = ["table ip palisade {", "table ip6 palisade {"];
    assert_eq!(tables(&palisade.output("render default.xml")), both);
    let flat = palisade.output("render --layout flat default.xml");
    assert_eq!(tables(&flat), &both[..1]);
}

#[test]
fn names_the_table() {
    let palisade = Palisade::new();
    palisade.file("default.xml", DEFAULT);
    let text = palisade.output("render --table guests default.xml");
    assert_eq!(tables(&text), ["table ip guests {", "table ip6 guests {"]);
    let default = palisade.output("render default.xml");
    assert_eq!(text.replace("guests {", "palisade {"), default);
}

#[test]
fn json_has_the_text() {
    let palisade = Palisade::new();
    palisade.file("two.toml", TWO);
    let text = palisade.output("render two.toml");
    let of = |family: &str| palisade.output(&format!("render --family {family} two.toml"));
    let json = palisade.json("render --format json two.toml");
    let [ipv4, ipv6] = [of("ipv4"), of("ipv6")];
    assert_eq!(format!("{ipv4}{ipv6}"), text);
    assert_eq!(
        json,
        serde_json::json!({ "text": text, "ipv4": ipv4, "ipv6": ipv6 })
    );
    let json = palisade.json("render --format json --family ipv4 two.toml");
    assert_eq!(json, serde_json::json!({ "text": ipv4, "ipv4": ipv4 }));
}

/// In `flat`, the network that is named last stands on top.
#[test]
fn order_is_that_of_the_command() {
    let palisade = Palisade::new();
    palisade.file("default.xml", DEFAULT);
    palisade.file("two.toml", TWO);
    let order = |line: &str| -> Vec<String> {
        let text = palisade.output(line);
        let refusals = text.lines().filter(|line| line.contains(": refuse out\""));
        let first = refusals.take_while(|line| !line.contains("ip6"));
        let name = |line: &str| line.split('"').rev().nth(1).unwrap_or_default().to_owned();
        first.map(name).take(3).collect()
    };
    assert_eq!(
        order("render --layout flat default.xml two.toml"),
        [
            "quiet: refuse out",
            "lab: refuse out",
            "default: refuse out"
        ]
    );
    assert_eq!(
        order("render --layout flat two.toml default.xml"),
        [
            "default: refuse out",
            "quiet: refuse out",
            "lab: refuse out"
        ]
    );
}

#[test]
fn nothing_for_nothing() {
    let palisade = Palisade::new();
    palisade.file("none.json", "[]");
    palisade.file(
        "open.toml",
        "name = 'a'\nbridge = 'virbr1'\nmode = 'open'\n",
    );
    palisade.file("default.xml", DEFAULT);
    for line in [
        "render none.json",
        "render open.toml",
        "render --layout flat open.toml",
        "render --backend none default.xml",
    ] {
        assert_eq!(palisade.output(line), "", "{line}");
    }
}

#[test]
fn failures() {
    let palisade = Palisade::new();
    palisade.file("default.xml", DEFAULT);
    insta::assert_snapshot!(palisade.transcripts(&[
        "render missing.xml",
        "render default.xml default.xml",
        "render --format json missing.xml",
    ]));
}
