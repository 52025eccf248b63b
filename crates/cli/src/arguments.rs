//! What can be said on the command line. The contract of names is older than this code: scripts
//! rely on it.

use std::env;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::builder::Resettable;
use clap::{Arg, ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;
use palisade::explain::Endpoint;
use palisade::network::InterfaceName;
use palisade::{BackendChoice, Layout, Programs, TableName};

use crate::output::{Color, Format};

/// Firewall rules for virtual networks, natively through nf_tables.
///
/// palisade takes what a definition says of a virtual network (libvirt's network XML, TOML or
/// JSON) and makes the kernel enforce it, in one transaction: all of it or nothing.
#[derive(Debug, Parser)]
#[command(
    name = "palisade",
    version,
    max_term_width = 100,
    propagate_version = true
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Arguments {
    /// Reads the command line and the environment. Ends the process if they make no sense, or ask
    /// for help.
    ///
    /// # Errors
    /// If they are wrong, or ask for help, which is an error to clap.
    pub(crate) fn of_this_process() -> Result<Self, clap::Error> {
        let mut command = Self::command().mut_args(without_idle_variable);
        let matches = command
            .try_get_matches_from_mut(env::args_os())
            .map_err(|error| blaming_variable(error, &command))?;
        Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    }
}

impl Arguments {
    /// What clap cannot see: options that contradict one another by what they say.
    ///
    /// # Errors
    /// If they do.
    pub(crate) fn check(&self) -> Result<(), clap::Error> {
        let is_counted = match &self.command {
            // Each look is for one reader.
            Command::Counters(counters) => counters.watch.is_none(),
            _ => false,
        };
        let is_of_two_families = match &self.command {
            Command::Explain(asked) => are_of_two_families([asked.src, asked.dst]),
            Command::Trace(asked) => {
                are_of_two_families([asked.src, asked.dst].map(|net| net.map(|net| net.addr())))
            }
            _ => false,
        };
        let what = if self.global.format == Format::Prometheus && !is_counted {
            "--format prometheus is for `counters`, without --watch"
        } else if is_of_two_families {
            "no packet goes from an address of one family to one of the other (--src, --dst)"
        } else {
            return Ok(());
        };
        Err(Self::command().error(clap::error::ErrorKind::ArgumentConflict, what))
    }
}

fn are_of_two_families(ends: [Option<IpAddr>; 2]) -> bool {
    match ends {
        [Some(source), Some(destination)] => source.is_ipv4() != destination.is_ipv4(),
        _ => false,
    }
}

/// A value that came from the environment is not blamed on an option that nobody gave.
fn blaming_variable(mut error: clap::Error, command: &clap::Command) -> clap::Error {
    use clap::error::{ContextKind, ContextValue};
    let Some(ContextValue::String(blamed)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };
    let argument = command.get_arguments().find(|a| a.to_string() == *blamed);
    let Some(argument) = argument.filter(|argument| !is_given(argument)) else {
        return error;
    };
    let variable = argument
        .get_env()
        .filter(|name| env::var_os(name).is_some());
    if let Some(variable) = variable {
        let variable = format!("{} in the environment", variable.to_string_lossy());
        error.insert(ContextKind::InvalidArg, ContextValue::String(variable));
    }
    error
}

/// An environment variable that is empty counts as unset, as shells' users expect, and so does one
/// whose option is on the command line: clap would read it, and stumble over what nobody asked for.
fn without_idle_variable(argument: Arg) -> Arg {
    let value = argument.get_env().and_then(env::var_os);
    match value {
        Some(value) if value.is_empty() || is_given(&argument) => argument.env(Resettable::Reset),
        _ => argument,
    }
}

/// Whether the command line has an option.
fn is_given(argument: &Arg) -> bool {
    let Some(long) = argument.get_long() else {
        return false;
    };
    env::args_os().any(|word| {
        let word = word.to_string_lossy();
        let rest = word
            .strip_prefix("--")
            .and_then(|word| word.strip_prefix(long));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    })
}

/// Options that stand before or after the command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Where state is kept, in a folder for each network namespace [default: /run/palisade]
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
    /// Who installs rules: auto, nftables, iptables or none; moves running networks that are applied
    #[arg(
        long,
        global = true,
        value_name = "BACKEND",
        env = "PALISADE_BACKEND",
        hide_env_values = true
    )]
    pub(crate) backend: Option<BackendChoice>,
    /// How rules are laid out in nftables: mapped or flat [default: mapped]
    #[arg(
        long,
        global = true,
        value_name = "LAYOUT",
        env = "PALISADE_LAYOUT",
        hide_env_values = true
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
    /// Which iptables-restore family of programs: auto, legacy or nft
    #[arg(
        long,
        global = true,
        value_name = "FAMILY",
        env = "PALISADE_IPTABLES",
        hide_env_values = true
    )]
    pub(crate) iptables: Option<Programs>,
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
    pub(crate) format: Format,
    /// Say more; twice for details
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Say nothing but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t)]
    pub(crate) color: Color,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Read definitions and say what is wrong with them; touches nothing
    #[command(after_help = "Example: palisade check /etc/palisade/networks")]
    Check(Files),
    /// Print what would be installed, as text that `nft -f` or `iptables-restore` accepts; touches
    /// nothing
    #[command(after_help = "Example: palisade render --layout flat default.xml | nft -c -f -")]
    Render(Rendered),
    /// Say where backends and layouts treat packets differently; touches nothing; exit 3 if one does
    /// otherwise than documented
    #[command(after_help = "Example: palisade compare /etc/palisade/networks")]
    Compare(Files),
    /// Start or replace these networks, all or nothing
    #[command(after_help = "Example: palisade apply default.xml lab.toml")]
    Apply(Applied),
    /// Keep what `apply --confirm` did
    #[command(after_help = "Example: palisade confirm")]
    Confirm,
    /// Take back what nobody confirms: `apply --confirm` starts it
    #[command(hide = true)]
    GuardConfirmation,
    /// Say what `apply` would change; touches nothing; exit 3 if it would change something
    #[command(after_help = "Example: palisade plan --sync /etc/palisade/networks")]
    Plan(Planned),
    /// Make exactly these networks the running ones, all or nothing
    #[command(after_help = "Example: palisade sync /etc/palisade/networks")]
    Sync(Files),
    /// Remove networks: exactly what was recorded as installed for them
    #[command(after_help = "Example: palisade remove default lab")]
    Remove(Removal),
    /// Compare what is recorded with the kernel; exit 3 if they differ
    #[command(after_help = "Example: palisade verify default")]
    Verify(Named),
    /// Make the kernel as it is recorded, in one transaction
    #[command(after_help = "Example: palisade repair")]
    Repair(Named),
    /// Move all running networks to another backend or layout, all or nothing, without a gap
    #[command(after_help = "Example: palisade migrate --to nftables --layout flat")]
    Migrate(Migration),
    /// Finish or undo an interrupted transaction; whatever changes networks does so by itself
    #[command(after_help = "Example: palisade recover")]
    Recover,
    /// List the running networks
    #[command(after_help = "Example: palisade list --format json")]
    List,
    /// Show one network: definition, rules as installed, counters, what was omitted and why
    #[command(after_help = "Example: palisade show default")]
    Show(Shown),
    /// Say what becomes of a packet and why; exit 3 if it is refused
    #[command(
        after_help = "Example: palisade explain --from default --to world/1.1.1.1 --proto udp --dport 53\n         palisade explain --in virbr0 --out eth0 --src 192.168.122.5 --dst 1.1.1.1 --proto tcp"
    )]
    Explain(ExplainedPacket),
    /// Show real packets as they pass: the rules that they meet, in all tables of nf_tables
    #[command(after_help = "Example: palisade trace --in virbr0 --proto tcp --dport 443 --count 5")]
    Trace(TracedPackets),
    /// Say what networks counted: packets and bytes by purpose, and connections with NAT
    #[command(after_help = "Example: palisade counters --format prometheus")]
    Counters(Counters),
    /// Say what on this host drops, breaks or hides guests' traffic, and how to mend it; touches
    /// nothing; exit 3 if something was found
    #[command(after_help = "Example: palisade doctor")]
    Doctor,
    /// Follow changes to the ruleset that concern networks, and put back what others broke
    #[command(after_help = "Example: palisade watch --heal")]
    Watch(Watched),
    /// Try everything once, in a throwaway user and network namespace; needs no root
    #[command(after_help = "Example: palisade demo")]
    Demo,
    /// Print what makes a shell complete palisade's commands and options
    #[command(after_help = "Example: palisade completions bash")]
    Completions(Completed),
    /// Write a manual page for each command; for packagers
    #[command(hide = true, after_help = "Example: palisade manual man1")]
    Manual(Written),
}

