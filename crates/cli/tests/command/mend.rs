//! `verify`, `repair`, `migrate` and `recover` where no rules are: nothing runs, or the backend
//! `none` has recorded networks and installed nothing.

use serde_json::json;

use crate::palisade::{DEFAULT, Palisade};

#[test]
fn nothing_runs() {
    let palisade = Palisade::new();
    insta::assert_snapshot!(palisade.transcripts(&[
        "verify",
        "verify default",
        "verify default lab",
        "verify a/b",
        "repair",
        "repair default lab",
        "repair default --format json",
        "migrate --to nftables",
        "recover",
        "recover --format json",
    ]));
}

#[test]
fn networks_without_rules() {
    let palisade = Palisade::new();
    palisade.file("default.xml", DEFAULT);
    palisade.output("--backend none apply default.xml");
    insta::assert_snapshot!(palisade.transcripts(&[
        "verify",
        "verify default",
        "repair",
        "repair default",
        "repair -q",
        "migrate --to none",
        "recover",
    ]));
    let none = json!({ "kind": "none" });
    let clean = json!({ "clean": true, "differences": [], "consequence": none });
    assert_eq!(palisade.json("verify --format json"), clean);
}

/// One who looks needs no right to write.
#[test]
fn looking_leaves_no_trace() {
    let palisade = Palisade::new();
    palisade.output("verify");
    assert!(!palisade.folder().join("state").exists());
}

/// Another choice in the environment moves nothing that is only verified or repaired.
#[test]
fn what_is_recorded_counts() {
    let palisade = Palisade::new();
    palisade.file("default.xml", DEFAULT);
    palisade.output("--backend none apply default.xml");
    for line in ["verify", "repair", "recover"] {
        palisade.output(&format!("--backend nftables --layout flat {line}"));
    }
    assert_eq!(palisade.json("list --format json")[0]["backend"], "none");
}
