//! The kinds of rules: one table, and a row for each kind.
//!
//! Whatever depends on the kind of a rule (where it is evaluated, what people read about it, which
//! sum its counter belongs to, which packet shows that it works) is a column here, and is read from
//! here everywhere.

use std::fmt;

use serde::Serialize;

use super::layer::Layer;
use super::matches::Protocol;
use super::probe::{Carries, ECHO, ECHO_REPLY, Endpoint, ProbeFlow, ProbePacket, TOO_BIG};
use super::role::Role;
use super::traffic::{Sum, Traffic};

/// The kind of a rule. Together with owner, layer and matches it names the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "&'static str")]
#[non_exhaustive]
pub enum RuleKind {
    /// What a blocked guest sends is dropped.
    BlockedOut,
    /// What a blocked guest would receive is dropped.
    BlockedIn,
    /// A port at one address of the host leads to a guest.
    ForwardAt,
    /// A port at every address of the host leads to a guest.
    ForwardAny,
    /// Tcp connections from the bridge announce a smaller segment size.
    ClampOut,
    /// Tcp connections to the bridge announce a smaller segment size.
    ClampIn,
    /// Before all else, the administrator's rules for forwarded packets that guests send.
    AdminFromGuest,
    /// Before all else, the administrator's rules for forwarded packets that guests receive.
    AdminToGuest,
    /// Before all else, the administrator's rules for packets that guests send to the host.
    AdminInput,
    /// Packets of established connections come in, before anything else is matched.
    EstablishedIn,
    /// Packets of established connections leave, before anything else is matched.
    EstablishedOut,
    /// Packets of a subnet leave.
    Out,
    /// Guests reach a forward if their own network lets them.
    ForwardFromGuest,
    /// Packets of a forward come in to its guest.
    ForwardIn,
    /// The guest of a forward answers.
    ForwardAnswer,
    /// Packets come in to a subnet: all of them, or those of established connections.
    In,
    /// Guests talk among themselves over the bridge.
    Cross,
    /// Guests of isolated ports do not talk among themselves by way of the host either.
    RefuseCross,
    /// Packets with a source that is not behind the bridge get no answer and no way.
    Spoofed,
    /// Packets that NAT does not see do not leave the bridge.
    Invalid,
    /// Everything else from guests is refused.
    RefuseOut,
    /// Everything else to guests is refused.
    RefuseIn,
    /// Packets that [`RefuseCross`](Self::RefuseCross) refuses are logged.
    LogCross,
    /// Packets that [`Spoofed`](Self::Spoofed) drops are logged.
    LogSpoofed,
    /// Packets that [`Invalid`](Self::Invalid) drops are logged.
    LogInvalid,
    /// Packets that [`RefuseOut`](Self::RefuseOut) refuses are logged.
    LogOut,
    /// Packets that [`RefuseIn`](Self::RefuseIn) refuses are logged.
    LogIn,
    /// The source address is translated.
    Nat,
    /// Guests that reach a guest of their subnet by a forward get the host's source.
    Hairpin,
    /// Broadcasts keep their source: DHCP answers must keep their port.
    KeepBroadcast,
    /// Link-local multicast keeps its source: it is not routed.
    KeepMulticast,
    /// Packets that stay on the bridge keep their source.
    KeepOnBridge,
    /// Connections to guests of other networks keep their source.
    KeepBetween,
    /// Guests of networks that translate nothing between networks reach this one untranslated.
    BetweenNetworks,
    /// Guests request addresses from the host.
    Dhcp,
    /// The host answers requests for addresses.
    DhcpReply,
    /// Guests query the host for names.
    Dns,
    /// The host answers queries for names.
    DnsReply,
    /// Guests boot from the host.
    Tftp,
    /// The host answers guests that boot.
    TftpReply,
    /// DHCP answers get the checksum that some guests insist on.
    Checksum,
}

