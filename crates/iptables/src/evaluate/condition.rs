//! Which packets saved rules tell apart.

use std::collections::HashSet;

use palisade_core::evaluate::{Asked, Condition, Conditions, Flow, Hook, Test};
use thiserror::Error;

use super::Tables;
use super::prepare::Prepared;
use super::rule::{Action, Ask, Interface, What};

/// A rule that asks for more than a [`Condition`] can say.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the rule `{rule}` of chain {chain} asks for more than packets are compared by")]
pub struct UnknownCondition {
    /// The chain.
    pub chain: String,
    /// What the rule says.
    pub rule: String,
}

/// Where packets are decided on.
const PLACES: [(Hook, &str, &str); 5] = [
    (Hook::Forward, "filter", "FORWARD"),
    (Hook::Input, "filter", "INPUT"),
    (Hook::Output, "filter", "OUTPUT"),
    (Hook::Postrouting, "mangle", "POSTROUTING"),
    (Hook::Postrouting, "nat", "POSTROUTING"),
];

impl Tables {
    /// What the rules ask that decide on packets.
    ///
    /// # Errors
    /// At the first rule that asks for something else than the fields of a packet.
    pub fn conditions(&self) -> Result<Conditions, UnknownCondition> {
        let mut conditions = Conditions::default();
        for (hook, table, chain) in PLACES {
            let mut reached = HashSet::from([chain]);
            let mut left = vec![chain];
            while let Some(chain) = left.pop() {
                let rules = self.chain(table, chain).map_or(&[][..], |c| &c.rules);
                for rule in rules {
                    if let Action::Jump(to) | Action::Goto(to) = &rule.action
                        && reached.insert(to)
                    {
                        left.push(to);
                    }
                    if rule.action != Action::Continue {
                        conditions.add(hook, condition(rule, table)?);
                    }
                }
            }
        }
        Ok(conditions)
    }
}

fn condition(rule: &Prepared, table: &str) -> Result<Condition, UnknownCondition> {
    let tests = rule.asks.iter().map(test).collect::<Option<Vec<Test>>>();
    let mut tests = tests.ok_or_else(|| UnknownCondition {
        chain: rule.saved.chain.clone(),
        rule: rule.saved.words.to_string(),
    })?;
    if table == "nat" {
        tests.push(Condition::first_packet().into());
    }
    Ok(Condition { tests })
}

fn test(ask: &Ask) -> Option<Test> {
    let named = |interface: &Interface| match interface {
        Interface::Named(name) => name.parse().ok(),
        Interface::Beginning(_) => None,
    };
    let asked = match &ask.what {
        What::In(interface) => Asked::In(named(interface)?),
        What::Out(interface) => Asked::Out(named(interface)?),
        What::Source(net) => Asked::Source(net.network()..=net.broadcast()),
        What::Destination(net) => Asked::Destination(net.network()..=net.broadcast()),
        What::Protocol(number) => Asked::Protocol(*number),
        What::SourcePort(ranges) => Asked::SourcePort(one(ranges)?),
        What::DestinationPort(ranges) => Asked::DestinationPort(one(ranges)?),
        What::Flow(flows) => Asked::Flow(sorted(flows)),
        What::EitherPort(_) | What::DestinationKind(_) | What::Never | What::Unknown => {
            return None;
        }
    };
    Some(Test {
        asked,
        is_negated: ask.is_negated,
    })
}

fn one<T: Clone>(all: &[T]) -> Option<T> {
    match all {
        [one] => Some(one.clone()),
        _ => None,
    }
}

fn sorted(flows: &[Flow]) -> Vec<Flow> {
    let mut flows = flows.to_vec();
    flows.sort();
    flows
}