/// For which shell.
#[derive(Debug, Args)]
pub(crate) struct Completed {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub(crate) shell: Shell,
}

/// A shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    /// GNU Bash.
    Bash,
    /// The Z shell.
    Zsh,
    /// The friendly interactive shell.
    Fish,
}

/// Where to write.
#[derive(Debug, Args)]
pub(crate) struct Written {
    /// The folder, which must be there
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
}

/// Definitions.
#[derive(Debug, Args)]
pub(crate) struct Files {
    /// Definitions: libvirt network XML, TOML or JSON; directories of them; `-` for standard input
    #[arg(required = true, value_name = "FILE")]
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
        value_parser = clap::value_parser!(u64).range(1..=86_400)
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

/// Some networks, or all.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The networks [default: all]
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
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
        value_parser = clap::value_parser!(u64).range(1..=86_400)
    )]
    pub(crate) watch: Option<u64>,
}

/// How to watch.
#[derive(Debug, Args)]
pub(crate) struct Watched {
    /// Put back at once what others broke
    #[arg(long)]
    pub(crate) heal: bool,
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

/// A packet to explain: from interface to interface, or from whom to whom.
#[derive(Debug, Args)]
pub(crate) struct ExplainedPacket {
    /// A guest that sends it: a network, with its address where it matters; or world, or host.
    /// A network that is called so itself: network:world, network:host
    #[arg(long, value_name = "NETWORK[/ADDR]|world[/ADDR]|host", requires = "to")]
    pub(crate) from: Option<Endpoint>,
    /// Whom it is for: a guest of a network, somebody in the world, or the host itself
    #[arg(
        long,
        value_name = "NETWORK[/ADDR]|world[/ADDR]|host",
        requires = "from"
    )]
    pub(crate) to: Option<Endpoint>,
    /// The interface that it comes in through; without it, the host sends it
    #[arg(long = "in", value_name = "IFNAME", required_unless_present_any = ["from", "out_interface"])]
    pub(crate) in_interface: Option<InterfaceName>,
    /// The interface that it leaves through; without it, the host takes it
    #[arg(long = "out", value_name = "IFNAME")]
    pub(crate) out_interface: Option<InterfaceName>,
    /// The address that it comes from
    #[arg(long, value_name = "ADDR", required_unless_present = "from")]
    pub(crate) src: Option<IpAddr>,
    /// The address that it goes to
    #[arg(long, value_name = "ADDR", required_unless_present = "from")]
    pub(crate) dst: Option<IpAddr>,
    /// The protocol: tcp, udp, icmp, icmpv6 or its number [default: tcp]
    #[arg(long, value_name = "PROTOCOL", value_parser = traced_protocol)]
    pub(crate) proto: Option<u8>,
    /// The port that it comes from
    #[arg(long, value_name = "N")]
    pub(crate) sport: Option<u16>,
    /// The port that it goes to
    #[arg(long, value_name = "N")]
    pub(crate) dport: Option<u16>,
    /// What conntrack knows of its flow [default: new]
    #[arg(long, value_name = "STATE", value_enum)]
    pub(crate) ct: Option<CtState>,
    /// Ask about the networks of these definitions, whether they run or not; no kernel is asked
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) definitions: Vec<PathBuf>,
}

