//! Which packets saved rules tell apart.

use palisade_core::evaluate::{Asked, Condition, Flow, Test};

use super::rule::{AddressKind, Ask, Interface, What};

/// What a rule asks, and whether that is all.
pub(super) fn condition(asks: &[Ask]) -> (Condition, bool) {
    let tests: Vec<Test> = asks.iter().filter_map(test).collect();
    let is_all = tests.len() == asks.len();
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
        What::Redirected => Asked::Redirected,
        What::DestinationKind(kinds) if *kinds == [AddressKind::Local] => Asked::ToHost,
        What::Flow(flows) => Asked::Flow(sorted(flows)),
        What::EitherPort(_)
        | What::DestinationKind(_)
        | What::Icmp(..)
        | What::HopLimit(_)
        | What::Mark(_)
        | What::ConnectionMark(_)
        | What::Never
        | What::ReversePath { .. }
        | What::Route
        | What::Unknown => return None,
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
