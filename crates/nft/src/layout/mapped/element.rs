//! From a rule to the elements that say the same, and back.

use ipnet::IpNet;
use palisade_core::network::{Family, InterfaceName, Name, Subnet};
use palisade_core::rules::{
    Action, Destination, Matches, Protocol, RefusalLog, Rule, RuleKind, Translation, bridge_rules,
    clamp_rules,
};

use super::super::skeleton::Item;
use super::redirection;
use super::set_id::SetId;
use super::set_kind::{Meaning, Part, SetKind, State};
use crate::object::{Element, ElementRef, Userdata, Value};
use crate::statement::{Direction, End};

/// The elements that a rule is in this layout.
pub(in crate::layout) fn items(rule: &Rule) -> impl Iterator<Item = Item> {
    let redirected = |set: &SetId| match rule.action {
        Action::Dnat { address, port } if set.row().redirects() => {
            Some(Value::Bytes(redirection::value(address, port)))
        }
        _ => None,
    };
    of(rule).map(move |(set, key)| Item::Element {
        set,
        element: Element {
            value: redirected(&set),
            userdata: Userdata::comment(&rule.owner.comment()),
            ..Element::of_key(key)
        },
    })
}

/// The elements that say what a rule says: sets and keys.
///
/// Of a network's rules for NAT, the one for tcp names the translation. What they say of other
/// protocols is the same for all networks with that translation, and is in its chain; what they say
/// of broadcasts and multicast is the same for all networks.
pub(super) fn of(rule: &Rule) -> impl Iterator<Item = (SetId, Vec<u8>)> {
    let is_nat = rule.kind == RuleKind::Nat;
    let is_named_elsewhere = is_nat && rule.matches.protocol != Some(Protocol::Tcp);
    let kinds = || SetKind::all().filter(move |_| !is_named_elsewhere);
    // People read first what decides nothing by itself.
    let is_aside = |kind: &SetKind| {
        let meaning = kind.row().meaning;
        matches!(meaning, Meaning::Bridge | Meaning::Exemption)
    };
    let in_order = kinds()
        .filter(is_aside)
        .chain(kinds().filter(move |kind| !is_aside(kind)));
    in_order.filter_map(|kind| of_kind(kind, rule))
}

fn of_kind(kind: SetKind, rule: &Rule) -> Option<(SetId, Vec<u8>)> {
    let (row, matches) = (kind.row(), &rule.matches);
    // Of the rules of a kind, some are of a subnet and some of all that is left.
    let is_of_row = row.rule_kind == rule.kind
        && row.is_of_source() == matches.source.is_some()
        && (row.state == State::Known) == matches.known_flow;
    if !is_of_row {
        return None;
    }
    let translation = Translation::of(rule.action).filter(|_| row.translates());
    let mut id = SetId {
        kind,
        nat: translation,
        clamp: match rule.action {
            Action::ClampMss(clamp) => Some(clamp),
            _ => None,
        },
        log: match rule.action {
            Action::Log(log) => Some(log.settings),
            _ => None,
        },
        via: false,
        prefix: None,
    };
    let mut key = Vec::with_capacity(48);
    for part in row.key() {
        match part {
            Part::Bridge(direction) => put_name(&mut key, interface(matches, *direction)?),
            Part::Device(direction) => {
                if let Some(device) = interface(matches, *direction) {
                    put_name(&mut key, device);
                    id.via = true;
                }
            }
            Part::Address(end) => {
                let subnet = subnet(matches, *end)?;
                redirection::put_address(&mut key, subnet.network());
                id.prefix = Some(subnet.prefix());
            }
            Part::Host(end) => {
                redirection::put_address(&mut key, subnet(matches, *end)?.network());
            }
            Part::Protocol => key.extend([matches.protocol?.number(), 0, 0, 0]),
            Part::Port(end) => redirection::put_port(&mut key, port(matches, *end)?),
        }
    }
    Some((id, key))
}

fn interface(matches: &Matches, direction: Direction) -> Option<&InterfaceName> {
    match direction {
        Direction::In => matches.in_interface.as_ref(),
        Direction::Out => matches.out_interface.as_ref(),
    }
}

fn port(matches: &Matches, end: End) -> Option<u16> {
    match end {
        End::Source => matches.source_port,
        End::Destination => matches.destination_port,
    }
}

/// The subnet at one end. Rules of a subnet that is translated are about what leaves it: it is at
/// both ends of what does not.
fn subnet(matches: &Matches, end: End) -> Option<Subnet> {
    match (end, matches.destination) {
        (End::Source, _) => matches.source,
        (End::Destination, Some(Destination::In(subnet) | Destination::NotIn(subnet))) => {
            Some(subnet)
        }
        (End::Destination, _) => None,
    }
}

