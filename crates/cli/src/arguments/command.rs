//! The commands of the contract.

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use super::definitions::{Applied, Files, Planned, Rendered};
use super::format::OutputFormat;
use super::global::Global;
use super::networks::{
    Counters, Guests, Listed, Migration, Named, Recovery, Removal, Shown, Watched,
};
use super::packets::{self, ExplainedPacket, TracedPackets};

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
    /// Checks what clap cannot: options that contradict each other by their values.
    ///
    /// # Errors
    /// If they do.
    pub(super) fn check(&self) -> Result<(), clap::Error> {
        let is_of_two_families = match &self.command {
            Command::Explain(asked) => packets::are_of_two_families([asked.src, asked.dst]),
            Command::Trace(asked) => packets::are_of_two_families(
                [asked.src, asked.dst].map(|net| net.map(|net| net.addr())),
            ),
            _ => false,
        };
        let what = if let Some(wrong) = self.wrong_format() {
            wrong
        } else if is_of_two_families {
            "no packet goes from an address of one family to one of the other (--src, --dst)"
        } else if matches!(&self.command, Command::Explain(asked) if asked.says_nothing()) {
            "say at least one of --from, --to, --in, --out, --src and --dst: the rest is filled in"
        } else {
            return Ok(());
        };
        Err(Self::command().error(ErrorKind::ArgumentConflict, what))
    }

    /// What is said of a format that the command does not write.
    fn wrong_format(&self) -> Option<&'static str> {
        match (self.global.format, &self.command) {
            (OutputFormat::Text | OutputFormat::Json, _) => None,
            // Each look of a watch is for one reader.
            (OutputFormat::Prometheus, Command::Counters(asked)) if asked.watch.is_none() => None,
            (OutputFormat::Prometheus, Command::Doctor) => None,
            (OutputFormat::Prometheus, _) => {
                Some("--format prometheus is for `doctor`, and for `counters` without --watch")
            }
            (_, Command::Graph) => None,
            (OutputFormat::Dot | OutputFormat::Mermaid | OutputFormat::Svg, _) => {
                Some("--format dot, mermaid and svg are for `graph`")
            }
        }
    }
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
    /// Say what `apply` would change; touches nothing; exit 3 if it would change something
    #[command(after_help = "Example: palisade plan --sync /etc/palisade/networks")]
    Plan(Planned),
    /// Make exactly these networks the running ones, all or nothing
    #[command(after_help = "Example: palisade sync /etc/palisade/networks")]
    Sync(Files),
    /// Remove networks: exactly what was recorded as installed for them
    #[command(after_help = "Example: palisade remove default lab")]
    Remove(Removal),
    /// Cut guests off, in both directions, until they are unblocked; their connections end
    #[command(after_help = "Example: palisade block default/192.168.122.11")]
    Block(Guests),
    /// Let blocked guests in again
    #[command(after_help = "Example: palisade unblock default/192.168.122.11")]
    Unblock(Guests),
    /// Compare what is recorded with the kernel; exit 3 if they differ
    #[command(after_help = "Example: palisade verify default")]
    Verify(Named),
    /// Make the kernel as it is recorded, in one transaction; what others put among our rules goes
    #[command(after_help = "Example: palisade repair")]
    Repair(Named),
    /// Move all running networks to another backend or layout, all or nothing, without a gap
    #[command(after_help = "Example: palisade migrate --to nftables --layout flat")]
    Migrate(Migration),
    /// Finish or undo an interrupted transaction; whatever changes networks does so by itself
    #[command(after_help = "Example: palisade recover --adopt")]
    Recover(Recovery),
    /// List the running networks
    #[command(after_help = "Example: palisade list -o name,state,subnets")]
    List(Listed),
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
    /// Print a picture of what runs: networks, bridges, devices and forwards, for Mermaid; with --format
    /// dot for Graphviz, with --format svg as a picture
    #[command(after_help = "Example: palisade graph --format svg")]
    Graph,
    /// Follow changes to the ruleset that concern networks, and put back what others broke
    #[command(after_help = "Example: palisade watch --heal")]
    Watch(Watched),
    /// Try everything once, in a throwaway user and network namespace; needs no root
    #[command(after_help = "Example: palisade demo")]
    Demo,
    /// Print what makes a shell complete palisade's commands and options
    #[command(after_help = "Example: palisade completions bash")]
    Completions(Completed),
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
            assert_eq!(arguments.global.format, OutputFormat::Json);
            assert_eq!(arguments.global.table.unwrap().as_str(), "t");
        }
    }
}
