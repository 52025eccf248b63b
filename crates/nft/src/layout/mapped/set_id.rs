//! The sets that there are: a kind and its parameters.

use std::fmt::Write;

use palisade_core::network::{Family, LogRefused, MssClamp};
use palisade_core::rules::{Action, Protocol, RefusalLog, RuleKind, Translation};

use super::super::action;
use super::super::admin;
use super::super::mark::SKELETON;
use super::super::table_ref::TableRef;
use super::clamp;
use super::log;
use super::nat;
use super::set_kind::{Lookup, Meaning, Part, Row, SetKind, State, Then};
use crate::object::{Counter, DataType, Expression, Rule, Set, SetData, Userdata, Verdict};
use crate::statement::{self, Direction, Field, Redirect, Statement};

/// `NFT_SET_MAP`.
const MAP: u32 = 8;

/// A set, whatever the table. Sets are in the order in which packets meet the rules that look them
/// up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SetId {
    pub(super) kind: SetKind,
    /// How sources are translated, for sets of NAT.
    pub(super) nat: Option<Translation>,
    /// The segment size that connections announce, for sets of that.
    pub(super) clamp: Option<MssClamp>,
    /// Where to and how many packets are logged, for sets of that.
    pub(super) log: Option<LogRefused>,
    /// Whether packets are looked up by the network's device too.
    pub(super) via: bool,
    /// The length of the prefix of the subnets in the set, if it holds subnets.
    pub(super) prefix: Option<u8>,
}

impl SetId {
    /// The name of the set.
    #[must_use]
    pub fn name(&self) -> String {
        let mut name = self.row().name.to_owned();
        if self.via {
            name.push_str("_via");
        }
        // Writing into memory does not fail.
        if let Some(prefix) = self.prefix {
            let _ = write!(name, "_{prefix}");
        }
        if let Some(nat) = self.nat {
            let _ = write!(name, "_{}", nat::name(nat));
        }
        if let Some(clamp) = self.clamp {
            let _ = write!(name, "_{}", clamp::name(clamp));
        }
        if let Some(log) = self.log {
            let _ = write!(name, "_{}", log::name(log));
        }
        name
    }

    /// The set that a set of a dump is, in a table of palisade's.
    #[must_use]
    pub fn of(set: &Set) -> Option<Self> {
        Self::from_name(&set.name)
    }

