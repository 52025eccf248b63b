//! `--help`, which is what most people read.

use crate::palisade::Palisade;

/// All commands, as the overview lists them.
pub(crate) fn commands() -> Vec<String> {
    let overview = Palisade::bare().output("-h");
    let (_, commands) = overview.split_once("Commands:\n").unwrap();
    let (commands, _) = commands.split_once("\n\n").unwrap();
    // What a command does may take more than one line.
    let first_lines = commands.lines().filter(|line| !line.starts_with("   "));
    let named = first_lines.filter_map(|line| line.split_whitespace().next());
    let named: Vec<String> = named
        .filter(|&name| name != "help")
        .map(str::to_owned)
        .collect();
    assert!(named.len() > 12, "{named:?}");
    named
}

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
    for command in commands() {
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
    for command in commands() {
        let help = palisade.output(&format!("help {command}"));
        assert_eq!(help, palisade.output(&format!("{command} --help")));
    }
}

/// Each help has an example, and no example is wrong usage.
#[test]
fn has_examples_that_are_understood() {
    let palisade = Palisade::new();
    for command in commands() {
        let help = palisade.output(&format!("{command} -h"));
        let (_, example) = help.rsplit_once("Example: palisade ").unwrap();
        let (line, _) = example.split_once('\n').unwrap();
        assert_eq!(line.split_whitespace().next(), Some(command.as_str()));
        if ["demo", "trace", "watch"].contains(&command.as_str()) {
            continue; // They would run, and take what not every system gives.
        }
        let line = line.split('|').next().unwrap();
        let told = palisade.transcript(line);
        assert!(!told.contains("usage:"), "{told}");
        assert!(!told.ends_with("exit code 2\n"), "{told}");
    }
}

#[test]
fn version() {
    let palisade = Palisade::bare();
    let expected = format!("palisade {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(palisade.output("--version"), expected);
    for line in [
        "-V",
        "list --version",
        "apply -V",
        "--format json explain --version",
    ] {
        assert_eq!(palisade.output(line), expected, "{line}");
    }
}
