//! `--help`, which is what most people read.

use crate::palisade::Palisade;

const COMMANDS: [&str; 8] = [
    "check", "render", "apply", "sync", "remove", "list", "show", "demo",
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

/// A command that is not tried above is not known.
#[test]
fn names_no_other_command() {
    let overview = Palisade::bare().output("-h");
    let (_, commands) = overview.split_once("Commands:\n").unwrap();
    let (commands, _) = commands.split_once("\n\n").unwrap();
    let named = commands.lines().map(|line| line.split_whitespace().next());
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