    /// The set of this name: the inverse of [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        SetKind::all().find_map(|kind| Self::read(kind, name))
    }

    fn read(kind: SetKind, name: &str) -> Option<Self> {
        let row = kind.row();
        let rest = name.strip_prefix(row.name)?;
        let (via, rest) = match rest.strip_prefix("_via") {
            Some(rest) => (row.may_have_device(), rest),
            None => (false, rest),
        };
        let rest = rest.strip_prefix('_').unwrap_or(rest);
        let (prefix, nat) = rest.split_once('_').unwrap_or((rest, ""));
        let id = Self {
            kind,
            nat: nat::from_name(nat),
            clamp: row.clamps().then(|| clamp::from_name(rest)).flatten(),
            log: row.logs().then(|| log::from_name(rest)).flatten(),
            via,
            prefix: prefix.parse().ok().filter(|_| !row.clamps()),
        };
        let has_its_parameters = id.prefix.is_some() == row.has_prefix()
            && id.nat.is_some() == row.translates()
            && id.clamp.is_some() == row.clamps()
            && id.log.is_some() == row.logs();
        // Whatever else the name says is seen here.
        (has_its_parameters && id.name() == name).then_some(id)
    }

    pub(super) fn row(&self) -> &'static Row {
        self.kind.row()
    }

    /// Whether an element decides something for its network. Others only lead packets on.
    #[must_use]
    pub(crate) fn decides(&self) -> bool {
        matches!(
            self.row().meaning,
            Meaning::Rule(_) | Meaning::Translation | Meaning::Clamp | Meaning::Log
        )
    }

    /// The kind of the rules that the set's elements are made of.
    #[must_use]
    pub(crate) fn rule_kind(&self) -> RuleKind {
        self.row().rule_kind
    }

    /// The parts of a key that a set with these parameters has.
    pub(super) fn parts(&self, key: &'static [Part]) -> impl Iterator<Item = Part> + use<> {
        let via = self.via;
        let is_there = move |part: &Part| via || !matches!(part, Part::Device(_));
        key.iter().copied().filter(is_there)
    }

    fn types(&self, family: Family) -> impl Iterator<Item = DataType> + use<> {
        let address = address(family);
        let data_type = move |part| match part {
            Part::Bridge(_) | Part::Device(_) => DataType::IFNAME,
            Part::Address(_) | Part::Host(_) => address,
            Part::Protocol => DataType::INET_PROTO,
            Part::Port(_) => DataType::INET_SERVICE,
        };
        self.parts(self.row().key()).map(data_type)
    }

    /// The type of the set's keys.
    #[must_use]
    pub fn key_type(&self, family: Family) -> DataType {
        let types = self.types(family);
        types.fold(DataType::default(), |all, part| {
            DataType::concatenation(&[all, part])
        })
    }

    /// What elements lead to: an address and a port.
    fn data(&self, family: Family) -> Option<SetData> {
        let parts = [address(family), DataType::INET_SERVICE];
        self.row().redirects().then(|| SetData {
            data_type: DataType::concatenation(&parts),
            len: len(&parts),
        })
    }

    /// How long keys are in bytes.
    pub(crate) fn key_len(&self, family: Family) -> usize {
        let types: Vec<DataType> = self.types(family).collect();
        usize::try_from(len(&types)).unwrap_or_default()
    }

    /// The set in a table.
    pub(super) fn set(&self, table: TableRef<'_>) -> Set {
        let types: Vec<DataType> = self.types(table.family).collect();
        // A concatenation has no byte order of its own.
        let host_endian = match types.as_slice() {
            [one] => Some(*one == DataType::IFNAME),
            _ => None,
        };
        Set {
            family: table.family(),
            table: table.table.to_string(),
            name: self.name(),
            id: None,
            flags: if self.row().redirects() { MAP } else { 0 },
            key_type: DataType::concatenation(&types),
            key_len: len(&types),
            data: self.data(table.family),
            expressions: match self.log {
                // Each network has a rate of its own.
                Some(log) => vec![Expression::Limit(super::super::log::limit(log))],
                None if self.row().counts => vec![Expression::Counter(Counter::default())],
                None => Vec::new(),
            },
            userdata: Userdata::of_set(host_endian, &self.comment()),
            handle: None,
            extra: Vec::new(),
        }
    }

    /// What its elements are, for people.
    fn comment(&self) -> String {
        let [before, after] = self.row().comment;
        let mut comment = before.to_owned();
        if let Some(prefix) = self.prefix {
            let _ = write!(comment, " /{prefix}");
        }
        if self.via {
            comment.push_str(" through the network's device");
        }
        comment.push_str(after);
        if let Some(nat) = self.nat {
            let _ = write!(comment, " {}", nat::words(nat));
        }
        if let Some(clamp) = self.clamp {
            let _ = write!(comment, " {clamp}");
        }
        if let Some(log) = self.log {
            // A comment cannot hold the quotes around a prefix.
            let _ = write!(comment, " {}", log.to_string().replace('"', "'"));
        }
        comment
    }

    /// The rules that look packets up in the set.
    pub(super) fn rules(&self, table: TableRef<'_>) -> impl Iterator<Item = Rule> {
        let lookups = self.row().lookups.iter();
        lookups.map(move |lookup| self.rule(table, lookup))
    }

    /// `ct state` comes before the look-up: a counting set counts what it finds, also if a later
    /// statement ends the rule.
    fn rule(&self, table: TableRef<'_>, lookup: &Lookup) -> Rule {
        let row = self.row();
        let state = match row.state {
            State::Any => None,
            State::Known => Some(statement::known_flow()),
            State::None => Some(statement::no_flow()),
        };
        let first = [
            state,
            row.redirected.then(statement::redirected),
            row.to_host.then(statement::goes_to_host),
            lookup.from_guests.then(|| {
                let bridge = statement::interface_field(Direction::In);
                statement::in_set(vec![bridge], SetKind::Bridges.row().name)
            }),
        ];
        let fields = self.fields(table, lookup.key);
        let found = match lookup.then {
            Then::Redirect => Statement::Redirect(Redirect {
                family: table.family(),
                fields,
                map: self.name(),
            }),
            _ => statement::in_set(fields, &self.name()),
        };
        let opens = self.row().clamps().then(|| {
            let tcp = statement::protocol(Protocol::Tcp);
            [tcp, statement::opens_connection()]
        });
        let statements: Vec<Statement> = first
            .into_iter()
            .flatten()
            .chain(opens.into_iter().flatten())
            .chain([found])
            .chain(self.then(table, lookup.then))
            .collect();
        let comment = match lookup.comment {
            Some(comment) => format!("{SKELETON}{comment}"),
            None => format!("{SKELETON}{}", self.comment()),
        };
        table.rule(lookup.chain, &statements, &comment)
    }

    fn then(&self, table: TableRef<'_>, then: Then) -> Option<Statement> {
        Some(Statement::Verdict(match then {
            Then::Accept => Verdict::Accept,
            Then::Return => Verdict::Return,
            Then::Jump(chain) => Verdict::Jump(chain.to_owned()),
            Then::Goto(chain) => Verdict::Goto(chain.to_owned()),
            Then::Administrator(chain) => Verdict::Jump(admin::name(chain).to_owned()),
            Then::Clamp => return self.clamp.map(action::clamp),
            Then::Log => {
                let log = RefusalLog::of(self.rule_kind(), self.log?)?;
                return action::action(table, Action::Log(log));
            }
            Then::Drop => Verdict::Drop,
            Then::Redirect => return None,
            Then::Masquerade => {
                return action::action(table, Action::Masquerade { ports: None });
            }
            Then::Translate => Verdict::Goto(nat::chain(self.nat?)),
            Then::Reject => {
                let answer = statement::port_unreachable(table.family());
                return Some(Statement::Reject(answer));
            }
        }))
    }

    fn fields(&self, table: TableRef<'_>, key: &'static [Part]) -> Vec<Field> {
        let prefix = self.prefix.unwrap_or_default();
        let field = |part| match part {
            Part::Bridge(direction) | Part::Device(direction) => {
                statement::interface_field(direction)
            }
            Part::Address(end) => statement::address_field(table.family(), end, prefix),
            Part::Host(end) => statement::whole_address_field(table.family(), end),
            Part::Protocol => statement::protocol_field(),
            Part::Port(end) => statement::port_field(end),
        };
        self.parts(key).map(field).collect()
    }
}

