//! Reads the command line and the environment by a parser of clap.

use std::env;

use clap::{CommandFactory, FromArgMatches};

use super::environment;

/// Reads the command line by the whole parser of `A`.
pub(super) fn read<A: CommandFactory + FromArgMatches>() -> Result<A, clap::Error> {
    read_by(A::command())
}

/// Reads the command line by this parser.
pub(super) fn read_by<A: FromArgMatches>(command: clap::Command) -> Result<A, clap::Error> {
    let mut command = command.mut_args(environment::without_idle_variable);
    let matches = command
        .try_get_matches_from_mut(env::args_os())
        .map_err(|error| environment::blaming_variable(error, &command))?;
    A::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}
