//! What was found, in words and for programs.

use std::fmt;

use palisade_core::network::Name;
use palisade_core::words::{is_printable, shown};
use serde::Serialize;

/// Something on the host that drops, breaks or hides guests' traffic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which check found it: a name that stays.
    #[serde(rename = "id")]
    pub check: Check,
    /// How bad it is.
    pub severity: Severity,
    /// The networks that are concerned; none if it is the host as a whole.
    pub networks: Vec<Name>,
    /// What is wrong, in one line.
    pub summary: String,
    /// Where that can be seen.
    pub evidence: Vec<Evidence>,
    /// What follows from it for guests.
    pub impact: String,
    /// What to do about it.
    pub fix: Fix,
}

/// What to do about a finding.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Fix {
    /// Commands for a shell, to be run one after another.
    pub commands: Vec<String>,
    /// What to do where no command can do it.
    pub advice: Option<String>,
}

impl Fix {
    /// Commands, to be run one after another.
    pub(super) fn commands(commands: impl IntoIterator<Item = String>) -> Self {
        Self {
            commands: commands.into_iter().collect(),
            advice: None,
        }
    }

    /// What no command does.
    pub(super) fn advice(text: impl Into<String>) -> Self {
        Self {
            commands: Vec::new(),
            advice: Some(text.into()),
        }
    }
}

impl Finding {
    /// The same, safe to print: names of other programs may hold anything. A command with a name that a
    /// terminal does not show as it is becomes advice.
    pub(super) fn shown(mut self) -> Self {
        for text in [&mut self.summary, &mut self.impact] {
            *text = shown(text);
        }
        for evidence in &mut self.evidence {
            evidence.show();
        }
        if !self
            .fix
            .commands
            .iter()
            .all(|command| is_printable(command))
        {
            let commands = std::mem::take(&mut self.fix.commands);
            let advice = self.fix.advice.take().unwrap_or_else(|| {
                let commands: Vec<String> = commands.iter().map(|it| shown(it)).collect();
                format!(
                    "a name in it cannot be typed; with its characters written out, the fix is: {}",
                    commands.join("; ")
                )
            });
            self.fix.advice = Some(advice);
        }
        self.fix.advice = self.fix.advice.map(|advice| shown(&advice));
        self
    }
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Traffic that a network asks for does not get through.
    Error,
    /// Some may not get through, or gets where it should not.
    Warning,
    /// Worth knowing.
    Note,
}

/// The checks, by names that stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Check {
    /// palisade's own rules.
    OwnRules,
    /// Other programs' rules for forwarded packets.
    ForwardFilter,
    /// Other programs' rules for what guests ask the host: DHCP, DNS.
    HostFilter,
    /// Other programs' rules for frames that stay on a bridge, where those pass `ip` rules too.
    BridgeNfCall,
    /// Whether the host forwards IPv4.
    Ipv4Forwarding,
    /// Whether the host forwards IPv6.
    Ipv6Forwarding,
    /// IPv6 on a bridge with an IPv6 subnet.
    Ipv6Disabled,
    /// Routers' advertisements that are ignored since the host forwards.
    AcceptRa,
    /// Strict filtering of sources by routes.
    RpFilter,
    /// The sizes of packets that links carry.
    PathMtu,
    /// The kernel's table of connections.
    Conntrack,
    /// What becomes of the addresses of guests' packets.
    Translation,
    /// The host's route to guests.
    GuestRoute,
    /// The host's route to the outside.
    OutsideRoute,
    /// The host's address on a bridge.
    BridgeAddress,
    /// The device that a network forwards through.
    ForwardDevice,
    /// The bridge of a network.
    Bridge,
    /// Ports of a network of isolated ports that the bridge does not isolate.
    IsolatedPorts,
    /// Frames on the bridge meet the rules of IP, and count as forged with sources of elsewhere.
    BridgedSources,
    /// A port that a network forwards and another program uses too.
    ForwardedPort,
    /// The guest to which a forward leads.
    ForwardTarget,
    /// A guest that reaches itself by its own forward.
    ForwardHairpin,
    /// A bridge that no network rules.
    UnruledBridge,
    /// Subnets and routes to elsewhere.
    SubnetCollision,
    /// IPv6 past a network that has none.
    Ipv6Unguarded,
    /// Both families of iptables programs.
    IptablesFamilies,
    /// What this kernel lacks.
    KernelFeature,
    /// What libvirt left, or rules beside us.
    Libvirt,
    /// Tables or chains of ours that no record names.
    Unrecorded,
    /// State that does not count: of another boot, unreadable, interrupted.
    State,
    /// What could not be looked at.
    NotSeen,
}

