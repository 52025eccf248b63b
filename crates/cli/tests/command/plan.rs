//! `plan`, and what `sync` refuses: what would happen, and nothing does.

use serde_json::json;

use crate::palisade::{DEFAULT, Palisade, TWO};

fn with_files() -> Palisade {
    let palisade = Palisade::new();
    palisade.file("default.xml", DEFAULT);
    palisade.file("two.toml", TWO);
    palisade.file("changed.xml", &DEFAULT.replace("virbr0", "virbr7"));
    palisade.file("none.toml", "firewall_backend = 'none'\n");
    palisade
}

/// Exit code 3 where something would change, in every form.
#[test]
fn says_what_would_change() {
    let palisade = with_files();
    insta::assert_snapshot!(palisade.transcripts(&[
        "--backend none plan default.xml",
        "--backend none apply --dry-run default.xml",
        "list",
        "--backend none apply -q default.xml two.toml",
        "plan default.xml two.toml",
        "plan changed.xml",
        "plan --sync default.xml",
        "apply --dry-run changed.xml",
        "plan missing.xml",
    ]));
}

#[test]
fn in_json() {
    let palisade = with_files();
    let config = "--config none.toml --format json";
    let told = |line: &str| {
        let arguments: Vec<&str> = config.split(' ').chain(line.split(' ')).collect();
        let output = palisade.command(&arguments).output().unwrap();
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        (json["changes"].clone(), output.status.code())
    };
    let changes = |pairs: &[(&str, &str)]| {
        let change = |(network, action)| json!({ "network": network, "action": action });
        let changes: Vec<_> = pairs.iter().copied().map(change).collect();
        let code = if changes.is_empty() { 0 } else { 3 };
        (json!(changes), Some(code))
    };
    let two = changes(&[("lab", "add"), ("quiet", "add")]);
    assert_eq!(told("plan two.toml"), two);
    assert_eq!(told("apply --dry-run two.toml"), two);
    palisade.output(&format!("{config} apply default.xml two.toml"));
    assert_eq!(told("plan two.toml"), changes(&[]));
    assert_eq!(told("plan changed.xml"), changes(&[("default", "replace")]));
    let others_go = [("lab", "remove"), ("quiet", "remove")];
    assert_eq!(told("plan --sync default.xml"), changes(&others_go));
}

/// Neither records nor folders are made, and a plain user may look.
#[test]
fn leaves_no_trace() {
    let palisade = with_files();
    for line in ["plan two.toml", "apply --dry-run two.toml"] {
        palisade.transcript(&format!("--backend none {line}"));
        assert!(!palisade.folder().join("state").exists(), "{line}");
    }
    palisade.output("--backend none apply default.xml");
    let before = palisade.output("list --format json");
    palisade.transcript("plan --sync two.toml");
    assert_eq!(palisade.output("list --format json"), before);
}

/// A directory without definitions says that no network is to run; files without networks are a mistake.
#[test]
fn sync_to_nothing_must_be_meant() {
    let palisade = with_files();
    palisade.file("none.json", "[]");
    palisade.file("empty/.README", "no definition");
    palisade.output("sync empty");
    palisade.output("--backend none apply default.xml two.toml");
    insta::assert_snapshot!(palisade.transcripts(&[
        "sync none.json",
        "sync --format json none.json",
        "plan --sync none.json",
        "apply empty",
        "sync missing",
        "plan --sync empty",
        "sync --format json empty",
        "sync none.json",
        "sync empty",
    ]));
}
