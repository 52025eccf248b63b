//! The kinds of sets: one table, and a row for each kind.
//!
//! Names, keys, sets, the rules that look packets up, elements, and what elements mean are made
//! from this table.

use palisade_core::rules::{Action, AdminChain, RuleKind};

use crate::statement::{Direction, End};

/// The base chain of forwarded packets.
pub(super) const FORWARD: &str = "guests_forward";
/// The base chain in which sources are translated.
pub(super) const POSTROUTING: &str = "guests_postrouting";
/// The base chain of packets to the host itself.
pub(super) const INPUT: &str = "guests_input";
/// The chain of forwarded packets that guests send.
pub(super) const GUEST_SENDS: &str = "guest_sends";
/// The chain of those that guests receive from elsewhere.
pub(super) const GUEST_RECEIVES: &str = "guest_receives";
/// The chain of those that guests send to guests.
pub(super) const GUEST_TO_GUEST: &str = "guest_to_guest";
/// The base chain in which the sources of guests' packets are looked at.
pub(super) const PREROUTING: &str = "guests_prerouting";
/// The chain of packets with a source that is not behind their bridge.
pub(super) const FORGED: &str = "forged";
/// The chain in which the sender's network decides.
pub(super) const FROM_GUEST: &str = "from_guest";
/// The chain in which the receiver's network decides.
pub(super) const TO_GUEST: &str = "to_guest";

/// The base chains in which blocked guests are cut off: as packets come in, and as they leave.
pub(super) const BLOCKED_FROM: &str = "blocked_prerouting";
pub(super) const BLOCKED_TO: &str = "blocked_postrouting";

/// The chain in which ports of the host lead to guests.
pub(super) const REDIRECT: &str = "forwards";
/// The base chains that lead there: for packets that come in, and for those of the host.
pub(super) const REDIRECT_IN: &str = "forwards_prerouting";
pub(super) const REDIRECT_OUT: &str = "forwards_output";

/// The chain of what networks that translate nothing between networks send.
pub(super) const BETWEEN: &str = "between_networks";

/// What a set holds. The order is that in which packets meet the rules that look them up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum SetKind {
    /// Blocked guests, by what they send.
    BlockedOut,
    /// Blocked guests, by what they would receive.
    BlockedIn,
    /// Bridges whose guests' forged sources are logged.
    LogSpoofed,
    /// Bridges whose guests' forged sources are dropped.
    Spoofed,
    /// Ports at one address of the host that lead to guests, for some sources.
    ForwardAtFrom,
    /// Ports at one address of the host that lead to guests.
    ForwardAt,
    /// Ports at every address of the host that lead to guests, for some sources.
    ForwardAnyFrom,
    /// Ports at every address of the host that lead to guests.
    ForwardAny,
    /// Bridges whose tcp connections announce a smaller segment size.
    Mss,
    /// The bridges of all networks.
    Bridges,
    /// Bridges, from guest to guest of an isolated port, where packets are logged.
    LogCross,
    /// Bridges, from guest to guest of an isolated port, and the subnets that are answered.
    RefusedCross,
    /// Bridges, from guest to guest of an isolated port, where nothing is answered.
    DroppedCross,
    /// Bridges to which established connections lead, before palisade matches anything else.
    EstablishedIn,
    /// Bridges from which established connections lead, before palisade matches anything else.
    EstablishedOut,
    /// Bridges, from guest to guest.
    Cross,
    /// Bridges from which packets without a connection are logged.
    LogInvalid,
    /// Bridges that nothing leaves without a connection.
    Invalid,
    /// Bridges and the subnets that may send from them.
    Out,
    /// Guests that answer from forwarded ports, where a network lets nothing else out to everywhere.
    Answers,
    /// Bridges from which everything else is logged.
    LogOut,
    /// Bridges and the subnets from which everything else is refused.
    RefusedOut,
    /// Bridges from which everything else is dropped.
    DroppedOut,
    /// Bridges and the subnets that may receive packets of established connections.
    Reply,
    /// Bridges and the subnets that may receive all packets.
    In,
    /// Guests and their forwarded ports.
    Forwarded,
    /// Those that other networks' guests reach, whatever device the network is bound to.
    ForwardedGuests,
    /// Bridges to which everything else is logged.
    LogIn,
    /// Bridges to which everything else is refused.
    RefusedIn,
    /// Subnets within which guests reach each other by a forward.
    Hairpin,
    /// Bridges and the subnets whose packets keep their source there.
    OnBridge,
    /// Subnets within which packets keep their source.
    Same,
    /// Subnets that keep their sources towards other networks.
    Between,
    /// Subnets whose sources are translated.
    Nat,
}

