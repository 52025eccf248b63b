//! `flat`: libvirt's chains and rules, one for one.
//!
//! Every rule goes to the head of its chain when it is added, so that packets meet the rules in
//! the reverse of the order of issue, and a later network's above an earlier one's.

use std::net::IpAddr;

use ipnet::IpNet;
use palisade_core::network::{
    AddressRange, InterfaceName, MssClamp, PortRange, SegmentSize, Subnet,
};
use palisade_core::rules::{self, Action, Destination, Matches, Protocol, Role, UNTRANSLATED};

use super::action::{BETWEEN, action};
use super::admin;
use super::log;
use super::skeleton::Skeleton;
use super::table_ref::{DSTNAT, FILTER, MANGLE, SRCNAT, TableRef, base};
use crate::identity;
use crate::object::{
    Comparison, ConntrackKey, Counter, FibFlags, FibResult, Hook, MetaKey, NatKind, PayloadBase,
    Rule, Verdict,
};
use crate::statement::{
    self, Clamp, Direction, End, Match, Origin, Statement, Test, To, Translate,
};

/// The chains of the roles that nf_tables has, each with its comment.
const CHAINS: [(Role, &str, &str); 9] = [
    (
        Role::GuestMss,
        "guest_mss",
        "the segment size of connections",
    ),
    (Role::GuestBetween, BETWEEN, "to a network, without nat"),
    (Role::HostAdmin, "guest_host", "from a guest to the host"),
    (
        Role::AdminToGuest,
        "guest_admin_to",
        "the administrator's rules for what guests receive",
    ),
    (
        Role::AdminFromGuest,
        "guest_admin_from",
        "before all else, the administrator's rules for what guests send",
    ),
    (
        Role::GuestOutput,
        "guest_output",
        "from a guest to elsewhere",
    ),
    (Role::GuestInput, "guest_input", "from elsewhere to a guest"),
    (
        Role::GuestCross,
        "guest_cross",
        "from guest to guest across the bridge",
    ),
    (
        Role::GuestNat,
        "guest_nat",
        "from a guest, leaving with another address",
    ),
];

/// The chains of forwards, which are there while a port is forwarded.
const FORWARD_CHAINS: [(Role, &str, &str); 2] = [
    (
        Role::ForwardAt,
        "host_port_at",
        "ports at one address of the host that lead to guests",
    ),
    (
        Role::ForwardAny,
        "host_port_any",
        "ports at every address of the host that lead to guests",
    ),
];

/// The base chains from which packets are sent there: those that come in, and those of the host.
const REDIRECTING: [(&str, Hook, &str); 2] = [
    (
        "host_ports_in",
        Hook::PREROUTING,
        "first packets of flows, coming in",
    ),
    (
        "host_ports_out",
        Hook::OUTPUT,
        "first packets of flows, of the host",
    ),
];

/// The chains that are there while a guest is blocked.
const BLOCKED_CHAINS: [(Role, &str, &str); 2] = [
    (
        Role::FromBlocked,
        "blocked_from",
        "what blocked guests send",
    ),
    (
        Role::ToBlocked,
        "blocked_to",
        "what blocked guests would receive",
    ),
];

/// What some networks need beside the chains of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Extras {
    /// The chains of forwards.
    forwards: bool,
    /// Those of blocked guests.
    blocked: bool,
}

impl Extras {
    /// What rules in these chains need.
    pub(crate) fn of_chains<'c>(chains: impl IntoIterator<Item = &'c str>) -> Self {
        let mut extras = Self::default();
        for chain in chains {
            let is_it = |(_, name, _): &(Role, &str, &str)| *name == chain;
            extras.forwards |= FORWARD_CHAINS.iter().any(is_it);
            extras.blocked |= BLOCKED_CHAINS.iter().any(is_it);
        }
        extras
    }

    /// What these rules need.
    pub(super) fn of_rules(rules: impl Iterator<Item = rules::Rule>) -> Self {
        Self::of_chains(rules.filter_map(|rule| chain(rule.role())))
    }
}

fn all_chains() -> impl Iterator<Item = (Role, &'static str, &'static str)> {
    let others = FORWARD_CHAINS.into_iter().chain(BLOCKED_CHAINS);
    CHAINS.into_iter().chain(others)
}

