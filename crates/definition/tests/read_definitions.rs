//! Files, directories and standard input.
// What fails here is a test.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use palisade_core::Hint;
use palisade_core::Network;
use palisade_definition::{DefinitionError, Directories, Fault, ReadFault, read, read_all};

fn toml(name: &str) -> String {
    format!("name = '{name}'\nbridge = '{name}'\n")
}

fn names(networks: &[Network]) -> Vec<String> {
    networks
        .iter()
        .map(|network| network.name().to_string())
        .collect()
}

fn messages(errors: &[DefinitionError], folder: &Path) -> Vec<String> {
    let folder = folder.to_str().unwrap();
    errors
        .iter()
        .map(|error| error.to_string().replace(folder, "DIR"))
        .collect()
}

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

#[test]
fn a_file_is_known_by_its_content() {
    let folder = folder(&[("net.xml", &toml("lab"))]);
    let networks = read(&folder.path().join("net.xml")).unwrap();
    assert_eq!(names(&networks), ["lab"]);
}

#[test]
fn files_in_the_order_given_and_directories_in_the_order_of_names() {
    let folder = folder(&[
        ("20-b.toml", &toml("b")),
        ("10-a.json", "[{\"name\": \"a\", \"bridge\": \"a\"}]"),
        (
            "30-c.xml",
            "<network><name>c</name><bridge name='c'/></network>",
        ),
        (".hidden.toml", "no network"),
        ("30-c.xml~", "no network"),
        ("README", "no network"),
        ("upper.TOML", "no network"),
    ]);
    fs::create_dir(folder.path().join("autostart")).unwrap();
    fs::write(folder.path().join("autostart/z.toml"), "no network").unwrap();
    fs::write(folder.path().join("autostart/d"), toml("d")).unwrap();
    symlink("autostart/d", folder.path().join("40-link.toml")).unwrap();
    let all = read_all([folder.path()], Directories::Read).unwrap();
    assert_eq!(names(&all), ["a", "b", "c", "d"]);
    let paths = [
        folder.path().join("30-c.xml"),
        folder.path().join("autostart"),
        folder.path().join("10-a.json"),
    ];
    fs::remove_file(folder.path().join("autostart/z.toml")).unwrap();
    let all = read_all(&paths, Directories::Read).unwrap();
    assert_eq!(names(&all), ["c", "a"]);
}

/// Each name once, however many files have it.
#[test]
fn one_network_in_several_files() {
    let copies: Vec<String> = (1..=7).map(|i| format!("{i}.toml")).collect();
    let text = toml("b");
    let mut files: Vec<(&str, &str)> = copies.iter().map(|name| (name.as_str(), &*text)).collect();
    let other = toml("a");
    files.extend([("x.toml", &*other), ("y.toml", &*other)]);
    let folder = folder(&files);
    let errors = read_all([folder.path()], Directories::Read).unwrap_err();
    assert_eq!(
        messages(&errors, folder.path()),
        [
            "DIR/1.toml:1:8: network `b` is defined here and in DIR/2.toml, DIR/3.toml, DIR/4.toml \
             and 3 more",
            "DIR/x.toml:1:8: network `a` is defined here and in DIR/y.toml",
        ]
    );
    // Twice in one text, or one file named twice, is no matter of files.
    let twice = [folder.path().join("x.toml"), folder.path().join("x.toml")];
    let errors = read_all(twice, Directories::Read).unwrap_err();
    assert_eq!(
        messages(&errors, folder.path()),
        ["DIR/x.toml:1:8: two networks are named `a` (the first is at DIR/x.toml:1:8)"]
    );
}

/// Of three hundred files, people look for the two that exclude one another.
#[test]
fn networks_that_exclude_one_another_are_told_by_their_places() {
    let folder = folder(&[
        ("1.toml", &toml("a")),
        (
            "2.xml",
            "<network>\n  <name>b</name>\n  <bridge name='a'/>\n  \
             <ip address='10.0.0.1' prefix='24'/>\n</network>",
        ),
        (
            "3.json",
            r#"{"name": "c", "bridge": "c", "subnets": ["10.0.1.1/24", "10.0.0.200/25"]}"#,
        ),
    ]);
    let errors = read_all([folder.path()], Directories::Read).unwrap_err();
    assert_eq!(
        messages(&errors, folder.path()),
        [
            "DIR/2.xml:3:17: networks `a` and `b` both use bridge `a` (the first is at \
             DIR/1.toml:2:10)",
            "DIR/3.json:1:57: networks `b` and `c` overlap: 10.0.0.0/24 and 10.0.0.128/25 share \
             addresses (the first is at DIR/2.xml:4:16)",
        ]
    );
    assert_eq!(errors[0].report().lines().count(), 4);
}

