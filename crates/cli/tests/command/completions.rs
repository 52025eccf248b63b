//! Completions: what shells offer is what there is, and no more.

use crate::help::commands;
use crate::palisade::Palisade;

#[test]
fn of_all_commands_and_values() {
    let palisade = Palisade::bare();
    for shell in ["bash", "zsh", "fish"] {
        let script = palisade.output(&format!("completions {shell}"));
        for command in commands() {
            assert!(script.contains(&command), "{shell}: {command}");
        }
        for value in [
            "nftables", "iptables", "none", "mapped", "flat", "legacy", "json",
        ] {
            assert!(script.contains(value), "{shell}: {value}");
        }
    }
}

/// What nobody types is told nowhere: not to shells, not in help, not where a command is missing.
#[test]
fn of_no_internal_command() {
    let palisade = Palisade::bare();
    for line in [
        "completions bash",
        "completions zsh",
        "completions fish",
        "--help",
        "help",
        "",
        "manua",
        "guard-confirmatio",
    ] {
        let told = palisade
            .transcript(line)
            .replacen(&format!("$ palisade {line}\n"), "", 1);
        let told = told.replace(&format!("no command `{line}`"), "");
        for hidden in ["manual", "guard"] {
            assert!(!told.contains(hidden), "{line}: {told}");
        }
    }
    let told = palisade.transcript("manual nowhere");
    assert!(
        told.contains("cannot write nowhere/palisade.1: no such file"),
        "{told}"
    );
}
