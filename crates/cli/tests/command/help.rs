//! `--help`, which is what most people read.

use crate::palisade::Palisade;

const COMMANDS: &[&str] = &[
    "check", "render", "compare", "apply", "plan", "sync", "remove", "verify", "repair", "migrate",
    "recover", "list", "show", "explain", "trace", "counters", "doctor", "demo",
];

#[test]
fn of_the_whole() {
    let palisade = Palisade::bare();
    insta::assert_snapshot!("help", palisade.transcript("--help"));
    insta::assert_snapshot!("help_short", palisade.transcript("-h"));
}

#[test]
fn of_each_command() {
    let palisade = Palisade::bare();
    let overview = palisade.output("--help");
    for command in COMMANDS {
        // The global options are the same everywhere.
        let help = palisade.output(&format!("{command} -h"));
        let (own, global) = help.split_once("Global options:").unwrap();
        insta::assert_snapshot!(format!("help_{command}"), own);
        assert!(global.contains("--state-dir"), "{help}");
        assert!(overview.contains(&format!("\n  {command} ")), "{command}");
    }
}

#[test]
fn by_the_word_too() {
    let palisade = Palisade::bare();
    for command in COMMANDS {
        let help = palisade.output(&format!("help {command}"));
        assert_eq!(help, palisade.output(&format!("{command} --help")));
    }
}

/// Each help has an example, and no example is wrong usage.
#[test]
fn has_examples_that_are_understood() {
    let palisade = Palisade::new();
    for &command in COMMANDS {
        let help = palisade.output(&format!("{command} -h"));
        let (_, example) = help.rsplit_once("Example: palisade ").unwrap();
        let (line, _) = example.split_once('\n').unwrap();
        assert_eq!(line.split_whitespace().next(), Some(command));
        if command == "demo" {
            continue; // It would run, and takes what not every system gives.
        }
        let line = line.split('|').next().unwrap();
        let told = palisade.transcript(line);
        assert!(!told.contains("Usage:"), "{told}");
        assert!(!told.ends_with("exit code 2\n"), "{told}");
    }
}

/// A command that is not tried above is not known.
#[test]
fn names_no_other_command() {
    let overview = Palisade::bare().output("-h");
    let (_, commands) = overview.split_once("Commands:\n").unwrap();
    let (commands, _) = commands.split_once("\n\n").unwrap();
    // What a command does may take more than one line.
    let first_lines = commands.lines().filter(|line| !line.starts_with("   "));
    let named = first_lines.map(|line| line.split_whitespace().next());
    let named: Vec<&str> = named.flatten().filter(|name| *name != "help").collect();
    assert_eq!(named, COMMANDS);
}

#[test]
fn version() {
    let palisade = Palisade::bare();
    let expected = format!("palisade {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(palisade.output("--version"), expected);
    assert_eq!(palisade.output("-V"), expected);
}
