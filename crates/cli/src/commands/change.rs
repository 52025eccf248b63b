//! `apply`, `sync` and `remove`: what changes the running networks.

use anstyle::{AnsiColor, Style};
use palisade::network::Name;
use palisade::{Action, EngineError, Firewall, Report};

use crate::arguments::Removal;
use crate::failure::Failure;
use crate::output::Outcome;

const NOTE: Style = AnsiColor::Yellow.on_default();

pub(super) fn remove(
    firewall: &mut Firewall,
    removal: &Removal,
    quiet: bool,
) -> Result<Outcome, Failure> {
    if removal.all {
        return report(&firewall.remove_all()?, quiet);
    }
    let mut names: Vec<Name> = Vec::new();
    for text in &removal.names {
        match text.parse() {
            Ok(name) if !names.contains(&name) => names.push(name),
            Ok(_) => {}
            Err(_) => {
                let shown = text.escape_debug();
                return Err(Failure::new(
                    format!("no network named `{shown}` is running; nothing was removed"),
                    EngineError::Unknown { names: Vec::new() }.hint(),
                ));
            }
        }
    }
    report(&firewall.remove(&names)?, quiet)
}

/// One line for each network: `+` started, `~` replaced, `-` removed, `!` mended, `=` as it was.
pub(super) fn report(report: &Report, quiet: bool) -> Result<Outcome, Failure> {
    let mut text = String::new();
    if !quiet {
        for change in &report.changes {
            let (sign, word, color) = match change.action {
                Action::Add => ('+', "added", AnsiColor::Green),
                Action::Replace => ('~', "replaced", AnsiColor::Yellow),
                Action::Remove => ('-', "removed", AnsiColor::Red),
                Action::Restore => ('!', "restored: others had broken it", AnsiColor::Yellow),
            };
            let style = color.on_default();
            text.push_str(&format!(
                "{style}{sign}{style:#} {} {word}\n",
                change.network
            ));
        }
        for name in &report.unchanged {
            text.push_str(&format!("= {name} unchanged\n"));
        }
        if report.changes.is_empty() && report.unchanged.is_empty() {
            text.push_str("nothing to do\n");
        }
    }
    for note in &report.notes {
        text.push_str(&format!("{NOTE}note:{NOTE:#} {note}\n"));
    }
    Ok(Outcome::new(text, report))
}
