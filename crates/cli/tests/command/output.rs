//! Where the output goes: colour, and readers that go away.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use crate::palisade::{BINARY, DEFAULT, Palisade};

const ESCAPE: &str = "\u{1b}[";

#[test]
fn colour_as_asked_for() {
    let palisade = Palisade::new();
    palisade.file("default.xml", DEFAULT);
    for (color, is_colored) in [("always", true), ("never", false), ("auto", false)] {
        let say = |line: &str| {
            let line = format!("--color {color} --backend none {line}");
            palisade.transcript(&line)
        };
        let told = [
            say("apply default.xml"),
            say("show default"),
            say("remove default"),
            say("show default"),
        ];
        for told in told {
            assert_eq!(told.contains(ESCAPE), is_colored, "{told:?}");
        }
    }
}

#[test]
fn no_colour_in_json() {
    let palisade = Palisade::new();
    palisade.file("default.xml", DEFAULT);
    for line in ["check default.xml", "check missing.xml", "show default"] {
        let told = palisade.transcript(&format!("--color always --format json {line}"));
        assert!(!told.contains(ESCAPE), "{told:?}");
    }
}

#[test]
fn plain_text_stays_the_same_without_colour() {
    let palisade = Palisade::new();
    let colored = palisade.transcript("--color always check missing.xml");
    let plain = palisade.transcript("--color never check missing.xml");
    let stripped: Vec<&str> = colored
        .split(ESCAPE)
        .enumerate()
        .map(|(i, part)| match part.split_once('m') {
            Some((_, text)) if i > 0 => text,
            _ => part,
        })
        .collect();
    assert_eq!(stripped.concat().replace("always", "never"), plain);
}

#[test]
fn quiet_says_nothing_of_what_it_did() {
    let palisade = Palisade::new();
    palisade.file("default.xml", DEFAULT);
    assert_eq!(palisade.output("-q --backend none apply default.xml"), "");
    assert_eq!(palisade.output("-q apply default.xml"), "");
    assert_eq!(palisade.output("-q remove default"), "");
}

/// `palisade render big.toml | head -1`.
#[test]
fn a_reader_may_go_away() {
    let palisade = Palisade::new();
    palisade.file("big.toml", &many(1000));
    for format in ["text", "json"] {
        let mut command = Command::new(BINARY);
        palisade.surround(&mut command);
        command.args(["--format", format, "render", "--layout", "flat", "big.toml"]);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut first = String::new();
        let mut reader = BufReader::new(child.stdout.take().unwrap());
        reader.read_line(&mut first).unwrap();
        drop(reader);
        let mut complaint = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut complaint)
            .unwrap();
        let status = child.wait().unwrap();
        assert!(
            first == "table ip palisade {\n" || first == "{\n",
            "{first}"
        );
        assert_eq!(complaint, "", "{format}");
        assert!(status.success(), "{format}: {status}");
    }
    // More than a pipe holds, or nobody would have noticed that the reader went away.
    let whole = palisade.output("render --layout flat big.toml");
    assert!(whole.len() > 256 * 1024, "{}", whole.len());
}

/// A full disk is an error, not a short result.
#[test]
fn a_place_that_takes_nothing() {
    let palisade = Palisade::new();
    palisade.file("default.xml", DEFAULT);
    let mut command = Command::new(BINARY);
    palisade.surround(&mut command);
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    command.args(["render", "default.xml"]).stdout(full);
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.contains("cannot write the result: no space left on device"),
        "{told}"
    );
}

fn many(count: usize) -> String {
    let network = |i: usize| {
        let (high, low) = (i / 256, i % 256);
        format!(
            "[[network]]\nname = 'n{i}'\nbridge = 'virbr{i}'\nmode = 'nat'\nsubnets = ['10.{high}.{low}.1/24']\n"
        )
    };
    (0..count).map(network).collect()
}