/// What conntrack knows of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CtState {
    /// Its first packet, or still without an answer.
    New,
    /// Packets went both ways.
    Established,
    /// It belongs to another flow, such as an ICMP error.
    Related,
    /// conntrack makes no sense of it.
    Invalid,
}

/// Which packets to trace: those for which all of this holds.
#[derive(Debug, Args)]
pub(crate) struct TracedPackets {
    /// They came in through this interface
    #[arg(long = "in", value_name = "IFNAME")]
    pub(crate) in_interface: Option<InterfaceName>,
    /// They leave through this interface
    #[arg(long = "out", value_name = "IFNAME")]
    pub(crate) out_interface: Option<InterfaceName>,
    /// They come from this address or subnet
    #[arg(long, value_name = "ADDR|SUBNET", value_parser = net)]
    pub(crate) src: Option<IpNet>,
    /// They go to this address or subnet
    #[arg(long, value_name = "ADDR|SUBNET", value_parser = net)]
    pub(crate) dst: Option<IpNet>,
    /// The protocol: tcp, udp, icmp, icmpv6 or its number
    #[arg(long, value_name = "PROTOCOL", value_parser = traced_protocol)]
    pub(crate) proto: Option<u8>,
    /// The port that they come from
    #[arg(long, value_name = "N", requires = "proto")]
    pub(crate) sport: Option<u16>,
    /// The port that they go to
    #[arg(long, value_name = "N", requires = "proto")]
    pub(crate) dport: Option<u16>,
    /// End after so many packets
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,
    /// End after so long
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) time: Option<u64>,
}

/// An address alone is a subnet of one.
fn net(text: &str) -> Result<IpNet, String> {
    let address = text.parse().map(|address: IpAddr| IpNet::from(address));
    let net = address.or_else(|_| text.parse::<IpNet>());
    net.map(|net| net.trunc())
        .map_err(|_| "write an address, or a subnet such as 192.168.122.0/24".to_owned())
}

fn traced_protocol(text: &str) -> Result<u8, String> {
    match text {
        "icmp" => Ok(1),
        "tcp" => Ok(6),
        "udp" => Ok(17),
        "icmpv6" => Ok(58),
        number => number
            .parse()
            .map_err(|_| "write tcp, udp, icmp, icmpv6 or a number up to 255".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clap_finds_no_contradiction() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn global_options_stand_before_and_after() {
        for line in [
            "palisade --format json --table t list",
            "palisade list --format json --table t",
        ] {
            let arguments = Arguments::parse_from(line.split(' '));
            assert_eq!(arguments.global.format, Format::Json);
            assert_eq!(arguments.global.table.unwrap().as_str(), "t");
        }
    }
}
