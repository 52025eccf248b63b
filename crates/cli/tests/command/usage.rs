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
        "plan",
        "plan --dry-run default.xml",
        "apply --dry-run",
        "verify --all",
        "repair --all",
        "migrate",
        "migrate nftables",
        "migrate --to",
        "migrate --to pf",
        "recover default",
        "show",
        "show default lab",
        "list default",
        "--layout tree render default.xml",
        "--backend pf render default.xml",
        "--iptables modern render default.xml",
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
        "plan",
        "migrate",
        "migrate --to pf",
        "recover default",
        "--layout tree list",
        "--backend pf list",
        "--iptables modern list",
        "--established last list",
        "--table ip list",
        "--format yaml list",
        "--frob list",
        "lsit",
        "",
        "remove --al",
        "completions csh",
        "trace --proto foo",
        "trace --sport 1",
        "trace --count 0",
        "trace --src 10.0.0.0/33",
        "--layout= list",
        "list --backend",
        "--quiet -v list",
        "--layout flat --layout mapped list",
        "counters --watch=x",
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
        ("PALISADE_IPTABLES", "modern"),
        ("PALISADE_ESTABLISHED", "last"),
    ] {
        let mut command = palisade.command(&["render", "default.xml"]);
        let output = command.env(name, value).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}");
        let told = String::from_utf8(output.stderr).unwrap();
        let blame = format!("error: {name} in the environment: `{value}`");
        assert!(told.contains(&blame), "{told}");
    }
    // Who has said it on the command line is told of the option, whatever the environment says.
    let mut command = palisade.command(&["--backend", "pf", "render", "default.xml"]);
    let output = command.env("PALISADE_BACKEND", "foo").output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("error: --backend <BACKEND>: `pf`"), "{told}");
    assert!(!told.contains("environment"), "{told}");
    let mut command = palisade.command(&["render", "default.xml", "--backend=none"]);
    let output = command.env("PALISADE_BACKEND", "foo").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "the command line counts");
}

/// Scripts clear a variable by setting it to nothing.
#[test]
fn an_empty_variable_is_none() {
    let palisade = Palisade::new();
    palisade.file("default.xml", DEFAULT);
    let expected = palisade.output("render default.xml");
    let names = [
        "STATE_DIR",
        "BACKEND",
        "LAYOUT",
        "TABLE",
        "IPTABLES",
        "CONFIG",
    ];
    for name in names.map(|name| format!("PALISADE_{name}")) {
        let mut command = palisade.command(&["render", "default.xml"]);
        let output = command.env(&name, "").output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{name}: {told}");
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    }
    // The command line may not.
    assert!(
        palisade
            .transcript_of(&["--layout", "", "render", "default.xml"], "")
            .ends_with("exit code 2\n")
    );
}
