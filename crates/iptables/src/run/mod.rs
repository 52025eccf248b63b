//! Running the programs of iptables: what is asked of them, and what they answered.
//!
//! Whether something went well is told by exit codes and by what stands afterwards, never by the
//! words of a message: those are passed on to people.

mod in_use;
mod list;
mod process;
mod programs;
mod restore;
mod unprinted;

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

pub use in_use::families_in_use;
pub(crate) use list::list;
pub use process::Processes;
pub use programs::{Programs, UnknownPrograms, Variant};
pub(crate) use programs::{Stem, Stems, word};
pub use restore::{Place, RestoreError};
pub(crate) use restore::{Restore, restore, save, try_out};
pub use unprinted::Unprinted;

/// A program to run to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Its name, such as `iptables-legacy-restore`.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its standard input.
    pub input: String,
}

/// What a program answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: Vec<u8>,
    /// How long it took.
    pub took: Duration,
    /// Which process it was, if it was one.
    pub process: Option<u32>,
}

/// Whoever runs programs.
pub trait CommandRunner: Send {
    /// From now on, programs keep this descriptor open until they end: so they hold our lock with
    /// us, also when we are killed meanwhile. None lets go of it.
    fn hold(&mut self, lock: Option<OwnedFd>);

    /// Runs a program to its end.
    ///
    /// # Errors
    /// If it could not be started, or not be waited for. That there is no such program is
    /// [`io::ErrorKind::NotFound`].
    fn run(&mut self, command: &Command) -> io::Result<Answer>;
}
