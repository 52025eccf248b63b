//! What commands on definitions take.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use palisade::network::{InterfaceName, InterfaceNameError, Name, NameError};

use super::seconds::seconds;

/// Definitions.
#[derive(Debug, Args)]
pub(crate) struct Files {
    /// Definitions: libvirt network XML, TOML or JSON; directories of them; `-` for standard input
    #[arg(required = true, value_name = "FILE|DIR")]
    pub(crate) files: Vec<PathBuf>,
    /// The bridge of a network whose definition names none; without it, the bridge that has the
    /// network's address is taken
    #[arg(long = "bridge", value_name = "NAME=BRIDGE", value_parser = named_bridge)]
    pub(crate) bridges: Vec<(Name, InterfaceName)>,
}

/// `NAME=BRIDGE`. Names of networks may hold `=`, those of bridges do not.
pub(super) fn named_bridge(text: &str) -> Result<(Name, InterfaceName), String> {
    let (name, bridge) = text
        .rsplit_once('=')
        .ok_or("write the network's name, `=` and the bridge, such as lab=virbr1")?;
    let name: Name = name.parse().map_err(|error: NameError| error.to_string())?;
    let bridge: InterfaceName = bridge
        .parse()
        .map_err(|error: InterfaceNameError| error.to_string())?;
    Ok((name, bridge))
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
    /// Take it back after so many seconds, unless `palisade confirm` comes before, or Enter; Ctrl-C takes it back at once
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
