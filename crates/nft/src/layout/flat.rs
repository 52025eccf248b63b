//! `flat`: libvirt's chains and rules, one for one.
//!
//! Every rule goes to the head of its chain when it is added, so that packets meet the rules in
//! the reverse of the order of issue, and a later network's above an earlier one's.

use std::net::IpAddr;

use ipnet::IpNet;
use palisade_core::network::{AddressRange, InterfaceName, PortRange, Subnet};
use palisade_core::rules::{
    self, Action, Destination, Matches, Protocol, Role, RuleKind, UNTRANSLATED,
};

use super::omission::omission;
use super::skeleton::Skeleton;
use super::table_ref::{FILTER, SRCNAT, TableRef, base};
use crate::object::{
    Chain, Comparison, ConntrackKey, Counter, Hook, MetaKey, NatKind, Rule, Verdict,
};
use crate::statement::{self, Direction, End, Match, Origin, Statement, Test, To, Translate};

/// The chain of the rules for a role.
fn chain(role: Role) -> &'static str {
    match role {
        Role::GuestCross => "guest_cross",
        Role::GuestInput => "guest_input",
        Role::GuestNat => "guest_nat",
        // Others have no place in nf_tables: `super::omission` keeps them away.
        Role::GuestOutput | Role::HostInput | Role::HostOutput | Role::Mangle => "guest_output",
    }
}

/// The role whose rules are in a chain.
pub(crate) fn role(chain: &str) -> Option<Role> {
    let roles = [
        Role::GuestCross,
        Role::GuestInput,
        Role::GuestOutput,
        Role::GuestNat,
    ];
    roles.into_iter().find(|&role| self::chain(role) == chain)
}

/// The base chain from which forwarded packets are sent to the chains of guests.
const FORWARD: &str = "forward";

/// Whether a chain of this name belongs to this layout.
pub(super) fn has_chain(name: &str) -> bool {
    name == FORWARD || role(name).is_some()
}

pub(super) fn skeleton(table: TableRef<'_>) -> Skeleton {
    let plain = |role, comment| table.chain(chain(role), None, comment);
    let chains: Vec<Chain> = vec![
        table.chain(
            FORWARD,
            Some(base("filter", Hook::FORWARD, FILTER)),
            "forwarded packets",
        ),
        plain(Role::GuestOutput, "from a guest to elsewhere"),
        plain(Role::GuestInput, "from elsewhere to a guest"),
        plain(Role::GuestCross, "from guest to guest across the bridge"),
        table.chain(
            chain(Role::GuestNat),
            Some(base("nat", Hook::POSTROUTING, SRCNAT)),
            "from a guest, leaving with another address",
        ),
    ];
    let jump = |role, comment| {
        let verdict = Verdict::Jump(chain(role).to_owned());
        let statements = [
            Statement::Counter(Counter::default()),
            Statement::Verdict(verdict),
        ];
        table.rule(FORWARD, &statements, comment)
    };
    let rules = vec![
        jump(Role::GuestCross, "palisade: first, guest to guest"),
        jump(Role::GuestInput, "palisade: then to guests"),
        jump(Role::GuestOutput, "palisade: then from guests"),
    ];
    Skeleton {
        chains,
        sets: Vec::new(),
        rules,
    }
}

/// The rule as it stands in its chain: matches in libvirt's order, a counter, the action.
pub(super) fn rule(table: TableRef<'_>, rule: &rules::Rule) -> Rule {
    let mut statements = matches(table, rule);
    statements.push(Statement::Counter(Counter::default()));
    statements.push(action(table, rule.action));
    // nft reads back 127 bytes of a comment, and the longest name leaves 45 of them.
    table.rule(chain(rule.role()), &statements, &rule.tag())
}

/// The rule of a network that a rule of a table stands for: the inverse of [`rule`]. None if it is
/// not exactly one that this layout makes.
pub(super) fn read(table: TableRef<'_>, found: &Rule) -> Option<rules::Rule> {
    let (owner, mut kinds) = rules::untag(found.userdata.text()?)?;
    let mut read = rules::Rule {
        owner,
        kind: kinds.find(|kind| omission(*kind).is_none() && chain(kind.role()) == found.chain)?,
        layer: table.family.into(),
        matches: Matches::default(),
        action: Action::Return,
    };
    for statement in statement::statements(&found.expressions) {
        match statement {
            Statement::Match(matching) => read_match(table, &matching, &mut read.matches)?,
            Statement::Counter(_) => {}
            other => read.action = read_action(&other)?,
        }
    }
    // What could not be told apart above (the order, what stands twice) is seen here.
    let made = rule(table, &read);
    (format!("{made:#}") == format!("{found:#}")).then_some(read)
}

