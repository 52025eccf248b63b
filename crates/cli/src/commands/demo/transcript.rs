//! The output of the demo: headings, texts, and commands with their output.

use std::ffi::OsStr;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style};
use clap::Parser;
use palisade::words::in_words;
use palisade::{ErrorKind, Report};

use crate::arguments::Arguments;
use crate::commands::change;
use crate::failure::Failure;
use crate::output::Outcome;

const HEAD: Style = AnsiColor::Cyan.on_default().bold();
/// How many lines of a long output are shown.
const MAX_LINES: usize = 12;

/// Runs a command.
pub(in crate::commands) type RunCommand = fn(&Arguments) -> Result<Outcome, Failure>;

/// Runs command lines in the demo's folders.
pub(super) struct CommandLines {
    command: RunCommand,
    state: PathBuf,
    definitions: PathBuf,
}

impl CommandLines {
    /// Puts these definitions into the folder `networks`.
    pub(super) fn new(
        command: RunCommand,
        folder: &Path,
        definitions: [&str; 3],
    ) -> Result<Self, Failure> {
        let networks = folder.join("networks");
        let written = std::fs::create_dir(&networks).and_then(|()| {
            let mut numbered = definitions.iter().enumerate();
            numbered
                .try_for_each(|(i, text)| std::fs::write(networks.join(format!("{i}.xml")), text))
        });
        written.map_err(|error| {
            Failure::new(
                ErrorKind::System,
                format!(
                    "cannot write into {}: {}",
                    folder.display(),
                    in_words(&error)
                ),
                "TMPDIR names another folder for what is temporary",
            )
        })?;
        Ok(Self {
            command,
            state: folder.to_owned(),
            definitions: networks,
        })
    }

    /// Runs a command line, and shows it with its output.
    pub(super) fn show(&self, transcript: &mut Transcript, line: &str) -> Result<(), Failure> {
        transcript.heading(&format!("palisade {line}"));
        transcript.text(&self.run(line)?);
        Ok(())
    }

    /// Like `show`, but only the first lines of the output.
    pub(super) fn show_first_lines(
        &self,
        transcript: &mut Transcript,
        line: &str,
    ) -> Result<(), Failure> {
        transcript.heading(&format!("palisade {line}"));
        let text = self.run(line)?;
        let lines = text.lines().count();
        for line in text.lines().take(MAX_LINES) {
            transcript.text(&format!("{line}\n"));
        }
        if lines > MAX_LINES {
            transcript.text(&format!("... and {} more lines\n", lines - MAX_LINES));
        }
        Ok(())
    }

    fn run(&self, line: &str) -> Result<String, Failure> {
        let options = ["palisade", "--backend", "nftables", "--state-dir"];
        let mut words: Vec<&OsStr> = options.iter().map(OsStr::new).collect();
        words.push(self.state.as_os_str());
        for word in line.split(' ') {
            words.push(match word {
                "networks" => self.definitions.as_os_str(),
                word => OsStr::new(word),
            });
        }
        let arguments = Arguments::try_parse_from(words)
            .map_err(|error| Failure::new(ErrorKind::Internal, error, "please report it"))?;
        Ok((self.command)(&arguments)?.text)
    }
}

/// The output so far.
#[derive(Default)]
pub(super) struct Transcript(pub(super) String);

impl Transcript {
    pub(super) fn heading(&mut self, text: &str) {
        let _ = write!(self.0, "\n{HEAD}== {text}{HEAD:#}\n\n"); // A String takes everything.
    }

    pub(super) fn text(&mut self, text: &str) {
        self.0.push_str(text);
    }

    pub(super) fn report(&mut self, report: &Report) -> Result<(), Failure> {
        let outcome = change::report(report, false)?;
        self.text(&outcome.text);
        Ok(())
    }
}
