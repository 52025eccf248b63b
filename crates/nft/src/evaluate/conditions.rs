//! Which packets a table's rules tell apart: what each rule matches, and each element of the sets in
//! which it looks packets up.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use ipnet::IpNet;
use palisade_core::evaluate::{Asked, Condition, Flow, Test};

use super::load;
use crate::object::{Comparison, ConntrackKey, Family, FibResult, MetaKey, PayloadBase, Rule};
use crate::program::{FilledSet, Program};
use crate::statement::{self, End, Field, Match, Origin, Redirect, Statement};

/// What a rule asks: one condition, or one for each element of the set that it asks in; and whether
/// that is all.
pub(super) fn of_rule(program: &Program, rule: &Rule) -> (Vec<Condition>, bool) {
    let mut is_all = true;
    let mut conditions = vec![Condition::default()];
    let statements = statement::statements(&rule.expressions);
    if only_clamps(&statements) {
        return (Vec::new(), is_all);
    }
    for (place, statement) in statements.iter().enumerate() {
        let asked = match statement {
            it if *it == statement::redirected() => Some(vec![vec![Asked::Redirected.into()]]),
            it if *it == statement::goes_to_host() => Some(vec![vec![Asked::ToHost.into()]]),
            Statement::Match(matching) => matched(program, rule.family, matching),
            Statement::Redirect(redirect) => looked_up(program, rule.family, redirect),
            // How many are logged decides nothing.
            Statement::Limit(_) if statements[place..].iter().all(only_logs) => continue,
            Statement::Limit(_) | Statement::Other(_) => None,
            _ => continue,
        };
        let Some(asked) = asked else {
            is_all = false;
            continue;
        };
        let with = |condition: &Condition| {
            let tests = condition.tests.clone();
            asked.iter().map(move |more| Condition {
                tests: [tests.as_slice(), more].concat(),
            })
        };
        conditions = conditions.iter().flat_map(with).collect();
    }
    (conditions, is_all)
}

/// Whether a rule changes the segment size of packets, and decides on none.
fn only_clamps(statements: &[Statement]) -> bool {
    let clamps = |statement: &Statement| matches!(statement, Statement::ClampMss(_));
    let decides = |statement: &Statement| matches!(statement, Statement::Verdict(_));
    statements.iter().any(clamps) && !statements.iter().any(decides)
}

fn only_logs(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::Limit(_) | Statement::Log(_) | Statement::Counter(_)
    )
}

/// The ways in which a match can hold: all tests of one of them.
fn matched(program: &Program, family: Family, matching: &Match) -> Option<Vec<Vec<Test>>> {
    match &matching.test {
        statement::Test::Compare(operator, value) => {
            let [field] = matching.fields.as_slice() else {
                return None;
            };
            Some(vec![vec![compared(family, field, *operator, value)?]])
        }
        // No layout of ours asks for a range.
        statement::Test::Between(..) | statement::Test::NotBetween(..) => None,
        statement::Test::In(set) => {
            let set = program.set(set)?;
            let found = |key| found(family, &matching.fields, key);
            keys(set)?.map(found).collect()
        }
        // In no element: none of what single fields are looked up for may hold.
        statement::Test::NotIn(set) => {
            let [field] = matching.fields.as_slice() else {
                return None;
            };
            let set = program.set(set)?;
            let not = |key: &[u8]| compared(family, field, Comparison::NotEqual, key);
            Some(vec![keys(set)?.map(not).collect::<Option<_>>()?])
        }
    }
}

/// The packets that a map holds another destination for.
fn looked_up(program: &Program, family: Family, redirect: &Redirect) -> Option<Vec<Vec<Test>>> {
    let found = |key| found(family, &redirect.fields, key);
    keys(program.set(&redirect.map)?)?.map(found).collect()
}

/// The keys of a set of single keys.
fn keys(set: &FilledSet) -> Option<impl Iterator<Item = &[u8]>> {
    let is_plain =
        set.set.flags & !(CONSTANT | MAP) == 0 && set.elements.iter().all(|e| e.flags == 0);
    is_plain.then(|| set.elements.iter().map(|element| element.key.as_slice()))
}