fn address(family: Family) -> DataType {
    match family {
        Family::Ipv4 => DataType::IPV4_ADDR,
        Family::Ipv6 => DataType::IPV6_ADDR,
    }
}

/// How long values of these types are one behind another: each begins in a register of its own.
fn len(types: &[DataType]) -> u32 {
    let sizes = types.iter().filter_map(|part| part.size());
    sizes.map(|size| size.next_multiple_of(4)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for name in [
            "log_spoofed_10-second",
            "log_out_3-minute_group-5",
            "log_in_1-day_prefix-6c61623a20",
            "log_in_1-day_group-0_prefix-6c61623a20",
            "mss_mtu",
            "mss_1400",
            "established_in",
            "established_out_via",
            "cross",
            "bridges",
            "out_24",
            "out_via_64",
            "refused_out_24",
            "dropped_out",
            "spoofed",
            "invalid",
            "on_bridge_24",
            "refused_cross_64",
            "forward_at",
            "forward_at_from_24",
            "forward_any",
            "forward_any_from_32",
            "forwarded",
            "forwarded_via",
            "forwarded_guests",
            "answers",
            "hairpin_24",
            "reply_24",
            "in_via_8",
            "refused_in",
            "same_24",
            "between_24",
            "nat_24_1024-65535",
            "nat_via_24_10.0.0.1-10.0.0.9_1024-65535",
        ] {
            let id = SetId::from_name(name);
            assert_eq!(id.map(|id| id.name()).as_deref(), Some(name));
        }
        for name in [
            "",
            "log_out",
            "log_out_24",
            "log_out_0-second",
            "log_out_10-second_group-05",
            "log_out_10-second_prefix-6C",
            "log_out_10-second_prefix-6",
            "mss",
            "mss_24_",
            "mss_80",
            "cross_via",
            "cross_24",
            "out",
            "out_via",
            "out_024",
            "out_24_1024-65535",
            "established_in_24",
            "established_in_via_24",
            "nat_24",
            "nat_24_65535-1024",
            "natter_24_1024-65535",
            "refused",
            "refused_out",
            "dropped_out_24",
            "transaction",
        ] {
            assert_eq!(SetId::from_name(name), None, "{name}");
        }
    }
}
