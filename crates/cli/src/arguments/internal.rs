//! What nobody types: calls of palisade by itself and by those who package it. They stand in no
//! help, no completion and no error.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::Global;

/// An internal call.
#[derive(Debug, Parser)]
#[command(name = "palisade")]
pub(crate) struct Internal {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: InternalCommand,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum InternalCommand {
    /// Take back what nobody confirms: `apply --confirm` starts it
    GuardConfirmation,
    /// Write a manual page for each command
    Manual(Written),
}

/// Where to write.
#[derive(Debug, Args)]
pub(crate) struct Written {
    /// The folder, which must be there
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
}