/// `NFT_SET_ANONYMOUS` and `NFT_SET_CONSTANT`: they say nothing of what is in a set.
const CONSTANT: u32 = 1 | 2;
/// `NFT_SET_MAP`: it says where keys lead.
const MAP: u32 = 8;

/// The tests by which fields, one behind the other, are this key. Each part fills whole registers
/// of four bytes.
fn found(family: Family, fields: &[Field], mut key: &[u8]) -> Option<Vec<Test>> {
    let mut tests = Vec::new();
    for field in fields {
        let width = usize::try_from(field.origin.width()).ok()?;
        let (part, rest) = key.split_at_checked(width.next_multiple_of(4).min(key.len()))?;
        tests.push(compared(
            family,
            field,
            Comparison::Equal,
            part.get(..width)?,
        )?);
        key = rest;
    }
    key.is_empty().then_some(tests)
}

fn compared(family: Family, field: &Field, operator: Comparison, value: &[u8]) -> Option<Test> {
    if field.origin == Origin::Conntrack(ConntrackKey::STATE) {
        return flow(field, operator, value);
    }
    let is_negated = match operator {
        Comparison::Equal => false,
        Comparison::NotEqual => true,
        _ => return None,
    };
    let asked = match (field.origin, &field.mask) {
        (Origin::Meta(MetaKey::IIFNAME), None) => Asked::In(interface(value)?),
        (Origin::Meta(MetaKey::OIFNAME), None) => Asked::Out(interface(value)?),
        (Origin::Fib(flags, FibResult::OIF), None) if flags.is_reverse_path() => {
            // No interface: there is no way back.
            let is_none = value.iter().all(|&byte| byte == 0);
            return is_none.then_some(Test {
                asked: Asked::ReversePath,
                is_negated: !is_negated,
            });
        }
        (Origin::Meta(MetaKey::L4PROTO), None) => Asked::Protocol(one(value)?),
        (Origin::Payload { base, offset, len }, None) if base == PayloadBase::TRANSPORT => {
            let port = u16::from_be_bytes(value.try_into().ok()?);
            match (offset, len) {
                (0, 2) => Asked::SourcePort(port..=port),
                (2, 2) => Asked::DestinationPort(port..=port),
                _ => return None,
            }
        }
        _ => {
            let (end, address, prefix) = field.prefix(family, value)?;
            let addresses = addresses(address, prefix)?;
            match end {
                End::Source => Asked::Source(addresses),
                End::Destination => Asked::Destination(addresses),
            }
        }
    };
    Some(Test { asked, is_negated })
}

/// `ct state established,related`: one of these bits is set.
fn flow(field: &Field, operator: Comparison, value: &[u8]) -> Option<Test> {
    let is_set = operator == Comparison::NotEqual && value.iter().all(|&byte| byte == 0);
    let mask = u32::from_ne_bytes(field.mask.as_deref()?.try_into().ok()?);
    let flows = Flow::ALL.into_iter().chain([Flow::Untracked]);
    let flows = flows
        .filter(|&flow| load::state(flow) & mask != 0)
        .collect();
    is_set.then(|| Asked::Flow(flows).into())
}

fn interface(value: &[u8]) -> Option<palisade_core::network::InterfaceName> {
    let end = value.iter().position(|&byte| byte == 0)?;
    std::str::from_utf8(&value[..end]).ok()?.parse().ok()
}

fn one(value: &[u8]) -> Option<u8> {
    match value {
        [one] => Some(*one),
        _ => None,
    }
}

/// The addresses that begin with these bits. An address with more bits than that equals none, but
/// tells apart what begins like it all the same.
fn addresses(address: IpAddr, prefix: u8) -> Option<RangeInclusive<IpAddr>> {
    let net = IpNet::new(address, prefix).ok()?;
    Some(net.network()..=net.broadcast())
}
