//! The examples in `docs/definitions.md` are what they say.

// What fails here is a test.
#![allow(clippy::panic)]

use std::path::Path;

use palisade_core::Network;
use palisade_definition::{DefinitionError, Source, parse};

const DOCUMENT: &str = include_str!("../../../docs/definitions.md");

/// A fenced block: what stands behind the fence, and the text.
struct Example {
    info: &'static str,
    text: String,
}

fn examples() -> Vec<Example> {
    let mut examples = Vec::new();
    let mut lines = DOCUMENT.lines();
    while let Some(line) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            let inside = lines.by_ref().take_while(|line| *line != "```");
            let text = inside.map(|line| format!("{line}\n")).collect();
            examples.push(Example { info, text });
        }
    }
    examples
}

fn read(example: &Example) -> Result<Vec<Network>, DefinitionError> {
    let format = example.info.split(' ').next().unwrap_or_default();
    let source = Source::at(Path::new(&format!("lab.{format}")));
    parse(&source, example.text.as_bytes())
}

#[test]
fn examples_are_read_or_refused_as_told() {
    let examples = examples();
    let mut read_ones = 0;
    let mut refused = 0;
    for (i, example) in examples.iter().enumerate() {
        match (example.info, read(example)) {
            ("xml" | "toml" | "json" | "xml same" | "toml same" | "json same", Ok(_)) => {
                read_ones += 1;
            }
            ("xml refused" | "toml refused" | "json refused", Err(error)) => {
                refused += 1;
                let told = examples.get(i + 1).map_or("", |next| &next.text);
                assert_eq!(format!("{}\n", error.report()), told);
            }
            ("text", _) => {}
            (info, result) => panic!("{info}: {result:?}\n{}", example.text),
        }
    }
    assert!(read_ones >= 15 && refused >= 4, "{read_ones} {refused}");
}

#[test]
fn the_same_network_three_times() {
    let examples = examples();
    let same = examples
        .iter()
        .filter(|example| example.info.ends_with(" same"));
    let networks: Vec<_> = same.filter_map(|example| read(example).ok()).collect();
    assert_eq!(networks.len(), 3);
    assert!(networks.iter().all(|network| *network == networks[0]));
}

/// Every field of the table is a field, and stands in an example.
#[test]
fn every_field_has_an_example() {
    let rows = DOCUMENT.split("## The fields").nth(1).unwrap_or_default();
    let fields: Vec<&str> = rows
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .take_while(|field| *field != "isolated")
        .collect();
    assert_eq!(fields.len(), 18, "{fields:?}");
    let examples = examples();
    for field in fields {
        let toml = format!("{field} = ");
        let found = examples.iter().any(|example| {
            example.info.starts_with("toml") && example.text.lines().any(|l| l.starts_with(&toml))
        });
        assert!(found, "{field}");
    }
}