/// What holds for all rules of a kind.
#[derive(Debug)]
struct Row {
    kind: RuleKind,
    /// The kind in a word or two. A service's requests and replies share them.
    words: &'static str,
    /// The kind in a sentence for people.
    explanation: &'static str,
    role: Role,
    layers: &'static [Layer],
    sum: Option<Sum>,
    is_optional: bool,
    /// Whether rules of the kind accept established connections before all others are matched.
    is_shortcut: bool,
    /// Whether rules of the kind are installed for forwards of ports alone.
    is_of_forward: bool,
    /// The kind that refuses the packets which rules of this one log.
    logs: Option<RuleKind>,
    probes: &'static [ProbePacket],
}

/// A row of a kind of IP packets without anything out of the ordinary.
const ROW: Row = Row {
    kind: RuleKind::Out,
    words: "",
    explanation: "",
    role: Role::GuestCross,
    layers: &Layer::IP,
    sum: None,
    is_optional: false,
    is_shortcut: false,
    is_of_forward: false,
    logs: None,
    probes: &[],
};

/// A new connection to a port that no service has for itself.
const PROBE: ProbePacket = ProbePacket {
    words: "",
    layers: &Layer::IP,
    from: Endpoint::Guest,
    to: Endpoint::Outside,
    carries: tcp(40000, 22),
    flow: ProbeFlow::New,
};

const fn tcp(source: u16, destination: u16) -> Carries {
    Carries::Ports {
        protocol: Protocol::Tcp,
        source,
        destination,
    }
}

const fn udp(source: u16, destination: u16) -> Carries {
    Carries::Ports {
        protocol: Protocol::Udp,
        source,
        destination,
    }
}

