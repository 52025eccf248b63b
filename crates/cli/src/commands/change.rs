//! `apply`, `sync` and `remove`: what changes the running networks.

use anstyle::{AnsiColor, Style};
use palisade::network::Name;
use palisade::words::shown;
use palisade::{Action, Changed, ErrorKind, Firewall, Line, Network, Report, Sign};
use palisade_inspect::Inspector;

use super::open;
use crate::arguments::{Files, Removal};
use crate::failure::Failure;
use crate::output::Outcome;

/// The word before a note.
pub(super) const NOTE: Style = AnsiColor::Yellow.on_default();

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

/// What `sync` must reach.
pub(super) enum SyncGoal {
    /// These networks run, and no others.
    Exactly(Vec<Network>),
    /// No networks run: the directories that were named hold no definitions.
    Nothing {
        /// The directories, for people.
        directories: String,
    },
}

impl SyncGoal {
    /// A directory without definitions means no networks. Files without networks are a mistake, unless none runs.
    pub(super) fn of(
        files: &Files,
        networks: Vec<Network>,
        firewall: &mut Firewall,
    ) -> Result<Self, Failure> {
        if !networks.is_empty() {
            return Ok(Self::Exactly(networks));
        }
        let directories = files.files.iter().filter(|path| path.is_dir());
        let directories: Vec<String> = directories
            .map(|path| shown(&path.to_string_lossy()))
            .collect();
        if directories.is_empty() {
            let running = firewall.running()?.len();
            if running > 0 {
                return Err(Failure::new(
                    ErrorKind::Definition,
                    format!(
                        "there is no network in these files, and sync would remove all that run \
                         ({running}); nothing was changed"
                    ),
                    "name the right files; `palisade remove --all` removes all networks",
                ));
            }
        }
        Ok(Self::Nothing {
            directories: directories.join(", "),
        })
    }

    pub(super) fn reach(&self, firewall: &mut Firewall) -> Result<Report, Failure> {
        let report = match self {
            Self::Exactly(networks) => firewall.sync(networks),
            Self::Nothing { .. } => firewall.remove_all(),
        };
        Ok(self.noted(report?))
    }

    pub(super) fn plan(&self, firewall: &mut Firewall) -> Result<Report, Failure> {
        let report = match self {
            Self::Exactly(networks) => firewall.plan_sync(networks),
            Self::Nothing { .. } => firewall.plan_remove_all(),
        };
        Ok(self.noted(report?))
    }

    /// Whoever named the wrong directory must notice.
    fn noted(&self, mut report: Report) -> Report {
        if let Self::Nothing { directories } = self
            && !report.changes.is_empty()
        {
            let note = format!("no definitions in {directories}: no network is to run");
            report.notes.insert(0, note);
        }
        report
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