#[test]
fn everything_wrong_is_told_at_once() {
    let folder = folder(&[
        ("a.toml", "nmae = 'a'\n"),
        ("b.toml", &toml("b")),
        ("c.json", "{}"),
    ]);
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("d.xml")).unwrap();
    symlink("nowhere", path("e.xml")).unwrap();
    let paths = [path("missing.xml"), path("."), path("b.toml")];
    let errors = read_all(&paths, Directories::Read).unwrap_err();
    assert_eq!(
        messages(&errors, folder.path()),
        [
            "DIR/missing.xml: cannot be read: no such file or directory",
            "DIR/./a.toml:1:1: unknown field `nmae`",
            "DIR/./c.json:1:1: field `name` is missing",
            "DIR/./d.xml: is not a file",
            "DIR/./e.xml: cannot be read: no such file or directory",
        ]
    );
    let errors = read_all(&paths[1..], Directories::Refused).unwrap_err();
    assert_eq!(
        messages(&errors, folder.path()),
        ["DIR/.: cannot be read: is a directory"]
    );
    assert_eq!(errors[0].hint(), "name the files in it");
    assert_eq!(errors[0].report().lines().count(), 2);
    assert!(matches!(errors[0].fault(), Fault::Read(ReadFault::Io(_))));
}

/// A pipe in a directory would never end.
#[test]
fn a_pipe_among_the_files_is_not_waited_for() {
    let folder = folder(&[]);
    let pipe = folder.path().join("pipe.xml");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRUSR).unwrap();
    let errors = read_all([folder.path()], Directories::Read).unwrap_err();
    assert_eq!(
        messages(&errors, folder.path()),
        ["DIR/pipe.xml: is not a file"]
    );
}

/// Nothing is read beyond what shows that it is too much.
#[test]
fn a_file_without_end() {
    let error = read(Path::new("/dev/zero")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "/dev/zero: is larger than 10485760 bytes"
    );
}

#[test]
fn a_name_that_would_write_on_the_terminal() {
    let error = read(Path::new("/no\u{1b}[2J/such\nfile")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "/no\\u{1b}[2J/such\\nfile: cannot be read: no such file or directory"
    );
}

#[test]
fn errors_as_json() {
    let folder = folder(&[("a.toml", "name = 'größe'; x\n")]);
    let mut error = serde_json::to_value(read(&folder.path().join("a.toml")).unwrap_err()).unwrap();
    let file = error["file"].take();
    assert!(file.as_str().unwrap().ends_with("/a.toml"));
    assert_eq!((&error["line"], &error["column"]), (&1.into(), &15.into()));
    let keys: Vec<&String> = error.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["column", "file", "hint", "kind", "line", "message"]);
    let error = serde_json::to_value(read(Path::new("/no/such")).unwrap_err()).unwrap();
    let expected = serde_json::json!({
        "kind": "definition",
        "file": "/no/such",
        "line": null,
        "column": null,
        "message": "cannot be read: no such file or directory",
        "hint": "check the path",
    });
    assert_eq!(error, expected);
}

/// What the run of this very program that has a standard input to read shall name as its files.
const PATHS: &str = "PALISADE_TEST_PATHS";

#[test]
fn standard_input() {
    if let Ok(paths) = std::env::var(PATHS) {
        return tell_what_is_read(&paths);
    }
    let lab = toml("lab");
    assert_eq!(child("-", &lab), "names lab\n");
    assert_eq!(
        child("-", "<network>\n"),
        "error standard input:1:1: `<network>` is not closed\n"
    );
    assert_eq!(
        child("-", &" ".repeat(11 << 20)),
        "error standard input: is larger than 10485760 bytes\n"
    );
    assert_eq!(
        child("- /no/such -", &lab),
        "error /no/such: cannot be read: no such file or directory\n\
         error standard input: is named twice\n"
    );
}

fn child(paths: &str, input: &str) -> String {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "standard_input", "--nocapture"])
        .env(PATHS, paths)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // What is too large is not read to its end.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let told = text
        .lines()
        .filter(|line| line.starts_with("names ") || line.starts_with("error "));
    told.map(|line| format!("{line}\n")).collect()
}

fn tell_what_is_read(paths: &str) {
    println!();
    match read_all(paths.split(' '), Directories::Refused) {
        Ok(networks) => println!("names {}", names(&networks).join(" ")),
        Err(errors) => errors.iter().for_each(|error| println!("error {error}")),
    }
}