/// The chain of the rules for a role.
fn chain(role: Role) -> Option<&'static str> {
    all_chains().find_map(|(of, name, _)| (of == role).then_some(name))
}

/// Whether a chain has rules of networks.
pub(super) fn is_of_networks(chain: &str) -> bool {
    all_chains().any(|(_, name, _)| name == chain)
}

/// The base chain from which forwarded packets are sent to the chains of guests.
const FORWARD: &str = "forward";

/// Whether a chain of this name belongs to this layout.
pub(super) fn has_chain(name: &str) -> bool {
    name == FORWARD || is_of_networks(name) || REDIRECTING.iter().any(|(base, ..)| *base == name)
}

pub(super) fn skeleton(table: TableRef<'_>, extras: Extras) -> Skeleton {
    let forward = Some(base("filter", Hook::FORWARD, FILTER));
    let mut chains = vec![table.chain(FORWARD, forward, "forwarded packets")];
    chains.extend(CHAINS.map(|(role, name, comment)| {
        let base = match role {
            Role::GuestNat => Some(base("nat", Hook::POSTROUTING, SRCNAT)),
            Role::HostAdmin => Some(base("filter", Hook::INPUT, FILTER)),
            _ => None,
        };
        table.chain(name, base, comment)
    }));
    let jump_from = |from: &str, role, comment| {
        let verdict = Verdict::Jump(chain(role)?.to_owned());
        let statements = [
            Statement::Counter(Counter::default()),
            Statement::Verdict(verdict),
        ];
        Some(table.rule(from, &statements, comment))
    };
    let jumps = [
        (Role::GuestMss, "palisade: before all, the segment size"),
        (
            Role::AdminFromGuest,
            "palisade: before all, the administrator from guests",
        ),
        (
            Role::AdminToGuest,
            "palisade: and the administrator to guests",
        ),
        (Role::GuestCross, "palisade: first, guest to guest"),
        (Role::GuestInput, "palisade: then to guests"),
        (Role::GuestOutput, "palisade: then from guests"),
    ];
    let jumps = jumps.into_iter();
    let jumps = jumps.filter_map(|(role, comment)| jump_from(FORWARD, role, comment));
    let mut rules: Vec<Rule> = jumps.collect();
    if extras.blocked {
        chains.extend(BLOCKED_CHAINS.map(|(role, name, comment)| {
            let hook = match role {
                Role::FromBlocked => Hook::PREROUTING,
                _ => Hook::POSTROUTING,
            };
            table.chain(name, Some(base("filter", hook, MANGLE)), comment)
        }));
    }
    if extras.forwards {
        let plain = |(_, name, comment)| table.chain(name, None, comment);
        chains.extend(FORWARD_CHAINS.map(plain));
        for (name, hook, comment) in REDIRECTING {
            let base = base("nat", hook, DSTNAT);
            chains.push(table.chain(name, Some(base), comment));
            let at = jump_from(
                name,
                Role::ForwardAt,
                "palisade: first, forwards at an address",
            );
            let any = jump_from(name, Role::ForwardAny, "palisade: then forwards");
            rules.extend(at.into_iter().chain(any));
        }
    }
    Skeleton {
        chains,
        sets: Vec::new(),
        rules,
    }
}

/// The rule in its chain: matches in libvirt's order, a counter, the action. None if this layout
/// has no such rule.
pub(super) fn rule(table: TableRef<'_>, rule: &rules::Rule) -> Option<Rule> {
    let mut statements = matches(table, rule)?;
    if let Action::Log(refused) = rule.action {
        statements.push(Statement::Limit(log::limit(refused.settings)));
    }
    statements.push(Statement::Counter(Counter::default()));
    statements.push(action(table, rule.action)?);
    // nft reads back 127 bytes of a comment, and the longest name leaves 45 of them.
    Some(table.rule(chain(rule.role())?, &statements, &rule.tag()))
}

