//! The places at which packets are looked up: sets, and the rules that ask them.

use palisade_core::network::{AddressRange, Family, PortRange};
use palisade_core::rules::{Action, Protocol};

use super::super::{Place, flat};
use crate::object::{Counter, DataType, Expression, Rule, Set, Userdata, Verdict};
use crate::statement::{self, Direction, End, Field, Statement};

/// The base chain of forwarded packets.
pub(super) const FORWARD: &str = "guests_forward";
/// The base chain in which sources are translated.
pub(super) const POSTROUTING: &str = "guests_postrouting";
/// What a guest may send.
pub(super) const FROM_GUEST: &str = "from_guest";
/// What a guest may get.
pub(super) const TO_GUEST: &str = "to_guest";

/// A place at which packets are looked up. The order is that in which packets meet them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// To a bridge, in flows that are known, before all else.
    EstablishedIn {
        /// Only through the network's device.
        via: bool,
    },
    /// From a bridge, in flows that are known, before all else.
    EstablishedOut {
        /// Only through the network's device.
        via: bool,
    },
    /// From guest to guest across the bridge.
    Cross,
    /// Whether a bridge is one of ours.
    Bridges,
    /// Out of a subnet.
    Out {
        /// Only through the network's device.
        via: bool,
        /// The length of the subnet's prefix.
        prefix: u8,
    },
    /// From a bridge, but from no subnet of its own.
    RefusedOut,
    /// Into a subnet, in flows that are known.
    Reply {
        /// Only through the network's device.
        via: bool,
        /// The length of the subnet's prefix.
        prefix: u8,
    },
    /// Into a subnet, whatever the flow.
    In {
        /// Only through the network's device.
        via: bool,
        /// The length of the subnet's prefix.
        prefix: u8,
    },
    /// To a bridge, but not let in.
    RefusedIn,
    /// Within one subnet: not translated.
    Same {
        /// The length of the subnet's prefix.
        prefix: u8,
    },
    /// From a subnet that is translated.
    Nat {
        /// How.
        kind: Kind,
        /// Only through the network's device.
        via: bool,
        /// The length of the subnet's prefix.
        prefix: u8,
    },
}

/// A kind of NAT: what networks share that translate alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// The addresses to use, instead of the outgoing device's.
    pub addresses: Option<AddressRange>,
    /// The ports of tcp and udp.
    pub ports: PortRange,
}

/// A part of a set's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The network's bridge, where the packet passes it in this direction.
    Bridge(Direction),
    /// The network's device.
    Device(Direction),
    /// The first bits of an address.
    Address(End, u8),
}

impl Shape {
    /// The name of its set.
    #[must_use]
    pub fn name(&self) -> String {
        let through = |via: bool| if via { "_via" } else { "" };
        match *self {
            Self::EstablishedIn { via } => format!("established_in{}", through(via)),
            Self::EstablishedOut { via } => format!("established_out{}", through(via)),
            Self::Cross => "cross".to_owned(),
            Self::Bridges => "bridges".to_owned(),
            Self::Out { via, prefix } => format!("out{}_{prefix}", through(via)),
            Self::RefusedOut => "refused_out".to_owned(),
            Self::Reply { via, prefix } => format!("reply{}_{prefix}", through(via)),
            Self::In { via, prefix } => format!("in{}_{prefix}", through(via)),
            Self::RefusedIn => "refused_in".to_owned(),
            Self::Same { prefix } => format!("same_{prefix}"),
            Self::Nat { kind, via, prefix } => {
                format!("nat{}_{prefix}_{}", through(via), kind.name())
            }
        }
    }

