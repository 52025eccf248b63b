//! The command line, read by a parser that knows no other commands than those that are named.
//!
//! clap makes all options of all commands, and gives each command the global ones: that was half of
//! what `palisade list` did, and half of the memory that it touched. So only commands whose names
//! are among the words are made whole. What can be read so means the same to the whole parser,
//! since a command is known by its exact name; what cannot is read by that one, which explains it.

use std::env;
use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{Args, Subcommand};

use super::command::{Arguments, Command};
use super::global::Global;
use super::read;

/// Reads the command line and the environment.
///
/// # Errors
/// If they are wrong, or ask for help or the version, which is an error to clap.
pub(super) fn read() -> Result<Arguments, clap::Error> {
    match read::read_by(parser()) {
        Err(error) if error.kind() != ErrorKind::DisplayVersion => read::read(),
        arguments => arguments,
    }
}

/// The version is that of the whole program, also behind a command.
fn without_name_in_version(command: clap::Command) -> clap::Command {
    command.display_name("palisade")
}

fn parser() -> clap::Command {
    let words: Vec<OsString> = env::args_os().skip(1).collect();
    let is_named = |command: &&clap::Command| words.iter().any(|word| word == command.get_name());
    let front = clap::Command::new("palisade")
        .version(env!("CARGO_PKG_VERSION"))
        .propagate_version(true)
        .subcommand_required(true);
    let front = Global::augment_args(front);
    if words
        .iter()
        .all(|word| word.as_encoded_bytes().starts_with(b"-"))
    {
        return front; // It can only be asked for the version.
    }
    let commands = Command::augment_subcommands(clap::Command::default());
    let named = commands.get_subcommands().filter(is_named);
    front.subcommands(named.cloned().map(without_name_in_version))
}