/// The table, in the order of the kinds.
static TABLE: &[Row] = &[
    Row {
        kind: RuleKind::BlockedOut,
        words: "blocked out",
        explanation: "what a blocked guest sends is dropped",
        role: Role::FromBlocked,
        sum: Some(Sum::Traffic(Traffic::RefusedOut)),
        ..ROW
    },
    Row {
        kind: RuleKind::BlockedIn,
        words: "blocked in",
        explanation: "what a blocked guest would receive is dropped",
        role: Role::ToBlocked,
        sum: Some(Sum::Traffic(Traffic::RefusedIn)),
        ..ROW
    },
    Row {
        kind: RuleKind::ForwardAt,
        words: "forward at an address",
        explanation: "a port at one address of the host leads to a guest",
        role: Role::ForwardAt,
        sum: Some(Sum::ForwardConnections),
        is_of_forward: true,
        ..ROW
    },
    Row {
        kind: RuleKind::ForwardAny,
        words: "forward",
        explanation: "a port at every address of the host leads to a guest",
        role: Role::ForwardAny,
        sum: Some(Sum::ForwardConnections),
        is_of_forward: true,
        ..ROW
    },
    Row {
        kind: RuleKind::ClampOut,
        words: "mss out",
        explanation: "tcp connections from guests announce a segment size that fits",
        role: Role::GuestMss,
        ..ROW
    },
    Row {
        kind: RuleKind::ClampIn,
        words: "mss in",
        explanation: "tcp connections to guests announce a segment size that fits",
        role: Role::GuestMss,
        ..ROW
    },
    Row {
        kind: RuleKind::AdminFromGuest,
        words: "administrator from guests",
        explanation: "the administrator's rules for packets from guests come first",
        role: Role::AdminFromGuest,
        ..ROW
    },
    Row {
        kind: RuleKind::AdminToGuest,
        words: "administrator to guests",
        explanation: "the administrator's rules for packets to guests come first",
        role: Role::AdminToGuest,
        ..ROW
    },
    Row {
        kind: RuleKind::AdminInput,
        words: "administrator to the host",
        explanation: "the administrator's rules for packets from guests to the host come first",
        role: Role::HostAdmin,
        ..ROW
    },
    Row {
        kind: RuleKind::EstablishedIn,
        words: "established in",
        explanation: "what belongs to a known flow comes in, first of all",
        sum: Some(Sum::Traffic(Traffic::In)),
        is_shortcut: true,
        ..ROW
    },
    Row {
        kind: RuleKind::EstablishedOut,
        words: "established out",
        explanation: "what belongs to a known flow leaves, first of all",
        sum: Some(Sum::Traffic(Traffic::Out)),
        is_shortcut: true,
        ..ROW
    },
    Row {
        kind: RuleKind::Out,
        words: "out",
        explanation: "guests may send from their subnet",
        role: Role::GuestOutput,
        sum: Some(Sum::Traffic(Traffic::Out)),
        probes: &[
            ProbePacket {
                words: "what guests send to the outside",
                carries: tcp(40000, 443),
                ..PROBE
            },
            ProbePacket {
                words: "udp to the outside",
                carries: udp(40000, 443),
                ..PROBE
            },
            ProbePacket {
                words: "DNS to the outside (udp 53)",
                carries: udp(40000, 53),
                ..PROBE
            },
            ProbePacket {
                words: "ping of the outside",
                carries: ECHO,
                ..PROBE
            },
        ],
        ..ROW
    },
    Row {
        kind: RuleKind::ForwardFromGuest,
        words: "forwarded from guests",
        explanation: "guests reach a forwarded port if their own network lets them out",
        role: Role::GuestInput,
        is_of_forward: true,
        ..ROW
    },
    Row {
        kind: RuleKind::ForwardIn,
        words: "forwarded",
        explanation: "a guest is reached at its forwarded port",
        role: Role::GuestInput,
        sum: Some(Sum::Traffic(Traffic::In)),
        is_of_forward: true,
        ..ROW
    },
    Row {
        kind: RuleKind::ForwardAnswer,
        words: "forward answers",
        explanation: "a guest answers from its forwarded port",
        role: Role::GuestOutput,
        sum: Some(Sum::Traffic(Traffic::Out)),
        is_of_forward: true,
        ..ROW
    },
    Row {
        kind: RuleKind::In,
        words: "in",
        explanation: "what may come in to the guests' subnet",
        role: Role::GuestInput,
        sum: Some(Sum::Traffic(Traffic::In)),
        probes: &[
            ProbePacket {
                words: "answers to guests",
                from: Endpoint::Outside,
                to: Endpoint::Guest,
                carries: tcp(443, 40000),
                flow: ProbeFlow::Established,
                ..PROBE
            },
            ProbePacket {
                words: "answers to guests by udp",
                from: Endpoint::Outside,
                to: Endpoint::Guest,
                carries: udp(53, 40000),
                flow: ProbeFlow::Established,
                ..PROBE
            },
            ProbePacket {
                words: "answers to guests' ping",
                from: Endpoint::Outside,
                to: Endpoint::Guest,
                carries: ECHO_REPLY,
                flow: ProbeFlow::Established,
                ..PROBE
            },
            ProbePacket {
                words: "errors about packets that are too big",
                from: Endpoint::Outside,
                to: Endpoint::Guest,
                carries: TOO_BIG,
                flow: ProbeFlow::Related,
                ..PROBE
            },
            ProbePacket {
                words: "what comes from outside to guests",
                from: Endpoint::Outside,
                to: Endpoint::Guest,
                ..PROBE
            },
            ProbePacket {
                words: "ping of guests from outside",
                from: Endpoint::Outside,
                to: Endpoint::Guest,
                carries: ECHO,
                ..PROBE
            },
        ],
        ..ROW
    },
    Row {
        kind: RuleKind::Cross,
        words: "guest to guest",
        explanation: "guests on the bridge may talk to each other",
        sum: Some(Sum::Traffic(Traffic::Cross)),
        probes: &[
            ProbePacket {
                words: "what guests of the bridge send each other",
                to: Endpoint::OtherGuest,
                ..PROBE
            },
            ProbePacket {
                words: "ping between guests of the bridge",
                to: Endpoint::OtherGuest,
                carries: ECHO,
                ..PROBE
            },
        ],
        ..ROW
    },
    Row {
        kind: RuleKind::RefuseCross,
        words: "refuse guest to guest",
        explanation: "guests of isolated ports do not reach each other through the host",
        sum: Some(Sum::Traffic(Traffic::RefusedOut)),
        ..ROW
    },
    Row {
        kind: RuleKind::Spoofed,
        words: "spoofed",
        explanation: "packets with a source that is not behind the bridge are dropped",
        role: Role::GuestSource,
        sum: Some(Sum::Traffic(Traffic::Spoofed)),
        // Kernels may lack the expression `fib`.
        is_optional: true,
        ..ROW
    },
    Row {
        kind: RuleKind::Invalid,
        words: "invalid",
        explanation: "packets without a connection, which NAT does not translate, do not leave",
        role: Role::GuestOutput,
        sum: Some(Sum::Traffic(Traffic::Invalid)),
        ..ROW
    },
    Row {
        kind: RuleKind::RefuseOut,
        words: "refuse out",
        explanation: "everything else from the bridge is refused",
        role: Role::GuestOutput,
        sum: Some(Sum::Traffic(Traffic::RefusedOut)),
        ..ROW
    },
    Row {
        kind: RuleKind::RefuseIn,
        words: "refuse in",
        explanation: "everything else to the bridge is refused",
        role: Role::GuestInput,
        sum: Some(Sum::Traffic(Traffic::RefusedIn)),
        ..ROW
    },
    Row {
        kind: RuleKind::LogCross,
        words: "log refused guest to guest",
        explanation: "packets between guests of isolated ports are logged before they are refused",
        logs: Some(RuleKind::RefuseCross),
        // Kernels may lack logging or limits.
        is_optional: true,
        ..ROW
    },
    Row {
        kind: RuleKind::LogSpoofed,
        words: "log spoofed",
        explanation: "packets with a source that is not behind the bridge are logged",
        role: Role::GuestSource,
        logs: Some(RuleKind::Spoofed),
        // Kernels may lack logging or limits.
        is_optional: true,
        ..ROW
    },
    Row {
        kind: RuleKind::LogInvalid,
        words: "log invalid",
        explanation: "packets without a connection are logged before they are dropped",
        role: Role::GuestOutput,
        logs: Some(RuleKind::Invalid),
        // Kernels may lack logging or limits.
        is_optional: true,
        ..ROW
    },
    Row {
        kind: RuleKind::LogOut,
        words: "log refused out",
        explanation: "everything else from the bridge is logged before it is refused",
        role: Role::GuestOutput,
        logs: Some(RuleKind::RefuseOut),
        // Kernels may lack logging or limits.
        is_optional: true,
        ..ROW
    },
    Row {
        kind: RuleKind::LogIn,
        words: "log refused in",
        explanation: "everything else to the bridge is logged before it is refused",
        role: Role::GuestInput,
        logs: Some(RuleKind::RefuseIn),
        // Kernels may lack logging or limits.
        is_optional: true,
        ..ROW
    },
    Row {
        kind: RuleKind::Nat,
        words: "nat",
        explanation: "guests leave with another address",
        role: Role::GuestNat,
        sum: Some(Sum::NatConnections),
        ..ROW
    },
    Row {
        kind: RuleKind::Hairpin,
        words: "hairpin",
        explanation: "guests that reach a guest of their subnet by a forward get the host's source",
        role: Role::GuestNat,
        ..ROW
    },
    Row {
        kind: RuleKind::KeepBroadcast,
        words: "broadcast without nat",
        explanation: "broadcasts keep their source: DHCP needs it",
        role: Role::GuestNat,
        layers: &[Layer::Ipv4],
        ..ROW
    },
    Row {
        kind: RuleKind::KeepMulticast,
        words: "multicast without nat",
        explanation: "link-local multicast keeps its source: it is not routed",
        role: Role::GuestNat,
        ..ROW
    },
    Row {
        kind: RuleKind::KeepOnBridge,
        words: "bridge without nat",
        explanation: "packets that stay on the bridge keep their source",
        role: Role::GuestNat,
        ..ROW
    },
    Row {
        kind: RuleKind::KeepBetween,
        words: "between networks without nat",
        explanation: "connections to guests of other running networks keep their source",
        role: Role::GuestNat,
        ..ROW
    },
    Row {
        kind: RuleKind::BetweenNetworks,
        words: "reached without nat",
        explanation: "networks that translate nothing between networks reach it untranslated",
        role: Role::GuestBetween,
        // A kernel without NAT has no network that needs it.
        is_optional: true,
        ..ROW
    },
    Row {
        kind: RuleKind::Dhcp,
        words: "dhcp",
        explanation: "guests may ask the host for addresses",
        role: Role::HostInput,
        probes: &[
            ProbePacket {
                words: "DHCP (udp 67)",
                layers: &[Layer::Ipv4],
                from: Endpoint::NewGuest,
                to: Endpoint::DhcpServer,
                carries: udp(68, 67),
                ..PROBE
            },
            ProbePacket {
                words: "DHCPv6 (udp 547)",
                layers: &[Layer::Ipv6],
                from: Endpoint::NewGuest,
                to: Endpoint::DhcpServer,
                carries: udp(546, 547),
                ..PROBE
            },
        ],
        ..ROW
    },
    Row {
        kind: RuleKind::DhcpReply,
        words: "dhcp",
        explanation: "guests may ask the host for addresses",
        role: Role::HostOutput,
        probes: &[
            ProbePacket {
                words: "the host's answers to DHCP",
                layers: &[Layer::Ipv4],
                from: Endpoint::Host,
                to: Endpoint::Guest,
                carries: udp(67, 68),
                ..PROBE
            },
            ProbePacket {
                words: "the host's answers to DHCPv6",
                layers: &[Layer::Ipv6],
                from: Endpoint::Host,
                to: Endpoint::NewGuest,
                carries: udp(547, 546),
                ..PROBE
            },
        ],
        ..ROW
    },
    Row {
        kind: RuleKind::Dns,
        words: "dns",
        explanation: "guests may ask the host for names",
        role: Role::HostInput,
        probes: &[
            ProbePacket {
                words: "DNS (udp 53)",
                to: Endpoint::Host,
                carries: udp(40000, 53),
                ..PROBE
            },
            ProbePacket {
                words: "DNS (tcp 53)",
                to: Endpoint::Host,
                carries: tcp(40000, 53),
                ..PROBE
            },
        ],
        ..ROW
    },
    Row {
        kind: RuleKind::DnsReply,
        words: "dns",
        explanation: "guests may ask the host for names",
        role: Role::HostOutput,
        probes: &[
            ProbePacket {
                words: "the host's answers to DNS (udp 53)",
                from: Endpoint::Host,
                to: Endpoint::Guest,
                carries: udp(53, 40000),
                flow: ProbeFlow::Established,
                ..PROBE
            },
            ProbePacket {
                words: "the host's answers to DNS (tcp 53)",
                from: Endpoint::Host,
                to: Endpoint::Guest,
                carries: tcp(53, 40000),
                flow: ProbeFlow::Established,
                ..PROBE
            },
        ],
        ..ROW
    },
    Row {
        kind: RuleKind::Tftp,
        words: "tftp",
        explanation: "guests may boot over TFTP from the host",
        role: Role::HostInput,
        layers: &[Layer::Ipv4],
        probes: &[ProbePacket {
            words: "TFTP (udp 69)",
            layers: &[Layer::Ipv4],
            to: Endpoint::Host,
            carries: udp(40000, 69),
            ..PROBE
        }],
        ..ROW
    },
    Row {
        kind: RuleKind::TftpReply,
        words: "tftp",
        explanation: "guests may boot over TFTP from the host",
        role: Role::HostOutput,
        layers: &[Layer::Ipv4],
        ..ROW
    },
    Row {
        kind: RuleKind::Checksum,
        words: "dhcp checksum",
        explanation: "DHCP answers get a checksum that old clients insist on",
        role: Role::Mangle,
        layers: &[Layer::Ipv4],
        // The target CHECKSUM is missing in some kernels, and only old clients need it.
        is_optional: true,
        ..ROW
    },
];