/// The rules that an element of a set stands for; none if it is no element of palisade's.
pub(in crate::layout) fn read(
    family: Family,
    set: SetId,
    element: ElementRef<'_>,
) -> Option<Vec<Rule>> {
    let row = set.row();
    let has_value = element.value.is_some();
    if element.flags != 0 || has_value != row.redirects() || !element.key_end.is_empty() {
        return None;
    }
    let owner = Name::from_comment(element.text()?)?;
    let matches = matches(family, set, element.key)?;
    let rule = |kind, matches, action| Rule {
        owner: owner.clone(),
        kind,
        layer: family.into(),
        matches,
        action,
    };
    Some(match row.meaning {
        Meaning::Redirection => {
            let (address, port) = redirection::read(family, element.value?)?;
            let action = Action::Dnat { address, port };
            vec![rule(row.rule_kind, matches, action)]
        }
        Meaning::Exemption => Vec::new(),
        Meaning::Clamp => {
            let rules = clamp_rules(matches.in_interface.as_ref()?, set.clamp?);
            let rules = rules.map(|(kind, matches, action)| rule(kind, matches, action));
            rules.collect()
        }
        Meaning::Log => {
            let log = RefusalLog::of(row.rule_kind, set.log?)?;
            vec![rule(row.rule_kind, matches, Action::Log(log))]
        }
        Meaning::Bridge => {
            let rules = bridge_rules(matches.in_interface.as_ref()?);
            let rules = rules.map(|(kind, matches, action)| rule(kind, matches, action));
            rules.collect()
        }
        Meaning::Rule(action) => vec![rule(row.rule_kind, matches, action)],
        Meaning::Translation => {
            let rules = set
                .nat?
                .rules(matches.source?, matches.out_interface.as_ref());
            let rules = rules.map(|(kind, matches, action)| rule(kind, matches, action));
            rules.collect()
        }
    })
}

/// The subnet within which packets keep their source, if an element of the set with this key says
/// that.
pub(in crate::layout) fn exemption(family: Family, set: SetId, key: &[u8]) -> Option<IpNet> {
    let matches = matches(family, set, key)?;
    let is_exemption = set.row().meaning == Meaning::Exemption;
    matches.source.filter(|_| is_exemption).map(Subnet::net)
}

/// The packets for which a key is looked up; none if palisade makes no such key.
pub(in crate::layout) fn matches(family: Family, set: SetId, mut bytes: &[u8]) -> Option<Matches> {
    let row = set.row();
    let mut matches = Matches {
        known_flow: row.state == State::Known,
        no_flow: row.state == State::None,
        forged: row.forged,
        redirected: row.redirected,
        to_host: row.to_host,
        ..Matches::default()
    };
    let key = row.key();
    for part in set.parts(key) {
        match part {
            Part::Bridge(direction) | Part::Device(direction) => {
                let name = take_name(&mut bytes)?;
                match direction {
                    Direction::In => matches.in_interface = Some(name),
                    Direction::Out => matches.out_interface = Some(name),
                }
            }
            Part::Host(end) => {
                let address = redirection::take_address(&mut bytes, family)?;
                let host = Subnet::of_host(address)?;
                match end {
                    End::Source => matches.source = Some(host),
                    End::Destination => matches.destination = Some(Destination::In(host)),
                }
            }
            Part::Protocol => {
                let (&[number, 0, 0, 0], rest) = bytes.split_first_chunk::<4>()? else {
                    return None;
                };
                bytes = rest;
                let mut all = Protocol::ALL.into_iter();
                matches.protocol = Some(all.find(|protocol| protocol.number() == number)?);
            }
            Part::Port(end) => {
                let port = redirection::take_port(&mut bytes)?;
                match end {
                    End::Source => matches.source_port = Some(port),
                    End::Destination => matches.destination_port = Some(port),
                }
            }
            Part::Address(end) => {
                let address = redirection::take_address(&mut bytes, family)?;
                let subnet = Subnet::new(address, set.prefix?).ok()?;
                // An address with bits behind the prefix is never looked up.
                if subnet.network() != address {
                    return None;
                }
                match end {
                    End::Source => matches.source = Some(subnet),
                    End::Destination => matches.destination = Some(Destination::In(subnet)),
                }
            }
        }
    }
    // A network has one bridge, and what is within a subnet is so at both ends.
    let has_both = |a, b| key.contains(&a) && key.contains(&b);
    let is_of_one_bridge = matches.in_interface == matches.out_interface
        || !has_both(Part::Bridge(Direction::In), Part::Bridge(Direction::Out));
    let is_of_one_subnet = matches.destination == matches.source.map(Destination::In)
        || !has_both(Part::Address(End::Source), Part::Address(End::Destination));
    (is_of_one_bridge && is_of_one_subnet && bytes.is_empty()).then_some(matches)
}

fn put_name(bytes: &mut Vec<u8>, name: &InterfaceName) {
    let start = bytes.len();
    bytes.extend(name.as_str().bytes());
    bytes.resize(start + 16, 0);
}

fn take_name(bytes: &mut &[u8]) -> Option<InterfaceName> {
    let (name, rest) = bytes.split_at_checked(16)?;
    *bytes = rest;
    let end = name.iter().position(|&byte| byte == 0)?;
    std::str::from_utf8(&name[..end]).ok()?.parse().ok()
}
