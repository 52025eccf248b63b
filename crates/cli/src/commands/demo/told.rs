//! What is told: headings, texts, and commands with what they said.

use std::ffi::OsStr;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style};
use clap::Parser;
use palisade::Report;
use palisade::words::in_words;

use crate::arguments::Arguments;
use crate::commands::{self, change};
use crate::failure::Failure;

const HEAD: Style = AnsiColor::Cyan.on_default().bold();
/// How much of a long text is told.
const FEW: usize = 12;

/// Commands, as people type them beside their definitions.
pub(super) struct Said {
    state: PathBuf,
    definitions: PathBuf,
}

impl Said {
    /// Puts these definitions into the folder `networks`.
    pub(super) fn new(folder: &Path, definitions: [&str; 3]) -> Result<Self, Failure> {
        let networks = folder.join("networks");
        let written = std::fs::create_dir(&networks).and_then(|()| {
            let mut numbered = definitions.iter().enumerate();
            numbered
                .try_for_each(|(i, text)| std::fs::write(networks.join(format!("{i}.xml")), text))
        });
        written.map_err(|error| {
            Failure::new(
                format!(
                    "cannot write into {}: {}",
                    folder.display(),
                    in_words(&error)
                ),
                "TMPDIR names another folder for what is temporary",
            )
        })?;
        Ok(Self {
            state: folder.to_owned(),
            definitions: networks,
        })
    }

    /// Does what the line says, and tells both.
    pub(super) fn tell(&self, told: &mut Told, line: &str) -> Result<(), Failure> {
        told.head(&format!("palisade {line}"));
        told.say(&self.run(line)?);
        Ok(())
    }

    /// The same of a line that says much: its beginning.
    pub(super) fn begin(&self, told: &mut Told, line: &str) -> Result<(), Failure> {
        told.head(&format!("palisade {line}"));
        let text = self.run(line)?;
        let lines = text.lines().count();
        for line in text.lines().take(FEW) {
            told.say(&format!("{line}\n"));
        }
        if lines > FEW {
            told.say(&format!("... and {} more lines\n", lines - FEW));
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
            .map_err(|error| Failure::new(error, "please report it"))?;
        Ok(commands::command(&arguments)?.text)
    }
}

/// What was told so far.
#[derive(Default)]
pub(super) struct Told(pub(super) String);

impl Told {
    pub(super) fn head(&mut self, text: &str) {
        let _ = write!(self.0, "\n{HEAD}== {text}{HEAD:#}\n\n"); // A String takes everything.
    }

    pub(super) fn say(&mut self, text: &str) {
        self.0.push_str(text);
    }

    pub(super) fn report(&mut self, report: &Report) -> Result<(), Failure> {
        let told = change::report(report, false)?;
        self.say(&told.text);
        Ok(())
    }
}
