//! Options that stand before or after any command.

use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args};
use palisade::network::Established;
use palisade::{BackendChoice, Layout, Programs, TableName};

use super::format::{Color, OutputFormat};

/// Options that stand before or after the command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Where state is kept, in a folder for each network namespace [default: /run/palisade; of a
    /// plain user, $XDG_RUNTIME_DIR/palisade]
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "PALISADE_STATE_DIR",
        hide_env_values = true
    )]
    pub(crate) state_dir: Option<PathBuf>,
    /// Work in this network namespace: a name under /run/netns, or a path
    #[arg(long, global = true, value_name = "NAME|PATH")]
    pub(crate) netns: Option<String>,
    /// Who installs rules; moves running networks that are applied
    #[arg(
        long,
        global = true,
        value_name = "BACKEND",
        env = "PALISADE_BACKEND",
        hide_env_values = true,
        value_parser = one_of::<BackendChoice>(["auto", "nftables", "iptables", "none"])
    )]
    pub(crate) backend: Option<BackendChoice>,
    /// How rules are laid out in nftables [default: mapped]
    #[arg(
        long,
        global = true,
        value_name = "LAYOUT",
        env = "PALISADE_LAYOUT",
        hide_env_values = true,
        value_parser = one_of::<Layout>(["mapped", "flat"])
    )]
    pub(crate) layout: Option<Layout>,
    /// The nftables table, of the families ip and ip6 [default: palisade]
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = "PALISADE_TABLE",
        hide_env_values = true
    )]
    pub(crate) table: Option<TableName>,
    /// Which iptables-restore family of programs
    #[arg(
        long,
        global = true,
        value_name = "FAMILY",
        env = "PALISADE_IPTABLES",
        hide_env_values = true,
        value_parser = one_of::<Programs>(["auto", "legacy", "nft"])
    )]
    pub(crate) iptables: Option<Programs>,
    /// When packets of known flows are accepted [default: in-turn]
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        env = "PALISADE_ESTABLISHED",
        hide_env_values = true,
        value_parser = one_of::<Established>(["in-turn", "first"])
    )]
    pub(crate) established: Option<Established>,
    /// The configuration file [default: /etc/palisade/palisade.toml, if it exists]
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "PALISADE_CONFIG",
        hide_env_values = true
    )]
    pub(crate) config: Option<PathBuf>,
    /// How results are written
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        value_enum,
        default_value_t
    )]
    pub(crate) format: OutputFormat,
    /// Say more; twice for details
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Say nothing but errors, what was asked for, and notes on what a change did
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t)]
    pub(crate) color: Color,
}

/// A value of few, which help and completions name.
fn one_of<T>(names: impl IntoIterator<Item = &'static str>) -> impl TypedValueParser<Value = T>
where
    T: FromStr + Clone + Send + Sync + 'static,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    PossibleValuesParser::new(names).try_map(|name| name.parse())
}
