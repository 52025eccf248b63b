//! The rules of blocked guests.
//!
//! They are where packets come in and where they leave, before and behind all others: no rule of
//! anybody's lets through what these drop.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::action::Action;
use super::kind::RuleKind;
use super::layer::Layer;
use super::matches::{Destination, Matches};
use super::rule::Rule;
use crate::network::{InterfaceName, Network, Subnet};

/// `saddr G iifname B drop` as packets come in, `daddr G oifname B drop` as they leave, for each blocked
/// guest.
pub(super) fn blocked_rules(
    network: &Network,
    bridge: &InterfaceName,
) -> impl Iterator<Item = (Layer, [(RuleKind, Matches, Action); 2])> {
    let guests = network.blocked().iter();
    let guests = guests.filter_map(|&guest| Subnet::of_host(guest));
    guests.map(move |guest| {
        let from = Matches {
            in_interface: Some(bridge.clone()),
            source: Some(guest),
            ..Matches::default()
        };
        let to = Matches {
            out_interface: Some(bridge.clone()),
            destination: Some(Destination::In(guest)),
            ..Matches::default()
        };
        let rules = [
            (RuleKind::BlockedOut, from, Action::Drop),
            (RuleKind::BlockedIn, to, Action::Drop),
        ];
        (Layer::from(guest.family()), rules)
    })
}

/// The guests whose rules these are.
pub(super) fn read_back<'r>(rules: impl Iterator<Item = &'r Rule>) -> BTreeSet<IpAddr> {
    let sources = rules.filter_map(|rule| rule.matches.source);
    sources.map(Subnet::network).collect()
}
