//! Every command, called wrongly or given what it cannot use: the exit code, one to four lines for
//! people, one object for programs, and nothing on standard output.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::help::commands;
use crate::palisade::{DEFAULT, Palisade};

/// Arguments with which each command would run. What commands do with definitions or names they do
/// with the last one.
const RIGHT: [(&str, &str); 24] = [
    ("check", "default.xml"),
    ("render", "default.xml"),
    ("compare", "default.xml"),
    ("apply", "default.xml"),
    ("confirm", ""),
    ("plan", "default.xml"),
    ("sync", "default.xml"),
    ("remove", "default"),
    ("block", "default/192.168.122.11"),
    ("unblock", "default/192.168.122.11"),
    ("verify", ""),
    ("repair", ""),
    ("migrate", "--to nftables"),
    ("recover", ""),
    ("graph", ""),
    ("list", ""),
    ("show", "default"),
    ("explain", "--from default --to world"),
    ("trace", ""),
    ("counters", ""),
    ("doctor", ""),
    ("watch", ""),
    ("demo", ""),
    ("completions", "bash"),
];
/// Those that take definitions.
const OF_DEFINITIONS: [&str; 8] = [
    "check",
    "render",
    "compare",
    "apply",
    "apply --dry-run",
    "plan",
    "plan --sync",
    "sync",
];

/// The command in a folder with files of all kinds that are none.
fn surrounded() -> Palisade {
    let palisade = Palisade::new();
    palisade.file("default.xml", DEFAULT);
    palisade.file("broken.xml", "<network><name>x</network>");
    palisade.file("broken.toml", "name = 'x\n");
    palisade.file("broken.json", "{\"name\": ");
    palisade.file("empty.xml", "");
    palisade.file("wrong.toml", "nmae = 'x'\n");
    palisade.file("folder.xml/more.txt", "");
    palisade.file("sets/folder.xml/more.txt", "");
    palisade
}

/// Runs a line for people and for programs, and compares what both are told.
#[track_caller]
fn refused(palisade: &Palisade, line: &str, code: i32) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let people = palisade.command(&words).output().unwrap();
    let told = String::from_utf8(people.stderr).unwrap();
    assert_eq!(people.status.code(), Some(code), "{line}: {told}");
    assert_eq!(people.stdout, b"", "{line}");
    assert!((1..=4).contains(&told.lines().count()), "{line}: {told}");
    let (first, rest) = told.split_once('\n').unwrap();
    let message = first
        .strip_prefix("error: ")
        .unwrap_or_else(|| panic!("{told}"));
    let (_, hint) = rest
        .rsplit_once("hint: ")
        .unwrap_or_else(|| panic!("{line}: {told}"));
    assert!(hint.trim_end().len() > 5, "{line}: {told}");
    assert!(!told.contains("os error"), "{line}: {told}");
    // An option that takes a value last would take one of ours.
    let programs = palisade.command(&[&["--format", "json"], &*words].concat());
    let programs = { programs }.output().unwrap();
    assert_eq!(programs.status.code(), Some(code), "{line}");
    assert_eq!(programs.stdout, b"", "{line}");
    let json: Value = serde_json::from_slice(&programs.stderr)
        .unwrap_or_else(|error| panic!("{line}: {error}: {programs:?}"));
    let said = json["error"]["message"].as_str().unwrap();
    assert!(message.ends_with(said), "{line}: {said}: {told}");
    assert_eq!(
        json["error"]["hint"].as_str(),
        Some(hint.trim_end()),
        "{line}"
    );
    told
}

#[test]
fn no_command_is_left_out() {
    let mut named: Vec<String> = RIGHT.iter().map(|(name, _)| (*name).to_owned()).collect();
    let mut all = commands();
    named.sort();
    all.sort();
    assert_eq!(named, all);
}

/// Wrong options, values, and too many arguments.
#[test]
fn wrong_usage_of_each_command() {
    let palisade = surrounded();
    for (command, right) in RIGHT {
        for wrong in [
            format!("{command} {right} --frob"),
            format!("--frob {command} {right}"),
            format!("{command} {right} --backend pf"),
            format!("{command} {right} --layout tree"),
            format!("{command} {right} --iptables modern"),
            format!("{command} {right} --table a/b"),
            format!("{command} {right} --color sometimes"),
            format!("{command} {right} -q -v"),
            format!("{command} {right} --state-dir"),
            format!("{command} {right} --config"),
            format!("{command} {right} --netns"),
        ] {
            refused(&palisade, &wrong, 2);
        }
        let takes_more = OF_DEFINITIONS.contains(&command)
            || ["remove", "verify", "repair", "counters"].contains(&command);
        if !takes_more {
            let told = refused(&palisade, &format!("{command} {right} more"), 2);
            assert!(told.contains("`more`"), "{told}");
        }
        if !right.is_empty() {
            refused(&palisade, command, 2);
        }
    }
    // What only some have.
    for wrong in [
        "apply --confirm 0 default.xml",
        "apply --confirm 99999999999999999999 default.xml",
        "apply --confirm x default.xml",
        "apply --confirm 5 --dry-run default.xml",
        "render --family ipx default.xml",
        "remove --all default",
        "migrate --to none",
        "counters --watch=0",
        "counters --watch --format prometheus",
        "list --format prometheus",
        "trace --proto frob",
        "trace --sport 1",
        "trace --proto tcp --dport 65536",
        "trace --in a/b",
        "trace --src 10.0.0.0/33",
        "trace --count 0",
        "trace --time 0",
        "trace --src 10.0.0.1 --dst fd00::1",
        "explain",
        "explain --proto tcp --dport 80",
        "explain --from default/x --to world",
        "explain --in a --src 10.0.0.1 --dst fd00::1",
        "explain --from default --to world --proto 256",
        "explain --from default --to world --ct old",
        "completions csh",
        "frob",
        "",
    ] {
        refused(&palisade, wrong, 2);
    }
}