    /// The shape whose set has this name: the inverse of [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let (word, rest) = name.split_once('_').unwrap_or((name, ""));
        let (via, rest) = match rest.strip_prefix("via_") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let (prefix, kind) = rest.split_once('_').unwrap_or((rest, ""));
        let prefix = prefix.parse().unwrap_or_default();
        let shape = match word {
            "established" => {
                let via = rest.ends_with("_via");
                if rest.starts_with("in") {
                    Self::EstablishedIn { via }
                } else {
                    Self::EstablishedOut { via }
                }
            }
            "cross" => Self::Cross,
            "bridges" => Self::Bridges,
            "refused" if rest == "out" => Self::RefusedOut,
            "refused" => Self::RefusedIn,
            "out" => Self::Out { via, prefix },
            "reply" => Self::Reply { via, prefix },
            "in" => Self::In { via, prefix },
            "same" => Self::Same { prefix },
            "nat" => Self::Nat {
                kind: Kind::from_name(kind)?,
                via,
                prefix,
            },
            _ => return None,
        };
        // Whatever else the name says is seen here.
        (shape.name() == name).then_some(shape)
    }

    /// The kind of NAT, where it is about that.
    pub(super) fn kind(&self) -> Option<Kind> {
        match self {
            Self::Nat { kind, .. } => Some(*kind),
            _ => None,
        }
    }

    /// What its keys are made of.
    pub(super) fn parts(&self) -> impl Iterator<Item = Part> + use<> {
        use Direction::{In, Out};
        let device = |via: bool, direction| via.then_some(Part::Device(direction));
        let source = |prefix| Some(Part::Address(End::Source, prefix));
        let destination = |prefix| Some(Part::Address(End::Destination, prefix));
        let parts = match *self {
            Self::EstablishedIn { via } => [Some(Part::Bridge(Out)), device(via, In), None],
            Self::EstablishedOut { via } => [Some(Part::Bridge(In)), device(via, Out), None],
            Self::Cross => [Some(Part::Bridge(In)), Some(Part::Bridge(Out)), None],
            Self::Bridges | Self::RefusedOut => [Some(Part::Bridge(In)), None, None],
            Self::RefusedIn => [Some(Part::Bridge(Out)), None, None],
            Self::Out { via, prefix } => [Some(Part::Bridge(In)), device(via, Out), source(prefix)],
            Self::Reply { via, prefix } | Self::In { via, prefix } => [
                Some(Part::Bridge(Out)),
                device(via, In),
                destination(prefix),
            ],
            Self::Same { prefix } => [source(prefix), destination(prefix), None],
            Self::Nat { via, prefix, .. } => [device(via, Out), source(prefix), None],
        };
        parts.into_iter().flatten()
    }

    fn types(&self, family: Family) -> Vec<DataType> {
        let address = match family {
            Family::Ipv4 => DataType::IPV4_ADDR,
            Family::Ipv6 => DataType::IPV6_ADDR,
        };
        let data_type = |part| match part {
            Part::Bridge(_) | Part::Device(_) => DataType::IFNAME,
            Part::Address(_, _) => address,
        };
        self.parts().map(data_type).collect()
    }

    /// The type of its set's keys.
    #[must_use]
    pub fn key_type(&self, family: Family) -> DataType {
        DataType::concatenation(&self.types(family))
    }

    /// Its set. Elements count what they decide on; those that only lead on do not, nor those of
    /// known flows: counting would cost what they save.
    pub(super) fn set(&self, place: Place<'_>) -> Set {
        let types = self.types(place.family);
        // A concatenation has no byte order of its own.
        let host_endian = match types.as_slice() {
            [one] => Some(*one == DataType::IFNAME),
            _ => None,
        };
        let counts = !matches!(
            self,
            Self::EstablishedIn { .. }
                | Self::EstablishedOut { .. }
                | Self::Bridges
                | Self::Same { .. }
        );
        Set {
            family: place.family(),
            table: place.table.to_string(),
            name: self.name(),
            id: None,
            flags: 0,
            key_type: DataType::concatenation(&types),
            key_len: types.iter().filter_map(|part| part.size()).sum(),
            data: None,
            expressions: if counts {
                vec![Expression::Counter(Counter::default())]
            } else {
                Vec::new()
            },
            userdata: Userdata::of_set(host_endian, &self.comment()),
            handle: None,
            extra: Vec::new(),
        }
    }

    /// What its elements are, for people.
    pub(super) fn comment(&self) -> String {
        let through = |via: bool| {
            if via {
                " through the network's device"
            } else {
                ""
            }
        };
        match self {
            Self::EstablishedIn { via } => format!("known flows to guests{}", through(*via)),
            Self::EstablishedOut { via } => format!("known flows from guests{}", through(*via)),
            Self::Cross => "from guest to guest across a bridge".to_owned(),
            Self::Bridges => "the bridges of guests".to_owned(),
            Self::Out { via, prefix } => format!("out of a /{prefix}{}", through(*via)),
            Self::RefusedOut => "everything else from guests".to_owned(),
            Self::Reply { via, prefix } => format!("answers into a /{prefix}{}", through(*via)),
            Self::In { via, prefix } => format!("into a /{prefix}{}", through(*via)),
            Self::RefusedIn => "everything else to guests".to_owned(),
            Self::Same { prefix } => format!("within a /{prefix}: no nat"),
            Self::Nat { kind, via, prefix } => {
                format!("nat of a /{prefix}{} {}", through(*via), kind.words())
            }
        }
    }

    /// The rule that asks its set. `ct state` comes before the look-up: a counting set counts what
    /// it finds, also if a later statement breaks the rule off.
    pub(super) fn rule(&self, place: Place<'_>) -> Rule {
        let accept = Statement::Verdict(Verdict::Accept);
        let back = || Statement::Verdict(Verdict::Return);
        let refuse = Statement::Reject(statement::port_unreachable(place.family()));
        let (chain, action) = match self {
            Self::EstablishedIn { .. }
            | Self::EstablishedOut { .. }
            | Self::Cross
            | Self::Bridges => (FORWARD, accept),
            Self::Out { .. } => (FROM_GUEST, back()),
            Self::RefusedOut => (FROM_GUEST, refuse),
            Self::Reply { .. } | Self::In { .. } => (TO_GUEST, accept),
            Self::RefusedIn => (TO_GUEST, refuse),
            Self::Same { .. } => (POSTROUTING, back()),
            Self::Nat { kind, .. } => {
                (POSTROUTING, Statement::Verdict(Verdict::Goto(kind.chain())))
            }
        };
        let asks = matches!(
            self,
            Self::EstablishedIn { .. } | Self::EstablishedOut { .. } | Self::Reply { .. }
        );
        let known = asks.then(statement::known_flow);
        let lookup = statement::in_set(self.fields(place), &self.name());
        let statements: Vec<Statement> = known.into_iter().chain([lookup, action]).collect();
        place.rule(chain, &statements, &format!("palisade: {}", self.comment()))
    }

    fn fields(&self, place: Place<'_>) -> Vec<Field> {
        let field = |part| match part {
            Part::Bridge(direction) | Part::Device(direction) => {
                statement::interface_field(direction)
            }
            Part::Address(end, prefix) => statement::address_field(place.family(), end, prefix),
        };
        self.parts().map(field).collect()
    }
}