impl RuleKind {
    /// All kinds, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.kind)
    }

    /// The kinds with these [`words`](Self::words), the requests of a service before its replies.
    pub fn named(words: &str) -> impl Iterator<Item = Self> {
        Self::all().filter(move |kind| kind.words() == words)
    }

    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// The kind in a word or two, as comments and listings show it.
    #[must_use]
    pub fn words(self) -> &'static str {
        self.row().words
    }

    /// The kind in a sentence for people.
    #[must_use]
    pub fn explanation(self) -> &'static str {
        self.row().explanation
    }

    /// Where rules of the kind are evaluated.
    #[must_use]
    pub fn role(self) -> Role {
        self.row().role
    }

    /// The layers in which there are rules of the kind.
    #[must_use]
    pub fn layers(self) -> &'static [Layer] {
        self.row().layers
    }

    /// Whether rules of the kind are installed for forwards of ports alone, each for one port.
    #[must_use]
    pub fn is_of_forward(self) -> bool {
        self.row().is_of_forward
    }

    /// The sum that counters of the kind are added to.
    #[must_use]
    pub fn sum(self) -> Option<Sum> {
        self.row().sum
    }

    /// Whether a network does without a rule of the kind where the kernel refuses it.
    #[must_use]
    pub fn is_optional(self) -> bool {
        self.row().is_optional
    }

    /// Whether rules of the kind accept established connections before all others are matched.
    #[must_use]
    pub fn is_shortcut(self) -> bool {
        self.row().is_shortcut
    }

    /// The kind that refuses the packets which rules of this kind log; none if they log nothing.
    #[must_use]
    pub fn logs(self) -> Option<Self> {
        self.row().logs
    }

    /// The packets that show whether the kind's traffic passes. A kind without any is shown by
    /// the packets of another one.
    #[must_use]
    pub fn probes(self) -> &'static [ProbePacket] {
        self.row().probes
    }
}