fn read_match(table: TableRef<'_>, matching: &Match, into: &mut Matches) -> Option<()> {
    let ([field], Test::Compare(operator, value)) = (matching.fields.as_slice(), &matching.test)
    else {
        return None;
    };
    match field.origin {
        Origin::Meta(MetaKey::IIFNAME) => into.in_interface = Some(read_name(value)?),
        Origin::Meta(MetaKey::OIFNAME) => into.out_interface = Some(read_name(value)?),
        Origin::Meta(MetaKey::L4PROTO) => {
            let number = |protocol: &Protocol| value.as_slice() == [protocol.number()];
            into.protocol = Some(Protocol::ALL.into_iter().find(number)?);
        }
        Origin::Conntrack(ConntrackKey::STATE) => into.known_flow = true,
        _ => {
            let (end, address, prefix) = field.prefix(table.family(), value)?;
            let net = IpNet::new(address, prefix).ok()?;
            let subnet = || Subnet::new(address, prefix).ok();
            match (end, operator) {
                (End::Source, _) => into.source = Some(subnet()?),
                (End::Destination, Comparison::NotEqual) => {
                    into.destination = Some(Destination::NotIn(subnet()?));
                }
                (End::Destination, _) => {
                    let mut named = UNTRANSLATED.into_iter().map(|(_, destination)| destination);
                    let named = named.find(|named| named.net(table.family) == net);
                    into.destination = named.or_else(|| subnet().map(Destination::In));
                    into.destination?;
                }
            }
        }
    }
    Some(())
}

fn read_name(value: &[u8]) -> Option<InterfaceName> {
    let end = value.iter().position(|&byte| byte == 0)?;
    std::str::from_utf8(&value[..end]).ok()?.parse().ok()
}

fn read_action(statement: &Statement) -> Option<Action> {
    let Statement::Translate(Translate { to, ports, .. }) = statement else {
        return match statement {
            Statement::Verdict(Verdict::Accept) => Some(Action::Accept),
            Statement::Verdict(Verdict::Return) => Some(Action::Return),
            Statement::Reject(_) => Some(Action::Reject),
            _ => None,
        };
    };
    let ports = match ports {
        Some((start, end)) => Some(PortRange::new(*start, *end).ok()?),
        None => None,
    };
    match to {
        To::OutgoingDevice => Some(Action::Masquerade { ports }),
        To::Addresses {
            range: Some((IpAddr::V4(start), IpAddr::V4(end))),
            ..
        } => Some(Action::Snat {
            addresses: AddressRange::new(*start, *end).ok()?,
            ports,
        }),
        To::Addresses { .. } => None,
    }
}

/// `ip saddr N iifname B oifname D` and its like, each purpose in libvirt's order.
fn matches(table: TableRef<'_>, rule: &rules::Rule) -> Vec<Statement> {
    let Matches {
        in_interface,
        out_interface,
        source,
        destination,
        protocol,
        destination_port: _, // Only rules that `super::omission` keeps away ask for it.
        known_flow,
    } = &rule.matches;
    let interface = |direction, name: &Option<_>| {
        name.as_ref()
            .map(|name| statement::interface(direction, name))
    };
    let incoming = interface(Direction::In, in_interface);
    let outgoing = interface(Direction::Out, out_interface);
    let source = source.map(|s| statement::address(End::Source, Comparison::Equal, s.net()));
    let destination = destination.map(|destination| self::destination(table, destination));
    let protocol = protocol.map(statement::protocol);
    let known = known_flow.then(statement::known_flow);
    let in_order = match rule.kind {
        RuleKind::In if !known_flow => [destination, incoming, outgoing, None, None, None],
        RuleKind::In => [incoming, outgoing, destination, known, None, None],
        RuleKind::KeepBroadcast | RuleKind::KeepMulticast => {
            [outgoing, source, destination, None, None, None]
        }
        RuleKind::Nat => [protocol, source, destination, outgoing, None, None],
        _ => [source, incoming, outgoing, destination, protocol, known],
    };
    in_order.into_iter().flatten().collect()
}

fn destination(table: TableRef<'_>, destination: Destination) -> Statement {
    let operator = match destination {
        Destination::NotIn(_) => Comparison::NotEqual,
        _ => Comparison::Equal,
    };
    let net = destination.net(table.family);
    statement::address(End::Destination, operator, net)
}

/// What a rule does, in nft's words.
pub(super) fn action(table: TableRef<'_>, action: Action) -> Statement {
    match action {
        Action::Accept | Action::FillChecksum => Statement::Verdict(Verdict::Accept),
        Action::Return => Statement::Verdict(Verdict::Return),
        Action::Reject => Statement::Reject(statement::port_unreachable(table.family())),
        Action::Masquerade { ports } => Statement::Translate(Translate {
            to: To::OutgoingDevice,
            ports: ports.map(|ports| (ports.start(), ports.end())),
            flags: 0,
        }),
        Action::Snat { addresses, ports } => Statement::Translate(Translate {
            to: To::Addresses {
                kind: NatKind::Source,
                family: table.family(),
                range: Some((addresses.start().into(), addresses.end().into())),
            },
            ports: ports.map(|ports| (ports.start(), ports.end())),
            flags: 0,
        }),
    }
}
