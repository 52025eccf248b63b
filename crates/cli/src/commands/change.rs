//! `apply`, `sync` and `remove`: what changes the running networks.

use anstyle::{AnsiColor, Style};
use palisade::network::Name;
use palisade::{Action, Changed, ErrorKind, Firewall, Line, Network, Report, Sign};
use palisade_inspect::Inspector;

use super::open;
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
    for name in open::names(&removal.names)? {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    report(&firewall.remove(&names)?, quiet)
}

/// Exactly no networks: that is a wrong directory more often than a wish.
pub(super) fn check_meant(networks: &[Network], firewall: &mut Firewall) -> Result<(), Failure> {
    if !networks.is_empty() {
        return Ok(());
    }
    match firewall.running()?.len() {
        0 => Ok(()),
        running => Err(Failure::new(
            ErrorKind::Definition,
            format!(
                "there is no network in these files, and sync would remove all that run \
                 ({running}); nothing was changed"
            ),
            "name the right files; `palisade remove --all` removes all networks",
        )),
    }
}

/// What would change: exit code 3 if anything.
pub(super) fn plan(report: &Report) -> Outcome {
    let mut text = String::new();
    for change in &report.changes {
        text.push_str(&changed(change));
        text.push_str(&lines(&change.lines));
    }
    if !report.shared.is_empty() {
        text.push_str("for all networks together:\n");
        text.push_str(&lines(&report.shared));
    }
    let is_empty = report.changes.is_empty() && report.shared.is_empty();
    if is_empty {
        text.push_str("nothing would change\n");
    }
    text.push_str(&notes(report));
    let code = if is_empty { 0 } else { 3 };
    Outcome::new(text, report).with_code(code)
}

/// Reports a change of networks that may have added some.
pub(super) fn applied(
    firewall: &mut Firewall,
    report: Report,
    quiet: bool,
) -> Result<Outcome, Failure> {
    self::report(&with_libvirt(firewall, report), quiet)
}

/// The report, with a note for each bridge that libvirt has rules for too.
pub(super) fn with_libvirt(firewall: &mut Firewall, mut report: Report) -> Report {
    let notes = Inspector::of(firewall).libvirt_notes(&report);
    report.notes.extend(notes);
    report
}

/// One line for each network: `+` started, `~` replaced, `-` removed, `!` mended, `=` as it was.
pub(super) fn report(report: &Report, quiet: bool) -> Result<Outcome, Failure> {
    let mut text = String::new();
    if !quiet {
        text.push_str(&changes(report));
        for name in &report.unchanged {
            text.push_str(&format!("= {name} unchanged\n"));
        }
        if report.changes.is_empty() && report.unchanged.is_empty() {
            text.push_str("nothing to do\n");
        }
    }
    text.push_str(&notes(report));
    Ok(Outcome::new(text, report))
}

fn notes(report: &Report) -> String {
    let note = |note: &String| format!("{NOTE}note:{NOTE:#} {note}\n");
    report.notes.iter().map(note).collect()
}

/// What would come and go, each in a line of its own.
fn lines(lines: &[Line]) -> String {
    let line = |line: &Line| {
        let (sign, color) = match line.sign {
            Sign::Comes => ('+', AnsiColor::Green),
            Sign::Goes => ('-', AnsiColor::Red),
        };
        let style = color.on_default();
        format!("    {style}{sign} {}{style:#}\n", line.text)
    };
    lines.iter().map(line).collect()
}

fn changes(report: &Report) -> String {
    report.changes.iter().map(changed).collect()
}

fn changed(change: &Changed) -> String {
    let (sign, word, color) = match change.action {
        Action::Add => ('+', "add", AnsiColor::Green),
        Action::Replace => ('~', "replace", AnsiColor::Yellow),
        Action::Remove => ('-', "remove", AnsiColor::Red),
        Action::Restore => ('!', "restore what others broke", AnsiColor::Yellow),
    };
    let style = color.on_default();
    format!("{style}{sign}{style:#} {}: {word}\n", change.network)
}