#[test]
fn definitions_that_are_none() {
    let palisade = surrounded();
    for command in OF_DEFINITIONS {
        for (file, what) in [
            (
                "missing.xml",
                "missing.xml: cannot be read: no such file or directory",
            ),
            ("broken.xml", "broken.xml:1:"),
            ("broken.toml", "broken.toml:1:"),
            ("broken.json", "broken.json:1:"),
            ("empty.xml", "empty.xml:1:1: holds no network"),
            ("wrong.toml", "wrong.toml:1:1: unknown field `nmae`"),
            ("sets", "sets/folder.xml: is not a file"),
            (
                "default.xml default.xml",
                "two networks are named `default`",
            ),
        ] {
            let told = refused(&palisade, &format!("--backend none {command} {file}"), 1);
            assert!(told.contains(what), "{command} {file}: {told}");
        }
        let told = palisade.transcript(&format!("--backend none {command} - -"));
        assert!(told.contains("standard input: is named twice"), "{told}");
    }
    for file in ["missing.xml", "broken.xml", "broken.toml", "broken.json"] {
        let line = format!("explain --definitions {file} --from default --to world");
        refused(&palisade, &line, 1);
    }
}

/// Root may read everything: there it is no error.
#[test]
fn definitions_that_nobody_may_read() {
    let palisade = surrounded();
    palisade.file("secret.xml", DEFAULT);
    let secret = palisade.folder().join("secret.xml");
    std::fs::set_permissions(&secret, PermissionsExt::from_mode(0o000)).unwrap();
    if std::fs::read(&secret).is_ok() {
        return;
    }
    for command in OF_DEFINITIONS {
        let told = refused(
            &palisade,
            &format!("--backend none {command} secret.xml"),
            1,
        );
        assert!(told.contains("permission denied"), "{told}");
    }
}

#[test]
fn networks_that_do_not_run() {
    let palisade = surrounded();
    palisade.output("--backend none apply default.xml");
    for command in ["remove", "show", "verify", "repair", "counters"] {
        for name in ["nobody", "a/b", "ü\u{1b}[31m"] {
            let told = refused(&palisade, &format!("{command} {name}"), 1);
            assert!(told.contains("no network named `"), "{told}");
            assert!(!told.contains('\u{1b}'), "{told:?}");
        }
        let told = refused(&palisade, &format!("{command} a\"b"), 1);
        assert!(told.contains("`a\"b`"), "no Debug form: {told}");
    }
    let told = refused(&palisade, "explain --from nobody --to world", 1);
    assert!(told.contains("no network named `nobody`"), "{told}");
    assert!(palisade.output("list").contains("default"));
}

/// Whoever names a configuration means it, also where it changes nothing.
#[test]
fn a_configuration_that_is_named() {
    let palisade = surrounded();
    for (command, right) in RIGHT {
        for (file, what) in [
            (
                "missing.toml",
                "cannot read the configuration missing.toml: no such file",
            ),
            (
                "folder.xml",
                "cannot read the configuration folder.xml: is a directory",
            ),
        ] {
            let told = refused(&palisade, &format!("{command} {right} --config {file}"), 1);
            assert!(told.contains(what), "{command}: {told}");
        }
    }
    assert!(!palisade.folder().join("state").exists());
}

/// A folder may hold more than definitions: that they do not count is said, once for all.
#[test]
fn files_that_are_not_read_are_told() {
    let palisade = Palisade::new();
    palisade.file("networks/default.xml", DEFAULT);
    palisade.file("networks/.hidden", "");
    palisade.output("check networks");
    for name in ["README", "a.xml~", "b.yaml", "old/c.xml", "z.XML"] {
        palisade.file(&format!("networks/{name}"), "");
    }
    let told = palisade.transcript("check networks");
    assert_eq!(
        told,
        "$ palisade check networks\n\
         ok: network default: nat on virbr0, 192.168.122.0/24\n\
         2> warning: networks: not read, since names of definitions end in .xml, .toml or .json: \
         README, a.xml~, b.yaml, 2 more\n"
    );
    // Programs get the result alone on standard output, and one object beside it.
    let output = palisade
        .command(&["--format", "json", "check", "networks"])
        .output()
        .unwrap();
    serde_json::from_slice::<Value>(&output.stdout).unwrap();
    let said: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(said["messages"][0]["level"], "warning");
    // Before an error, it is in the same object.
    palisade.file("networks/default.xml", "<network/>");
    let output = palisade
        .command(&["--format", "json", "check", "networks"])
        .output()
        .unwrap();
    let said: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert!(said["error"]["message"].is_string(), "{said}");
    assert_eq!(said["messages"][0]["level"], "warning");
    assert_eq!(
        palisade
            .transcript("-q check networks")
            .matches("not read")
            .count(),
        0
    );
}
