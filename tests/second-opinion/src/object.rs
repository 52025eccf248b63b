//! Tables, chains, rules, sets and elements, as rustables has them.

use palisade_nft::object::{BaseChain, Chain, Element, Hook, Policy, Rule, Set, Table};
use rustables::data_type::DataType;
use rustables::set::{SetBuilder, SetElementList};
use rustables::{ChainPolicy, ChainType, HookClass};

use crate::family::family;

/// A table, without what rustables has no place for: handle and unknown attributes.
#[must_use]
pub fn table(table: &Table) -> Option<rustables::Table> {
    if table.handle.is_some() || !table.extra.is_empty() {
        return None;
    }
    let mut out = rustables::Table::new(family(table.family)?).with_name(&table.name);
    if table.flags != 0 {
        out.set_flags(table.flags);
    }
    if !table.userdata.is_empty() {
        out.set_userdata(table.userdata.0.as_slice());
    }
    Some(out)
}

/// A chain of a table.
#[must_use]
pub fn chain(of: &rustables::Table, chain: &Chain) -> Option<rustables::Chain> {
    if chain.handle.is_some() || !chain.extra.is_empty() {
        return None;
    }
    let mut out = rustables::Chain::new(of).with_name(&chain.name);
    if let Some(base) = &chain.base {
        out = with_base(out, base)?;
    }
    if chain.flags != 0 {
        out.set_flags(chain.flags);
    }
    if !chain.userdata.is_empty() {
        out.set_userdata(chain.userdata.0.as_slice());
    }
    Some(out)
}

fn with_base(chain: rustables::Chain, base: &BaseChain) -> Option<rustables::Chain> {
    let class = match base.hook {
        Hook::PREROUTING => HookClass::PreRouting,
        Hook::INPUT => HookClass::In,
        Hook::FORWARD => HookClass::Forward,
        Hook::OUTPUT => HookClass::Out,
        Hook::POSTROUTING => HookClass::PostRouting,
        _ => return None,
    };
    let kind = match base.kind.as_str() {
        "filter" => ChainType::Filter,
        "nat" => ChainType::Nat,
        "route" => ChainType::Route,
        _ => return None,
    };
    let policy = match base.policy {
        Policy::ACCEPT => ChainPolicy::Accept,
        Policy::DROP => ChainPolicy::Drop,
        _ => return None,
    };
    base.hook_extra.is_empty().then(|| {
        chain
            .with_hook(rustables::Hook::new(class, base.priority))
            .with_type(kind)
            .with_policy(policy)
    })
}

/// A rule of a chain; none if rustables cannot express one of its expressions.
#[must_use]
pub fn rule(of: &rustables::Chain, rule: &Rule) -> Option<rustables::Rule> {
    if rule.handle.is_some() || rule.position.is_some() || !rule.extra.is_empty() {
        return None;
    }
    let mut out = rustables::Rule::new(of).ok()?;
    for expression in &rule.expressions {
        out.add_expr(crate::expression(expression)?);
    }
    if !rule.userdata.is_empty() {
        out.set_userdata(rule.userdata.0.as_slice());
    }
    Some(out)
}

/// A set, without what rustables has no place for: data, expressions, handle.
#[must_use]
pub fn set(set: &Set) -> Option<rustables::Set> {
    if set.data.is_some() || !set.expressions.is_empty() || set.handle.is_some() {
        return None;
    }
    let mut out = rustables::Set::default()
        .with_table(&set.table)
        .with_name(&set.name)
        .with_key_type(set.key_type.0)
        .with_key_len(set.key_len);
    out.family = family(set.family)?;
    out.flags = (set.flags != 0).then_some(set.flags);
    out.id = set.id;
    if !set.userdata.is_empty() {
        out.set_userdata(set.userdata.0.as_slice());
    }
    set.extra.is_empty().then_some(out)
}

/// Elements of one length, by their keys; none if they are anything else.
#[must_use]
pub fn elements<const LEN: usize>(
    of: &rustables::Table,
    set: &str,
    elements: &[Element],
) -> Option<SetElementList>
where
    [u8; LEN]: DataType,
{
    let mut builder = SetBuilder::<[u8; LEN]>::new(set, of).ok()?;
    for element in elements {
        let plain = element.key_end.is_empty()
            && element.value.is_none()
            && element.flags == 0
            && element.expressions.is_empty()
            && element.userdata.is_empty()
            && element.extra.is_empty();
        if !plain {
            return None;
        }
        builder.add(&<[u8; LEN]>::try_from(element.key.as_slice()).ok()?);
    }
    Some(builder.finish().1)
}
