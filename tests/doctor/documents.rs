//! `docs/json.md`: what it shows of each command is what the command prints, by keys and types.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use palisade_tests::{Namespace, Palisade, Trials, trials};
use serde_json::Value;

pub(crate) fn add_to(trials: Trials) -> Trials {
    trials.and(trials![json_is_as_documented])
}

/// A definition with errors in it.
const BAD: &str = "name = 'x'\nbridge = 'virbr9'\nmode = 'nta'\nsubnets = ['10.0.0.1/240']\n";

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json_is_as_documented() {
    let host = Namespace::new();
    host.bridges(["virbr0", "virbr1", "virbr2"]);
    host.sysctl("ipv4/ip_forward", "1");
    host.sysctl("ipv6/conf/all/forwarding", "1");
    let palisade = Palisade::new(&host);
    let folder = tempfile::tempdir().expect("make a folder");
    let put = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("write a definition");
    };
    put("networks.toml", &read("docs/examples/networks.toml"));
    put("bad.toml", BAD);

    let document = read("docs/json.md");
    let mut shown = 0;
    for example in document.split("```console\n").skip(1) {
        let (commands, rest) = example.split_once("```").expect("the end of commands");
        let (_, rest) = rest.split_once("```json\n").expect("what is printed");
        let (expected, _) = rest.split_once("```").expect("the end of what is printed");
        let mut printed = String::new();
        for line in commands.lines() {
            let line = line.strip_prefix("$ ").expect("a command");
            printed = match line.strip_prefix("palisade ") {
                Some(arguments) => {
                    let mut command = palisade.command(arguments.split(' '));
                    let answer = host.answer(command.current_dir(folder.path()), "");
                    assert_ne!(answer.code, Some(2), "{answer}");
                    // What is not a result is an error.
                    answer.stdout + &answer.stderr
                }
                None => {
                    let mut shell = Command::new("sh");
                    host.answer(shell.args(["-c", line]), "").stdout()
                }
            };
        }
        let parse = |text: &str| -> Value {
            serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {commands}{text}"))
        };
        let (real, expected) = (shape(&parse(&printed)), shape(&parse(expected)));
        assert_eq!(real, expected, "{commands}{printed}");
        shown += 1;
    }
    assert!(shown > 15, "{shown}");
}

/// All that keys and types say: `.changes[].network: string`.
fn shape(value: &Value) -> BTreeSet<String> {
    fn collect(value: &Value, path: &str, found: &mut BTreeSet<String>) {
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(items) => {
                for item in items {
                    collect(item, &format!("{path}[]"), found);
                }
                "list"
            }
            Value::Object(members) => {
                for (key, member) in members {
                    collect(member, &format!("{path}.{key}"), found);
                }
                "object"
            }
        };
        found.insert(format!("{path}: {kind}"));
    }
    let mut found = BTreeSet::new();
    collect(value, "", &mut found);
    found
}
