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
    /// If a rule asks for something else than the fields of a packet: the first one.
    pub fn conditions(&self) -> Result<Conditions, UnknownCondition> {
        let (conditions, unknown) = self.known_conditions();
        match unknown.into_iter().next() {
            None => Ok(conditions),
            Some(unknown) => Err(unknown),
        }
    }

    /// The same, as far as it can be said, and the rules that ask for more.
    #[must_use]
    pub fn known_conditions(&self) -> (Conditions, Vec<UnknownCondition>) {
        let mut conditions = Conditions::default();
        let mut unknown = Vec::new();
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
                        let (condition, is_all) = condition(rule, table);
                        conditions.add(hook, condition);
                        if !is_all {
                            unknown.push(UnknownCondition {
                                chain: rule.saved.chain.clone(),
                                rule: rule.saved.words.to_string(),
                            });
                        }
                    }
                }
            }
        }
        (conditions, unknown)
    }
}

/// What a rule asks, and whether that is all.
fn condition(rule: &Prepared, table: &str) -> (Condition, bool) {
    let mut tests: Vec<Test> = rule.asks.iter().filter_map(test).collect();
    let is_all = tests.len() == rule.asks.len();
    if table == "nat" {
        tests.push(Condition::first_packet().into());
    }
    (Condition { tests }, is_all)
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
