//! Wrong usage: exit code 2, and nothing on standard output.

use crate::palisade::{DEFAULT, Palisade};

#[test]
fn is_told_apart_from_failure() {
    let palisade = Palisade::bare();
    palisade.file("default.xml", DEFAULT);
    let lines = [
        "",
        "--frob list",
        "frob",
        "check",
        "render",
        "apply",
        "sync",
        "remove",
        "remove default --all",
        "show",
        "show default lab",
        "list default",
        "--layout tree render default.xml",
        "--backend iptables render default.xml",
        "--table ip render default.xml",
        "--table a/b render default.xml",
        "--format yaml list",
        "--color sometimes list",
        "--quiet --verbose list",
        "--state-dir",
    ];
    for line in lines {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        let output = palisade.command(&arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{line}");
        assert!(output.stdout.is_empty(), "{line}");
        assert!(!output.stderr.is_empty(), "{line}");
    }
}

#[test]
fn says_what_there_is() {
    let palisade = Palisade::bare();
    insta::assert_snapshot!(palisade.transcripts(&[
        "frob",
        "check",
        "remove",
        "remove default --all",
        "--layout tree list",
        "--backend iptables list",
        "--table ip list",
        "--format yaml list",
    ]));
}

#[test]
fn in_the_environment_too() {
    let palisade = Palisade::bare();
    palisade.file("default.xml", DEFAULT);
    for (name, value) in [
        ("PALISADE_LAYOUT", "tree"),
        ("PALISADE_BACKEND", "pf"),
        ("PALISADE_TABLE", "ip"),
    ] {
        let mut command = palisade.command(&["render", "default.xml"]);
        let output = command.env(name, value).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}");
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains(&format!("`{value}`")), "{told}");
    }
}