/// Where something can be seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Evidence {
    /// A rule, or the policy of a chain.
    Rule {
        /// Whose: `nftables`, `iptables-legacy`, `ip6tables-nft` and so on.
        program: String,
        /// The table, with its family where it has one: `inet filter`.
        table: String,
        /// The chain.
        chain: String,
        /// The rule, in the words of that program.
        #[serde(skip_serializing_if = "Option::is_none")]
        rule: Option<String>,
        /// The chain's policy, where that decides.
        #[serde(skip_serializing_if = "Option::is_none")]
        policy: Option<String>,
    },
    /// A table as a whole.
    Table {
        /// Whose.
        program: String,
        /// The table, with its family.
        table: String,
    },
    /// A part of a table, and in which way it is not as it should be.
    Object {
        /// The table, chain, set or rule.
        object: String,
        /// What it is like.
        state: String,
    },
    /// A file and what it says.
    File {
        /// Its path.
        file: String,
        /// What it says, or that it is not there.
        value: String,
    },
    /// A route, as `ip route` has it.
    Route {
        /// The route.
        route: String,
    },
    /// An interface and its state.
    Interface {
        /// Its name.
        interface: String,
        /// What it is like.
        state: String,
    },
}

impl Evidence {
    fn show(&mut self) {
        let texts: Vec<&mut String> = match self {
            Self::Rule {
                program,
                table,
                chain,
                rule,
                policy,
            } => [program, table, chain]
                .into_iter()
                .chain(rule)
                .chain(policy)
                .collect(),
            Self::Table { program, table } => vec![program, table],
            Self::Object { object, state } => vec![object, state],
            Self::File { file, value } => vec![file, value],
            Self::Route { route } => vec![route],
            Self::Interface { interface, state } => vec![interface, state],
        };
        for text in texts {
            *text = shown(text);
        }
    }
}

impl Severity {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

impl Check {
    /// Its name, which stays.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OwnRules => "own-rules",
            Self::ForwardFilter => "forward-filter",
            Self::HostFilter => "host-filter",
            Self::BridgeNfCall => "bridge-nf-call",
            Self::Ipv4Forwarding => "ipv4-forwarding",
            Self::Ipv6Forwarding => "ipv6-forwarding",
            Self::Ipv6Disabled => "ipv6-disabled",
            Self::AcceptRa => "accept-ra",
            Self::RpFilter => "rp-filter",
            Self::PathMtu => "path-mtu",
            Self::Conntrack => "conntrack",
            Self::Translation => "translation",
            Self::GuestRoute => "guest-route",
            Self::OutsideRoute => "outside-route",
            Self::BridgeAddress => "bridge-address",
            Self::ForwardDevice => "forward-device",
            Self::Bridge => "bridge",
            Self::IsolatedPorts => "isolated-ports",
            Self::BridgedSources => "bridged-sources",
            Self::ForwardedPort => "forwarded-port",
            Self::ForwardTarget => "forward-target",
            Self::ForwardHairpin => "forward-hairpin",
            Self::UnruledBridge => "unruled-bridge",
            Self::SubnetCollision => "subnet-collision",
            Self::Ipv6Unguarded => "ipv6-unguarded",
            Self::IptablesFamilies => "iptables-families",
            Self::KernelFeature => "kernel-feature",
            Self::Libvirt => "libvirt",
            Self::Unrecorded => "unrecorded",
            Self::State => "state",
            Self::NotSeen => "not-seen",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule {
                program,
                table,
                chain,
                rule,
                policy,
            } => {
                write!(f, "{program}: table {table}, chain {chain}")?;
                if let Some(rule) = rule {
                    write!(f, ", rule {rule}")?;
                }
                match policy {
                    Some(policy) => write!(f, ", policy {policy}"),
                    None => Ok(()),
                }
            }
            Self::Table { program, table } => write!(f, "{program}: table {table}"),
            Self::Object { object, state } => write!(f, "{object}: {state}"),
            Self::File { file, value } => write!(f, "{file}: {value}"),
            Self::Route { route } => write!(f, "route {route}"),
            Self::Interface { interface, state } => write!(f, "interface {interface}: {state}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_and_people_read_the_same_names() {
        for check in [Check::ForwardFilter, Check::Ipv4Forwarding, Check::NotSeen] {
            assert_eq!(serde_json::to_value(check).unwrap(), check.name());
        }
        for severity in [Severity::Error, Severity::Warning, Severity::Note] {
            assert_eq!(serde_json::to_value(severity).unwrap(), severity.name());
        }
    }
}
