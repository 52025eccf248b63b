//! What the command line requests: a command of the contract, or one for palisade itself.

use clap::error::ErrorKind;

use super::command::Arguments;
use super::global::Global;
use super::internal::Internal;
use super::{narrow, read};

/// A request on the command line.
#[derive(Debug)]
pub(crate) enum Asked {
    /// A command of the contract.
    Command(Arguments),
    /// A command that palisade runs itself, or that builds its packages.
    Internal(Internal),
}

impl Asked {
    /// Reads the command line and the environment.
    ///
    /// # Errors
    /// If they are wrong, or ask for help, which is an error to clap.
    pub(crate) fn of_this_process() -> Result<Self, clap::Error> {
        match narrow::read() {
            Ok(arguments) => Arguments::check(&arguments).map(|()| Self::Command(arguments)),
            Err(error) if error.kind() == ErrorKind::InvalidSubcommand => {
                read::read().map(Self::Internal).map_err(|_| error)
            }
            Err(error) => Err(error),
        }
    }

    /// The options that stand before or after any command.
    pub(crate) fn global(&self) -> &Global {
        match self {
            Self::Command(arguments) => &arguments.global,
            Self::Internal(internal) => &internal.global,
        }
    }
}
