//! Which packets a table's rules tell apart: what each rule asks, and each element of the sets that
//! it asks in.
//!
//! This is for showing that tables treat all packets alike ([`palisade_core::evaluate`]): nothing
//! that a rule asks may be left out, so that what cannot be said as a [`Condition`] is an error.

use std::collections::HashSet;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use ipnet::IpNet;
use palisade_core::evaluate::{Asked, Condition, Conditions, Flow, Hook, Test};
use thiserror::Error;

use crate::object::{self, Comparison, ConntrackKey, Expression, Family, MetaKey, PayloadBase};
use crate::object::{Rule, Verdict};
use crate::program::{FilledSet, Program};
use crate::statement::{self, End, Field, Match, Origin, Statement};

/// A rule that asks for more than a [`Condition`] can say.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the rule `{rule}` of chain {chain} asks for more than packets are compared by")]
pub struct UnknownCondition {
    /// The chain.
    pub chain: String,
    /// The rule in nft syntax.
    pub rule: String,
}

/// What the rules of a table ask, hook by hook.
///
/// # Errors
/// If a rule asks for something else than the fields of a packet: the first one.
pub fn conditions(program: &Program) -> Result<Conditions, UnknownCondition> {
    let (conditions, unknown) = known_conditions(program);
    match unknown.into_iter().next() {
        None => Ok(conditions),
        Some(unknown) => Err(unknown),
    }
}

/// What the rules of a table ask, as far as it can be said, and the rules that ask for more.
#[must_use]
pub fn known_conditions(program: &Program) -> (Conditions, Vec<UnknownCondition>) {
    let mut conditions = Conditions::default();
    let mut unknown = Vec::new();
    for base in &program.chains {
        let Some((hook, kind)) = base.chain.base.as_ref().and_then(|base| {
            let hook = hook(base.hook)?;
            Some((hook, base.kind.as_str()))
        }) else {
            continue;
        };
        let mut reached = HashSet::from([base.chain.name.as_str()]);
        let mut left = vec![base];
        while let Some(chain) = left.pop() {
            for rule in &chain.rules {
                let (asked, is_all) = of_rule(program, rule);
                for condition in asked {
                    conditions.add(hook, for_kind(kind, condition));
                }
                if !is_all {
                    unknown.push(UnknownCondition {
                        chain: rule.chain.clone(),
                        rule: format!("{rule:#}"),
                    });
                }
                let led_to = rule.expressions.iter().filter_map(leads_to);
                let new = led_to.filter(|&chain| reached.insert(chain));
                left.extend(new.filter_map(|chain| program.chain(chain)));
            }
        }
    }
    (conditions, unknown)
}

fn hook(hook: object::Hook) -> Option<Hook> {
    match hook {
        object::Hook::FORWARD => Some(Hook::Forward),
        object::Hook::INPUT => Some(Hook::Input),
        object::Hook::OUTPUT => Some(Hook::Output),
        object::Hook::POSTROUTING => Some(Hook::Postrouting),
        _ => None,
    }
}

fn leads_to(expression: &Expression) -> Option<&str> {
    match expression {
        Expression::Verdict(Verdict::Jump(chain) | Verdict::Goto(chain)) => Some(chain),
        _ => None,
    }
}

/// Chains for NAT see the first packets of flows alone.
fn for_kind(kind: &str, mut condition: Condition) -> Condition {
    if kind == "nat" {
        condition.tests.push(Condition::first_packet().into());
    }
    condition
}

/// What a rule asks: one condition, or one for each element of the set that it asks in; and whether
/// that is all.
fn of_rule(program: &Program, rule: &Rule) -> (Vec<Condition>, bool) {
    let mut is_all = true;
    let mut conditions = vec![Condition::default()];
    for statement in statement::statements(&rule.expressions) {
        let asked = match &statement {
            Statement::Match(matching) => matched(program, rule.family, matching),
            Statement::Other(_) => None,
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

/// The keys of a set of single keys.
fn keys(set: &FilledSet) -> Option<impl Iterator<Item = &[u8]>> {
    let is_plain = set.set.flags & !CONSTANT == 0 && set.elements.iter().all(|e| e.flags == 0);
    is_plain.then(|| set.elements.iter().map(|element| element.key.as_slice()))
}

/// `NFT_SET_ANONYMOUS` and `NFT_SET_CONSTANT`: they say nothing of what is in a set.
const CONSTANT: u32 = 1 | 2;

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
    let bit = |flow: &Flow| {
        mask & match flow {
            Flow::Invalid => 1,
            Flow::Established => 2,
            Flow::Related => 4,
            Flow::New => 8,
            Flow::Untracked => 64,
        } != 0
    };
    let flows = Flow::ALL.into_iter().filter(bit).collect();
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
