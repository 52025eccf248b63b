//! What commands on definitions take.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::seconds::seconds;

/// Definitions.
#[derive(Debug, Args)]
pub(crate) struct Files {
    /// Definitions: libvirt network XML, TOML or JSON; directories of them; `-` for standard input
    #[arg(required = true, value_name = "FILE|DIR")]
    pub(crate) files: Vec<PathBuf>,
}

/// What to render.
#[derive(Debug, Args)]
pub(crate) struct Rendered {
    #[command(flatten)]
    pub(crate) files: Files,
    /// For iptables: one family alone, as iptables-restore or ip6tables-restore takes it
    #[arg(long, value_name = "FAMILY", value_enum)]
    pub(crate) family: Option<RenderedFamily>,
}

/// A family of packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RenderedFamily {
    /// For iptables-restore.
    Ipv4,
    /// For ip6tables-restore.
    Ipv6,
}

/// What to apply.
#[derive(Debug, Args)]
pub(crate) struct Applied {
    #[command(flatten)]
    pub(crate) files: Files,
    /// Only say what would change, as `plan` does
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Take it back after so many seconds, unless `palisade confirm` comes before, or Enter
    #[arg(
        long,
        value_name = "SECONDS",
        conflicts_with = "dry_run",
        value_parser = seconds
    )]
    pub(crate) confirm: Option<u64>,
}

/// What to plan.
#[derive(Debug, Args)]
pub(crate) struct Planned {
    #[command(flatten)]
    pub(crate) files: Files,
    /// What `sync` would change
    #[arg(long)]
    pub(crate) sync: bool,
}
