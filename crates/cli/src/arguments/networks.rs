//! What commands on running networks take.

use clap::{Args, ValueEnum};

use super::seconds::seconds;

/// Some networks, or all.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The networks [default: all]
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
}

/// What a list shows.
#[derive(Debug, Default, Args)]
pub(crate) struct Listed {
    /// Show all columns, and cut no text
    #[arg(long)]
    pub(crate) wide: bool,
    /// Show these columns, in this order
    #[arg(
        short = 'o',
        long = "output",
        value_name = "COLUMN,...",
        value_enum,
        value_delimiter = ',',
        conflicts_with = "wide"
    )]
    pub(crate) columns: Vec<ListColumn>,
}

/// A column of a list of networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListColumn {
    /// The network's name.
    Name,
    /// Whether it is as it must be.
    State,
    /// Its bridge.
    Bridge,
    /// The interfaces on the bridge.
    Ports,
    /// How guests reach beyond the bridge.
    Mode,
    /// The guests' subnets.
    Subnets,
    /// How many ports of the host lead to guests.
    Forwards,
    /// How many guests are blocked.
    Blocked,
    /// Who installed its rules.
    Backend,
    /// The layout in nftables.
    Layout,
    /// The table in nftables.
    Table,
    /// On whose behalf it runs.
    Owner,
    /// What guests sent.
    Out,
    /// What guests got.
    In,
    /// Since when it runs as it does.
    Since,
}

/// Whose counters.
#[derive(Debug, Args)]
pub(crate) struct Counters {
    #[command(flatten)]
    pub(crate) named: Named,
    /// Look again every so many seconds [default: 1], and say how much came in each second
    #[arg(
        long,
        value_name = "SECONDS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1",
        value_parser = seconds
    )]
    pub(crate) watch: Option<u64>,
}

/// What to recover.
#[derive(Debug, Args)]
pub(crate) struct Recovery {
    /// Record networks again whose rules are installed and that no record names, since the state
    /// directory was lost; rules and what they counted stay as they are
    #[arg(long)]
    pub(crate) adopt: bool,
}

/// How to watch.
#[derive(Debug, Args)]
pub(crate) struct Watched {
    /// Put back at once what others broke
    #[arg(long)]
    pub(crate) heal: bool,
    /// Follow packets that networks refuse and log to an NFLOG group, instead of changes; with --heal,
    /// beside them
    #[arg(long)]
    pub(crate) refused: bool,
}

/// Where to move.
#[derive(Debug, Args)]
pub(crate) struct Migration {
    /// The backend to move to; --layout and --table say where in it
    #[arg(long, value_name = "BACKEND", value_enum)]
    pub(crate) to: Target,
}

/// A backend that installs rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Target {
    /// nf_tables, over netlink.
    Nftables,
    /// Through iptables-restore.
    Iptables,
}

/// Guests of running networks.
#[derive(Debug, Args)]
pub(crate) struct Guests {
    /// A network and the address of its guest
    #[arg(value_name = "NETWORK/ADDRESS", required = true)]
    pub(crate) guests: Vec<String>,
}

/// Networks to remove.
#[derive(Debug, Args)]
pub(crate) struct Removal {
    /// The networks to remove
    #[arg(
        value_name = "NAME",
        required_unless_present = "all",
        conflicts_with = "all"
    )]
    pub(crate) names: Vec<String>,
    /// Remove all networks
    #[arg(long)]
    pub(crate) all: bool,
}

/// A network to show.
#[derive(Debug, Args)]
pub(crate) struct Shown {
    /// The network
    pub(crate) name: String,
}