/// What holds for all sets of a kind.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) kind: SetKind,
    /// The beginning of the set's name.
    pub(super) name: &'static str,
    /// The comment of the set, before and after what a set's parameters add.
    pub(super) comment: [&'static str; 2],
    /// The kind of the rules that elements are made of.
    pub(super) rule_kind: RuleKind,
    /// What an element means beside that.
    pub(super) meaning: Meaning,
    /// The packets that are looked up, by what conntrack knows of them.
    pub(super) state: State,
    /// Whether only packets with forged sources come to the look-up.
    pub(super) forged: bool,
    /// Whether only packets of connections with another destination are looked up.
    pub(super) redirected: bool,
    /// Whether only packets to an address of the host are looked up.
    pub(super) to_host: bool,
    /// Whether elements count. Those that only lead on do not, nor those of established
    /// connections: counting would cost what they save.
    pub(super) counts: bool,
    /// The rules that look packets up, of which the first one has the set's key.
    pub(super) lookups: &'static [Lookup],
}

/// A rule that looks packets up in a set.
#[derive(Debug)]
pub(super) struct Lookup {
    pub(super) chain: &'static str,
    /// Whether only packets that guests send are looked up.
    pub(super) from_guests: bool,
    pub(super) key: &'static [Part],
    pub(super) then: Then,
    /// The rule's comment, where it is not that of the set.
    pub(super) comment: Option<&'static str>,
}

/// A part of a set's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The network's bridge, where the packet passes it in this direction.
    Bridge(Direction),
    /// The network's device, of networks that are bound to one.
    Device(Direction),
    /// The first bits of an address: the network's subnet.
    Address(End),
    /// The whole address.
    Host(End),
    /// The protocol.
    Protocol,
    /// The port.
    Port(End),
}

/// The states in conntrack of the packets that are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Any,
    /// Established or related.
    Known,
    /// Invalid or untracked.
    None,
}

