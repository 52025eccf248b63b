//! `compare`: where backends and layouts differ for given networks.

use serde_json::Value;

use crate::palisade::{DEFAULT, Palisade, TWO};

fn told(palisade: &Palisade, line: &str) -> Value {
    serde_json::from_str(&palisade.output(&format!("--format json compare {line}"))).unwrap()
}

#[test]
fn documented_differences_are_told_with_an_example() {
    let palisade = Palisade::new();
    palisade.file("default.xml", DEFAULT);
    palisade.file("two.toml", TWO);
    insta::assert_snapshot!(palisade.transcripts(&[
        "compare default.xml two.toml",
        "compare missing.xml",
        "compare default.xml default.xml",
    ]));
}

#[test]
fn in_json() {
    let palisade = Palisade::new();
    palisade.file("two.toml", TWO);
    let told = told(&palisade, "two.toml");
    assert_eq!(told["as_documented"], true);
    assert_eq!(told["disagreements"], 0);
    let differences: Vec<&Value> = told["documented"].as_array().unwrap().iter().collect();
    let names: Vec<&Value> = differences
        .iter()
        .map(|found| &found["difference"])
        .collect();
    assert_eq!(
        names,
        [
            "no-forged-source",
            "both-must-agree",
            "every-bridge-guarded"
        ]
    );
    for found in differences {
        let [flat, mapped] = found["example"]["sides"].as_array().unwrap().as_slice() else {
            panic!("two sides: {found}");
        };
        assert_eq!(
            (&flat["side"], &mapped["side"]),
            (&"flat".into(), &"mapped".into())
        );
        assert_ne!(mapped["verdict"], "accept");
        assert_ne!(flat["verdict"], mapped["verdict"]);
        assert!(!flat["path"].as_array().unwrap().is_empty());
    }
}

/// Nobody has rules for them, so that nobody treats a packet otherwise.
#[test]
fn networks_without_rules_have_no_differences() {
    let palisade = Palisade::new();
    palisade.file(
        "open.toml",
        "[[network]]\nname = 'o'\nbridge = 'br0'\nmode = 'open'\n",
    );
    let told = told(&palisade, "open.toml");
    assert_eq!(told["documented"], serde_json::json!([]));
    assert_eq!(told["as_documented"], true);
}