impl From<RuleKind> for &'static str {
    fn from(kind: RuleKind) -> Self {
        kind.words()
    }
}

impl fmt::Display for RuleKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.words())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_kind_has_one_row_at_its_place_and_a_name_of_its_own() {
        let mut names = HashSet::new();
        for (place, row) in TABLE.iter().enumerate() {
            assert_eq!(row.kind as usize, place, "{:?}", row.kind);
            assert!(!row.explanation.is_empty(), "{:?}", row.kind);
            assert!(!row.layers.is_empty(), "{:?}", row.kind);
            // Requests and replies of a service share their words, at two places.
            assert!(names.insert((row.words, row.role)), "{:?}", row.kind);
        }
        // `Checksum` is the last kind.
        assert_eq!(TABLE.len(), RuleKind::Checksum as usize + 1);
    }

    #[test]
    fn words_with_a_protocol_behind_them_are_no_other_kind() {
        for kind in RuleKind::all() {
            for protocol in Protocol::ALL {
                let behind = format!(" {protocol}");
                assert!(!kind.words().ends_with(&behind), "{kind}");
            }
        }
    }

    #[test]
    fn probes_are_sent_in_layers_of_their_kind() {
        for kind in RuleKind::all() {
            for probe in kind.probes() {
                let is_of_kind = |layer| kind.layers().contains(layer);
                assert!(probe.layers.iter().all(is_of_kind), "{}", probe.words);
            }
        }
    }
}
