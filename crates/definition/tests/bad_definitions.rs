//! What is wrong with a definition is told so that it can be mended: each case below with the
//! whole message, in `snapshots/`.
// What fails here is a test.
#![allow(clippy::unwrap_used, clippy::panic)]

mod bad;

use std::fmt::Write;
use std::path::Path;

use palisade_definition::{Source, parse};

/// Inputs above this are told by their size.
const SHOWN: usize = 600;

fn reports(file: &str, cases: &[(&str, Vec<u8>)]) -> String {
    let source = Source::at(Path::new(file));
    let mut out = String::new();
    for (title, input) in cases {
        let Err(error) = parse(&source, input) else {
            panic!("read without an error: {title}");
        };
        let report = error.report();
        assert!(
            (2..=4).contains(&report.lines().count()),
            "{title}: {report}"
        );
        assert!(
            !report.contains(|c: char| c.is_control() && c != '\n'),
            "{title}"
        );
        assert!(
            report.lines().all(|line| line.len() < 700),
            "{title}: {report}"
        );
        assert_eq!(
            report.lines().next(),
            Some(error.to_string().as_str()),
            "{title}"
        );
        writeln!(out, "### {title}").unwrap();
        if input.len() <= SHOWN {
            for line in String::from_utf8_lossy(input).lines() {
                let shown: String = line.chars().map(shown).collect();
                writeln!(out, "    | {shown}").unwrap();
            }
        } else {
            writeln!(out, "    ({} bytes)", input.len()).unwrap();
        }
        writeln!(out, "{report}\n").unwrap();
    }
    out
}

fn shown(c: char) -> String {
    if c.is_control() {
        c.escape_default().to_string()
    } else {
        c.to_string()
    }
}

/// No case twice: a copy would hide that one is missing.
fn check_titles(cases: &[(&str, Vec<u8>)]) {
    for (i, (title, input)) in cases.iter().enumerate() {
        let twice = cases[..i].iter().find(|(t, j)| t == title || j == input);
        assert!(twice.is_none(), "{title} stands twice");
    }
}

#[test]
fn markup() {
    let cases = bad::markup();
    check_titles(&cases);
    insta::assert_snapshot!(reports("net.xml", &cases));
}

#[test]
fn elements() {
    let cases = bad::elements();
    check_titles(&cases);
    insta::assert_snapshot!(reports("net.xml", &cases));
}

#[test]
fn toml() {
    let cases = bad::toml();
    check_titles(&cases);
    insta::assert_snapshot!(reports("net.toml", &cases));
}

#[test]
fn json() {
    let cases = bad::json();
    check_titles(&cases);
    insta::assert_snapshot!(reports("net.json", &cases));
}

#[test]
fn any_format() {
    let cases = bad::any();
    check_titles(&cases);
    insta::assert_snapshot!(reports("net", &cases));
}