impl Kind {
    /// The kind that a network's rules for NAT are of; told by one of them, the one for tcp.
    pub(super) fn of(rule: &palisade_core::rules::Rule) -> Option<Self> {
        match (rule.matches.protocol, rule.action) {
            (Some(Protocol::Tcp), Action::Masquerade { ports: Some(ports) }) => Some(Self {
                addresses: None,
                ports,
            }),
            (
                Some(Protocol::Tcp),
                Action::Snat {
                    addresses,
                    ports: Some(ports),
                },
            ) => Some(Self {
                addresses: Some(addresses),
                ports,
            }),
            _ => None,
        }
    }

    /// What the kind does to tcp and udp, or to other protocols, which have no ports.
    pub(super) fn action(self, has_ports: bool) -> Action {
        let ports = has_ports.then_some(self.ports);
        match self.addresses {
            None => Action::Masquerade { ports },
            Some(addresses) => Action::Snat { addresses, ports },
        }
    }

    /// Part of names: what tells it from other kinds.
    fn name(self) -> String {
        match self.addresses {
            None => self.ports.to_string(),
            Some(addresses) => format!("{addresses}_{}", self.ports),
        }
    }

    /// The inverse of [`name`](Self::name).
    fn from_name(name: &str) -> Option<Self> {
        let (addresses, ports) = match name.split_once('_') {
            Some((addresses, ports)) => (Some(addresses), ports),
            None => (None, name),
        };
        let ends = |text| <str>::split_once(text, '-').unwrap_or((text, text));
        let (start, end) = ends(ports);
        let ports = PortRange::new(start.parse().ok()?, end.parse().ok()?).ok()?;
        let addresses = match addresses.map(ends) {
            Some((start, end)) => {
                Some(AddressRange::new(start.parse().ok()?, end.parse().ok()?).ok()?)
            }
            None => None,
        };
        Some(Self { addresses, ports })
    }

    /// The kind whose chain has this name.
    pub(super) fn from_chain(name: &str) -> Option<Self> {
        let kind = Self::from_name(name.strip_prefix("nat_")?)?;
        (kind.chain() == name).then_some(kind)
    }

    fn words(self) -> String {
        match self.addresses {
            None => format!("to :{}", self.ports),
            Some(addresses) => format!("to {addresses}:{}", self.ports),
        }
    }

    /// The chain of what is done to its packets.
    pub(super) fn chain(self) -> String {
        format!("nat_{}", self.name())
    }

    /// The rules of its chain. They have no counters: the elements that lead here have.
    pub(super) fn rules(self, place: Place<'_>) -> Vec<Rule> {
        let translate = |protocol: Option<Protocol>| {
            let matching = protocol.map(statement::protocol);
            let action = flat::action(place, self.action(protocol.is_some()));
            let statements: Vec<Statement> = matching.into_iter().chain([action]).collect();
            let what = protocol.map_or("other protocols".to_owned(), |p| p.to_string());
            place.rule(
                &self.chain(),
                &statements,
                &format!("palisade: nat, {what}"),
            )
        };
        [Some(Protocol::Tcp), Some(Protocol::Udp), None]
            .map(translate)
            .into()
    }
}