/// The rule of a network that a rule of a table stands for: the inverse of [`rule`]. None if it is
/// not exactly one that this layout makes.
pub(super) fn read(table: TableRef<'_>, found: &Rule) -> Option<rules::Rule> {
    let (owner, mut kinds) = rules::untag(found.userdata.text()?)?;
    let mut read = rules::Rule {
        owner,
        kind: kinds.find(|kind| chain(kind.role()) == Some(&found.chain))?,
        layer: table.family.into(),
        matches: Matches::default(),
        action: Action::Return,
    };
    let mut limit = None;
    for statement in statement::statements(&found.expressions) {
        match statement {
            Statement::Match(matching) => read_match(table, &matching, &mut read.matches)?,
            Statement::Counter(_) => {}
            Statement::Limit(found) => limit = Some(found),
            Statement::Log(found) => {
                read.action = Action::Log(log::read(read.kind, &limit?, &found)?);
            }
            other => read.action = read_action(&other)?,
        }
    }
    // What could not be told apart above (the order, what stands twice) is seen here.
    let made = rule(table, &read)?;
    identity::is_same(&made, found).then_some(read)
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
        Origin::Conntrack(ConntrackKey::STATUS) => into.redirected = true,
        Origin::Fib(FibFlags::DESTINATION, FibResult::ADDRESS_TYPE) => into.to_host = true,
        Origin::Payload {
            base: PayloadBase::TRANSPORT,
            offset: offset @ (0 | 2),
            len: 2,
        } => {
            let port = u16::from_be_bytes(value.as_slice().try_into().ok()?);
            match offset {
                0 => into.source_port = Some(port),
                _ => into.destination_port = Some(port),
            }
        }
        // The flags of a tcp packet come with the action.
        Origin::Payload {
            base: PayloadBase::TRANSPORT,
            ..
        } => {}
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
            Statement::ClampMss(clamp) => read_clamp(*clamp).map(Action::ClampMss),
            Statement::Verdict(Verdict::Accept) => Some(Action::Accept),
            Statement::Verdict(Verdict::Return) => Some(Action::Return),
            Statement::Verdict(Verdict::Jump(chain)) if chain == BETWEEN => {
                Some(Action::BetweenNetworks)
            }
            Statement::Verdict(Verdict::Jump(to)) if chain(Role::GuestOutput) == Some(to) => {
                Some(Action::SenderDecides)
            }
            Statement::Verdict(Verdict::Jump(chain)) => {
                admin::chain_named(chain).map(Action::Administrator)
            }
            Statement::Verdict(Verdict::Drop) => Some(Action::Drop),
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
            kind: NatKind::Destination,
            range: Some((address, _)),
            ..
        } => Some(Action::Dnat {
            address: *address,
            port: ports?.start(),
        }),
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

fn read_clamp(clamp: Clamp) -> Option<MssClamp> {
    match clamp {
        Clamp::RouteMtu => Some(MssClamp::RouteMtu),
        Clamp::Size(bytes) => SegmentSize::new(bytes).ok().map(MssClamp::Size),
    }
}

/// `ip saddr N iifname B oifname D` and its like, in libvirt's order. None if this layout has no
/// such match.
fn matches(table: TableRef<'_>, rule: &rules::Rule) -> Option<Vec<Statement>> {
    let Matches {
        in_interface,
        out_interface,
        source,
        destination,
        protocol,
        source_port,
        destination_port,
        to_host,
        redirected,
        known_flow,
        no_flow,
        forged,
    } = &rule.matches;
    if *no_flow || *forged {
        return None;
    }
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
    let in_order = match rule.role() {
        Role::GuestInput if !known_flow => [destination, incoming, outgoing, protocol, None, None],
        Role::GuestNat if rule.translates() => {
            [protocol, source, destination, outgoing, None, None]
        }
        Role::GuestNat => [outgoing, source, destination, None, None, None],
        _ => [source, incoming, outgoing, destination, protocol, known],
    };
    let clamps = matches!(rule.action, Action::ClampMss(_));
    let opens = clamps.then(statement::opens_connection);
    let port = |end, port: Option<u16>| port.map(|port| statement::port(end, port));
    let behind = [
        port(End::Source, *source_port),
        port(End::Destination, *destination_port),
        to_host.then(statement::goes_to_host),
        redirected.then(statement::redirected),
    ];
    let all = in_order.into_iter().chain(behind).flatten();
    Some(all.chain(opens).collect())
}

fn destination(table: TableRef<'_>, destination: Destination) -> Statement {
    let operator = match destination {
        Destination::NotIn(_) => Comparison::NotEqual,
        _ => Comparison::Equal,
    };
    let net = destination.net(table.family);
    statement::address(End::Destination, operator, net)
}