/// What happens to a packet that is found in a set.
#[derive(Debug, Clone, Copy)]
pub(super) enum Then {
    Accept,
    Return,
    Reject,
    Drop,
    Goto(&'static str),
    Jump(&'static str),
    /// The administrator's rules, and back.
    Administrator(AdminChain),
    /// The set's segment size is written into it.
    Clamp,
    /// It is logged as the set says.
    Log,
    /// On to the chain of the set's translation.
    Translate,
    /// The source becomes the host's.
    Masquerade,
    /// The destination becomes the one that the element holds.
    Redirect,
}

/// What an element means for its network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// One rule with this action.
    Rule(Action),
    /// One rule that gives packets the destination which the element holds.
    Redirection,
    /// The rules of the set's translation.
    Translation,
    /// Nothing by itself: packets within the subnet are not translated.
    Exemption,
    /// The rules of the set's segment size.
    Clamp,
    /// One rule that logs as the set says.
    Log,
    /// The rules that a bridge has as such. Packets are also led on to other sets.
    Bridge,
}

const ROW: Row = Row {
    kind: SetKind::Cross,
    name: "",
    comment: ["", ""],
    rule_kind: RuleKind::Cross,
    meaning: Meaning::Rule(Action::Accept),
    state: State::Any,
    forged: false,
    redirected: false,
    to_host: false,
    counts: true,
    lookups: &[],
};

const LOOKUP: Lookup = Lookup {
    chain: FORWARD,
    from_guests: false,
    key: &[],
    then: Then::Accept,
    comment: None,
};

const BRIDGE_IN: Part = Part::Bridge(Direction::In);
const BRIDGE_OUT: Part = Part::Bridge(Direction::Out);
const DEVICE_IN: Part = Part::Device(Direction::In);
const DEVICE_OUT: Part = Part::Device(Direction::Out);
const SOURCE: Part = Part::Address(End::Source);
const DESTINATION: Part = Part::Address(End::Destination);
const SOURCE_HOST: Part = Part::Host(End::Source);
const DESTINATION_HOST: Part = Part::Host(End::Destination);
const SOURCE_PORT: Part = Part::Port(End::Source);
const DESTINATION_PORT: Part = Part::Port(End::Destination);

/// The table, in the order of the kinds.
static TABLE: &[Row] = &[
    Row {
        kind: SetKind::BlockedOut,
        name: "blocked_out",
        comment: ["blocked guests, by what they send", ""],
        rule_kind: RuleKind::BlockedOut,
        meaning: Meaning::Rule(Action::Drop),
        lookups: &[Lookup {
            chain: BLOCKED_FROM,
            key: &[BRIDGE_IN, SOURCE_HOST],
            then: Then::Drop,
            ..LOOKUP
        }],
        ..ROW
    },
    Row {
        kind: SetKind::BlockedIn,
        name: "blocked_in",
        comment: ["blocked guests, by what they would receive", ""],
        rule_kind: RuleKind::BlockedIn,
        meaning: Meaning::Rule(Action::Drop),
        lookups: &[Lookup {
            chain: BLOCKED_TO,
            key: &[BRIDGE_OUT, DESTINATION_HOST],
            then: Then::Drop,
            ..LOOKUP
        }],
        ..ROW
    },
    Row {
        kind: SetKind::LogSpoofed,
        name: "log_spoofed",
        comment: ["forged sources are logged,", ""],
        rule_kind: RuleKind::LogSpoofed,
        meaning: Meaning::Log,
        forged: true,
        counts: false,
        lookups: &[Lookup {
            chain: FORGED,
            key: &[BRIDGE_IN],
            then: Then::Log,
            ..LOOKUP
        }],
        ..ROW
    },
    Row {
        kind: SetKind::Spoofed,
        name: "spoofed",
        comment: ["forged sources", ""],
        rule_kind: RuleKind::Spoofed,
        meaning: Meaning::Rule(Action::Drop),
        forged: true,
        lookups: &[Lookup {
            chain: FORGED,
            key: &[BRIDGE_IN],
            then: Then::Drop,
            ..LOOKUP
        }],
        ..ROW
    },
    Row {
        kind: SetKind::ForwardAtFrom,
        name: "forward_at_from",
        comment: ["ports at one address that lead to guests, from a", ""],
        rule_kind: RuleKind::ForwardAt,
        meaning: Meaning::Redirection,
        lookups: &[Lookup {
            chain: REDIRECT,
            key: &[SOURCE, DESTINATION_HOST, Part::Protocol, DESTINATION_PORT],
            then: Then::Redirect,
            ..LOOKUP
        }],
        ..ROW
    },
    Row {
        kind: SetKind::ForwardAt,
        name: "forward_at",
        comment: ["ports at one address that lead to guests", ""],
        rule_kind: RuleKind::ForwardAt,
        meaning: Meaning::Redirection,
        lookups: &[Lookup {
            chain: REDIRECT,
            key: &[DESTINATION_HOST, Part::Protocol, DESTINATION_PORT],
            then: Then::Redirect,
            ..LOOKUP
        }],
        ..ROW
    },
    Row {
        kind: SetKind::ForwardAnyFrom,
        name: "forward_any_from",
        comment: ["ports that lead to guests, from a", ""],
        rule_kind: RuleKind::ForwardAny,
        meaning: Meaning::Redirection,
        to_host: true,
        lookups: &[Lookup {
            chain: REDIRECT,
            key: &[SOURCE, Part::Protocol, DESTINATION_PORT],
            then: Then::Redirect,
            ..LOOKUP
        }],
        ..ROW
    },
    Row {
        kind: SetKind::ForwardAny,
        name: "forward_any",
        comment: ["ports that lead to guests", ""],
        rule_kind: RuleKind::ForwardAny,
        meaning: Meaning::Redirection,
        to_host: true,
        lookups: &[Lookup {
            chain: REDIRECT,
            key: &[Part::Protocol, DESTINATION_PORT],
            then: Then::Redirect,
            ..LOOKUP
        }],
        ..ROW
    },
    Row {
        kind: SetKind::Mss,
        name: "mss",
        comment: ["segment size of connections", ""],
        rule_kind: RuleKind::ClampOut,
        meaning: Meaning::Clamp,
        counts: false,
        lookups: &[
            Lookup {
                chain: FORWARD,
                key: &[BRIDGE_IN],
                then: Then::Clamp,
                comment: Some("mss out"),
                ..LOOKUP
            },
            Lookup {
                chain: FORWARD,
                key: &[BRIDGE_OUT],
                then: Then::Clamp,
                comment: Some("mss in"),
                ..LOOKUP
            },
        ],
        ..ROW
    },
    Row {
        kind: SetKind::Bridges,
        name: "bridges",
        comment: ["the bridges of guests", ""],
        rule_kind: RuleKind::AdminFromGuest,
        meaning: Meaning::Bridge,
        counts: false,
        lookups: &[
            Lookup {
                chain: FORWARD,
                key: &[BRIDGE_IN],
                then: Then::Goto(GUEST_SENDS),
                comment: Some("what a guest sends"),
                ..LOOKUP
            },
            Lookup {
                chain: FORWARD,
                key: &[BRIDGE_OUT],
                then: Then::Goto(GUEST_RECEIVES),
                comment: Some("what a guest gets"),
                ..LOOKUP
            },
            Lookup {
                chain: GUEST_SENDS,
                key: &[BRIDGE_OUT],
                then: Then::Goto(GUEST_TO_GUEST),
                comment: Some("what a guest sends to a guest"),
                ..LOOKUP
            },
            Lookup {
                chain: BETWEEN,
                key: &[BRIDGE_OUT],
                then: Then::Accept,
                comment: Some("reached without nat"),
                ..LOOKUP
            },
            Lookup {
                chain: INPUT,
                key: &[BRIDGE_IN],
                then: Then::Administrator(AdminChain::Input),
                comment: Some("administrator to the host"),
                ..LOOKUP
            },
        ],
        ..ROW
    },
    Row {
        kind: SetKind::LogCross,
        name: "log_cross",
        comment: ["across a bridge of isolated ports is logged,", ""],
        rule_kind: RuleKind::LogCross,
        meaning: Meaning::Log,
        counts: false,
        lookups: &[Lookup {
            chain: GUEST_TO_GUEST,
            key: &[BRIDGE_IN, BRIDGE_OUT],
            then: Then::Log,
            ..LOOKUP
        }],
        ..ROW
    },
    Row {
        kind: SetKind::RefusedCross,
        name: "refused_cross",
        comment: ["across a bridge of isolated ports, from a", ""],
        rule_kind: RuleKind::RefuseCross,
        meaning: Meaning::Rule(Action::Reject),
        lookups: &[Lookup {
            chain: GUEST_TO_GUEST,
            key: &[BRIDGE_IN, BRIDGE_OUT, SOURCE],
            then: Then::Reject,
            ..LOOKUP
        }],
        ..ROW
    },
    Row {
        kind: SetKind::DroppedCross,
        name: "dropped_cross",
        comment: ["everything else across a bridge of isolated ports", ""],
        rule_kind: RuleKind::RefuseCross,
        meaning: Meaning::Rule(Action::Drop),
        lookups: &[Lookup {
            chain: GUEST_TO_GUEST,
            key: &[BRIDGE_IN, BRIDGE_OUT],
            then: Then::Drop,
            ..LOOKUP
        }],
        ..ROW
    },
    Row {
        kind: SetKind::EstablishedIn,
        name: "established_in",
        comment: ["known flows to guests", ""],
        rule_kind: RuleKind::EstablishedIn,
        state: State::Known,
        counts: false,
        lookups: &[
            Lookup {
                chain: GUEST_TO_GUEST,
                key: &[BRIDGE_OUT, DEVICE_IN],
                then: Then::Accept,
                ..LOOKUP
            },
            Lookup {
                chain: GUEST_RECEIVES,
                key: &[BRIDGE_OUT, DEVICE_IN],
                then: Then::Accept,
                ..LOOKUP
            },
        ],
        ..ROW
    },
    Row {
        kind: SetKind::EstablishedOut,
        name: "established_out",
        comment: ["known flows from guests", ""],
        rule_kind: RuleKind::EstablishedOut,
        state: State::Known,
        counts: false,
        lookups: &[
            Lookup {
                chain: GUEST_TO_GUEST,
                key: &[BRIDGE_IN, DEVICE_OUT],
                then: Then::Accept,
                ..LOOKUP
            },
            Lookup {
                chain: GUEST_SENDS,
                key: &[BRIDGE_IN, DEVICE_OUT],
                then: Then::Accept,
                ..LOOKUP
            },
        ],
        ..ROW
    },
    Row {
        kind: SetKind::Cross,
        name: "cross",
        comment: ["from guest to guest across a bridge", ""],
        lookups: &[Lookup {
            chain: GUEST_TO_GUEST,
            key: &[BRIDGE_IN, BRIDGE_OUT],
            then: Then::Accept,
            ..LOOKUP
        }],
        ..ROW
    },
    Row {
        kind: SetKind::LogInvalid,
        name: "log_invalid",
        comment: ["packets of no connection are logged,", ""],
        rule_kind: RuleKind::LogInvalid,
        meaning: Meaning::Log,
        state: State::None,
        counts: false,
        lookups: &[Lookup {
            chain: FROM_GUEST,
            key: &[BRIDGE_IN],
            then: Then::Log,
            ..LOOKUP
        }],
        ..ROW
    },
    Row {
        kind: SetKind::Invalid,
        name: "invalid",
        comment: ["packets of no connection, which NAT does not see", ""],
        rule_kind: RuleKind::Invalid,
        meaning: Meaning::Rule(Action::Drop),
        state: State::None,
        lookups: &[Lookup {
            chain: FROM_GUEST,
            key: &[BRIDGE_IN],
            then: Then::Drop,
            ..LOOKUP
        }],
        ..ROW
    },
    Row {
        kind: SetKind::Out,
        name: "out",
        comment: ["out of a", ""],
        rule_kind: RuleKind::Out,
        lookups: &[Lookup {
            chain: FROM_GUEST,
            key: &[BRIDGE_IN, DEVICE_OUT, SOURCE],
            then: Then::Return,
            ..LOOKUP
        }],
        ..ROW
    },
    Row {
        kind: SetKind::Answers,
        name: "answers",
        comment: ["answers from forwarded ports", ""],
        rule_kind: RuleKind::ForwardAnswer,
        state: State::Known,
        redirected: true,
        lookups: &[Lookup {
            chain: FROM_GUEST,
            key: &[BRIDGE_IN, SOURCE_HOST, Part::Protocol, SOURCE_PORT],
            then: Then::Return,
            ..LOOKUP
        }],
        ..ROW
    },
    Row {
        kind: SetKind::LogOut,
        name: "log_out",
        comment: ["everything else out is logged,", ""],
        rule_kind: RuleKind::LogOut,
        meaning: Meaning::Log,
        counts: false,
        lookups: &[Lookup {
            chain: FROM_GUEST,
            key: &[BRIDGE_IN],
            then: Then::Log,
            ..LOOKUP
        }],
        ..ROW
    },
    Row {
        kind: SetKind::RefusedOut,
        name: "refused_out",
        comment: ["everything else out of a", ""],
        rule_kind: RuleKind::RefuseOut,
        meaning: Meaning::Rule(Action::Reject),
        lookups: &[Lookup {
            chain: FROM_GUEST,
            key: &[BRIDGE_IN, SOURCE],
            then: Then::Reject,
            ..LOOKUP
        }],
        ..ROW
    },
    Row {
        kind: SetKind::DroppedOut,
        name: "dropped_out",
        comment: ["everything else from guests", ""],
        rule_kind: RuleKind::RefuseOut,
        meaning: Meaning::Rule(Action::Drop),
        lookups: &[Lookup {
            chain: FROM_GUEST,
            key: &[BRIDGE_IN],
            then: Then::Drop,
            ..LOOKUP
        }],
        ..ROW
    },
    Row {
        kind: SetKind::Reply,
        name: "reply",
        comment: ["answers into a", ""],
        rule_kind: RuleKind::In,
        state: State::Known,
        lookups: &[Lookup {
            chain: TO_GUEST,
            key: &[BRIDGE_OUT, DEVICE_IN, DESTINATION],
            then: Then::Accept,
            ..LOOKUP
        }],
        ..ROW
    },
    Row {
        kind: SetKind::In,
        name: "in",
        comment: ["into a", ""],
        rule_kind: RuleKind::In,
        lookups: &[Lookup {
            chain: TO_GUEST,
            key: &[BRIDGE_OUT, DEVICE_IN, DESTINATION],
            then: Then::Accept,
            ..LOOKUP
        }],
        ..ROW
    },
    Row {
        kind: SetKind::Forwarded,
        name: "forwarded",
        comment: ["forwarded ports of guests", ""],
        rule_kind: RuleKind::ForwardIn,
        redirected: true,
        lookups: &[Lookup {
            chain: TO_GUEST,
            key: &[
                BRIDGE_OUT,
                DEVICE_IN,
                DESTINATION_HOST,
                Part::Protocol,
                DESTINATION_PORT,
            ],
            then: Then::Accept,
            ..LOOKUP
        }],
        ..ROW
    },
    Row {
        kind: SetKind::ForwardedGuests,
        name: "forwarded_guests",
        comment: ["forwarded ports of guests, for guests", ""],
        rule_kind: RuleKind::ForwardFromGuest,
        meaning: Meaning::Rule(Action::SenderDecides),
        redirected: true,
        lookups: &[Lookup {
            chain: TO_GUEST,
            from_guests: true,
            key: &[
                BRIDGE_OUT,
                DESTINATION_HOST,
                Part::Protocol,
                DESTINATION_PORT,
            ],
            then: Then::Accept,
            ..LOOKUP
        }],
        ..ROW
    },
    Row {
        kind: SetKind::LogIn,
        name: "log_in",
        comment: ["everything else to guests is logged,", ""],
        rule_kind: RuleKind::LogIn,
        meaning: Meaning::Log,
        counts: false,
        lookups: &[Lookup {
            chain: TO_GUEST,
            key: &[BRIDGE_OUT],
            then: Then::Log,
            ..LOOKUP
        }],
        ..ROW
    },
    Row {
        kind: SetKind::RefusedIn,
        name: "refused_in",
        comment: ["everything else to guests", ""],
        rule_kind: RuleKind::RefuseIn,
        meaning: Meaning::Rule(Action::Reject),
        lookups: &[Lookup {
            chain: TO_GUEST,
            key: &[BRIDGE_OUT],
            then: Then::Reject,
            ..LOOKUP
        }],
        ..ROW
    },
    Row {
        kind: SetKind::Hairpin,
        name: "hairpin",
        comment: ["by a forward within a", ""],
        rule_kind: RuleKind::Hairpin,
        meaning: Meaning::Rule(Action::Masquerade { ports: None }),
        redirected: true,
        counts: false,
        lookups: &[Lookup {
            chain: POSTROUTING,
            key: &[SOURCE, DESTINATION],
            then: Then::Masquerade,
            ..LOOKUP
        }],
        ..ROW
    },
    Row {
        kind: SetKind::OnBridge,
        name: "on_bridge",
        comment: ["on the bridge of a", ": no nat"],
        rule_kind: RuleKind::KeepOnBridge,
        meaning: Meaning::Rule(Action::Return),
        counts: false,
        lookups: &[Lookup {
            chain: POSTROUTING,
            key: &[BRIDGE_OUT, SOURCE],
            then: Then::Return,
            ..LOOKUP
        }],
        ..ROW
    },
    Row {
        kind: SetKind::Same,
        name: "same",
        comment: ["within a", ": no nat"],
        rule_kind: RuleKind::Nat,
        meaning: Meaning::Exemption,
        counts: false,
        lookups: &[Lookup {
            chain: POSTROUTING,
            key: &[SOURCE, DESTINATION],
            then: Then::Return,
            ..LOOKUP
        }],
        ..ROW
    },
    Row {
        kind: SetKind::Between,
        name: "between",
        comment: ["a", ": no nat between networks"],
        rule_kind: RuleKind::KeepBetween,
        meaning: Meaning::Rule(Action::BetweenNetworks),
        counts: false,
        lookups: &[Lookup {
            chain: POSTROUTING,
            key: &[SOURCE],
            then: Then::Jump(BETWEEN),
            ..LOOKUP
        }],
        ..ROW
    },
    Row {
        kind: SetKind::Nat,
        name: "nat",
        comment: ["nat of a", ""],
        rule_kind: RuleKind::Nat,
        meaning: Meaning::Translation,
        lookups: &[Lookup {
            chain: POSTROUTING,
            key: &[DEVICE_OUT, SOURCE],
            then: Then::Translate,
            ..LOOKUP
        }],
        ..ROW
    },
];

impl SetKind {
    /// All kinds, in the order in which packets meet them.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.kind)
    }

    pub(super) fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}

impl Row {
    /// The parts of the set's key, with the device of networks that are bound to one.
    pub(super) fn key(&self) -> &'static [Part] {
        self.lookups.first().map_or(&[], |lookup| lookup.key)
    }

    /// Whether the set's name says that the key has the network's device.
    pub(super) fn may_have_device(&self) -> bool {
        let is_device = |part: &Part| matches!(part, Part::Device(_));
        self.key().iter().any(is_device)
    }

    /// Whether there is a set for each translation.
    pub(super) fn translates(&self) -> bool {
        self.meaning == Meaning::Translation
    }

    /// Whether its sets are maps.
    pub(super) fn redirects(&self) -> bool {
        self.meaning == Meaning::Redirection
    }

    /// Whether there is a set for each segment size.
    pub(super) fn clamps(&self) -> bool {
        self.meaning == Meaning::Clamp
    }

    /// Whether there is a set for each way to log.
    pub(super) fn logs(&self) -> bool {
        self.meaning == Meaning::Log
    }

    /// Whether packets are looked up by their source.
    pub(super) fn is_of_source(&self) -> bool {
        let is_source =
            |part: &Part| matches!(part, Part::Address(End::Source) | Part::Host(End::Source));
        self.key().iter().any(is_source)
    }

    /// Whether the set's name says how long the prefix of its subnets is.
    pub(super) fn has_prefix(&self) -> bool {
        let is_address = |part: &Part| matches!(part, Part::Address(_));
        self.key().iter().any(is_address)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::layout::omission;

    #[test]
    fn each_kind_has_one_row_at_its_place_and_a_name_of_its_own() {
        let mut names = HashSet::new();
        for (place, row) in TABLE.iter().enumerate() {
            assert_eq!(row.kind as usize, place, "{:?}", row.kind);
            assert!(names.insert(row.name), "{:?}", row.kind);
            assert!(!row.lookups.is_empty(), "{:?}", row.kind);
        }
        // `Nat` is the last kind.
        assert_eq!(TABLE.len(), SetKind::Nat as usize + 1);
    }

    #[test]
    fn each_kind_of_rule_that_nf_tables_has_is_in_a_set_or_shared_by_all() {
        let mut shared = palisade_core::rules::UNTRANSLATED
            .map(|(kind, _)| kind)
            .to_vec();
        // One element stands for all rules that a bridge has as such, one for both of a clamp.
        shared.extend([
            RuleKind::ClampIn,
            RuleKind::AdminToGuest,
            RuleKind::AdminInput,
            RuleKind::BetweenNetworks,
        ]);
        for kind in RuleKind::all().filter(|kind| omission(*kind).is_none()) {
            let is_in_set = TABLE.iter().any(|row| row.rule_kind == kind);
            assert_ne!(is_in_set, shared.contains(&kind), "{kind}");
        }
    }
}
