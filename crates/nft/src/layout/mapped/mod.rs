//! `mapped`: rules stand for kinds of network, elements of sets for networks.
//!
//! A packet that is forwarded is looked up by the bridge it comes from and the first bits of its
//! source, then by the bridge it goes to and the first bits of its destination: both must agree.
//! Each place where a packet is looked up is a [`Shape`]: a set, and the rule that asks it. Which
//! shapes there are depends on the networks: one for each length of prefix in use, and one for each
//! kind of NAT. A network is a few elements of these sets.

mod key;
mod read;
mod shape;

use palisade_core::network::{Family, Subnet};
use palisade_core::rules::{Rule as CoreRule, RuleKind};

use super::{BROADCAST, FILTER, Item, Place, SRCNAT, Skeleton, base};
use crate::object::{Chain, Comparison, Element, Hook, Rule, Userdata, Verdict};
use crate::statement::{self, Direction, End, Statement};

use key::Key;
pub(super) use read::read;
use shape::{FORWARD, FROM_GUEST, POSTROUTING, TO_GUEST};
pub use shape::{Kind, Shape};

/// Whether a chain of this name belongs to this layout.
pub(super) fn has_chain(name: &str) -> bool {
    [FORWARD, FROM_GUEST, TO_GUEST, POSTROUTING].contains(&name) || Kind::from_chain(name).is_some()
}

/// The shapes that these rules need, in the order in which packets meet them.
fn shapes(rules: impl Iterator<Item = CoreRule>) -> Vec<Shape> {
    let mut shapes: Vec<Shape> = rules
        .flat_map(|rule| elements(&rule))
        .map(|(s, _)| s)
        .collect();
    shapes.sort();
    shapes.dedup();
    shapes
}

pub(super) fn skeleton(place: Place<'_>, rules: impl Iterator<Item = CoreRule>) -> Skeleton {
    skeleton_of(place, &shapes(rules))
}

/// What stands for these shapes, which are in order.
pub(super) fn skeleton_of(place: Place<'_>, shapes: &[Shape]) -> Skeleton {
    // Shapes are sorted by kind first, so that equal ones are neighbours.
    let mut kinds: Vec<Kind> = shapes.iter().filter_map(Shape::kind).collect();
    kinds.dedup();
    Skeleton {
        chains: chains(place, &kinds),
        sets: shapes.iter().map(|shape| shape.set(place)).collect(),
        rules: rules(place, shapes, &kinds),
    }
}

/// The chains, those that are jumped to before those that jump.
fn chains(place: Place<'_>, kinds: &[Kind]) -> Vec<Chain> {
    let forward = base("filter", Hook::FORWARD, FILTER);
    let mut chains = vec![
        place.chain(FROM_GUEST, None, "what a guest may send"),
        place.chain(TO_GUEST, None, "what a guest may get"),
        place.chain(FORWARD, Some(forward), "forwarded packets"),
    ];
    // Without a network that translates, nothing is asked of packets that leave.
    if !kinds.is_empty() {
        let comment = "guests leave with this source";
        chains.extend(
            kinds
                .iter()
                .map(|kind| place.chain(&kind.chain(), None, comment)),
        );
        let postrouting = base("nat", Hook::POSTROUTING, SRCNAT);
        chains.push(place.chain(
            POSTROUTING,
            Some(postrouting),
            "first packets of flows, leaving",
        ));
    }
    chains
}

fn rules(place: Place<'_>, shapes: &[Shape], kinds: &[Kind]) -> Vec<Rule> {
    let mut rules: Vec<Rule> = kinds.iter().flat_map(|kind| kind.rules(place)).collect();
    // The shapes of NAT are the last ones.
    let translated = shapes.partition_point(|shape| shape.kind().is_none());
    for (i, shape) in shapes.iter().enumerate() {
        if i == translated {
            rules.extend(exceptions(place));
        }
        match shape {
            Shape::Bridges => rules.extend([
                leads_to_guests(
                    place,
                    Direction::In,
                    FROM_GUEST,
                    "palisade: what a guest sends",
                ),
                leads_to_guests(
                    place,
                    Direction::Out,
                    TO_GUEST,
                    "palisade: what a guest gets",
                ),
            ]),
            asked => rules.push(asked.rule(place)),
        }
    }
    rules
}

/// What is never translated, whatever the kind. It stands above the look-ups by which a kind is
/// found, since those count connections; and below those of what stays within a subnet, since
/// connections to guests are more than broadcasts.
fn exceptions(place: Place<'_>) -> Vec<Rule> {
    let to = |net, comment| {
        let destination = statement::address(End::Destination, Comparison::Equal, net);
        let statements = [destination, Statement::Verdict(Verdict::Return)];
        place.rule(POSTROUTING, &statements, comment)
    };
    let multicast = place.family.link_local_multicast();
    let mut rules = vec![to(multicast, "palisade: multicast without nat")];
    if place.family == Family::Ipv4 {
        rules.push(to(BROADCAST, "palisade: broadcast without nat"));
    }
    rules
}

/// `iifname @bridges jump from_guest`.
fn leads_to_guests(place: Place<'_>, direction: Direction, chain: &str, comment: &str) -> Rule {
    let bridge = vec![statement::interface_field(direction)];
    let statements = [
        statement::in_set(bridge, &Shape::Bridges.name()),
        Statement::Verdict(Verdict::Jump(chain.to_owned())),
    ];
    place.rule(FORWARD, &statements, comment)
}

/// What a rule is in this layout.
pub(super) fn items(rule: &CoreRule) -> impl Iterator<Item = Item> {
    let item = |(shape, key): (Shape, Key)| Item::Element {
        set: shape.name(),
        element: Element {
            userdata: Userdata::comment(rule.owner.as_str()),
            ..Element::of_key(key.bytes(&shape))
        },
    };
    elements(rule).into_iter().map(item)
}

/// The elements that say what a rule says, with the sets that they are in.
///
/// Of a network's rules for NAT, the one with ports names the kind. What they say of other
/// protocols is the same for all networks of the kind, and is in the kind's chain; what they say of
/// broadcasts and multicast is the same for all networks.
fn elements(rule: &CoreRule) -> Vec<(Shape, Key)> {
    let key = Key::of(rule);
    let via = key.device.is_some();
    match (rule.kind, key.subnet.map(Subnet::prefix)) {
        (RuleKind::EstablishedIn, _) => vec![(Shape::EstablishedIn { via }, key)],
        (RuleKind::EstablishedOut, _) => vec![(Shape::EstablishedOut { via }, key)],
        (RuleKind::Cross, _) => vec![(Shape::Bridges, key.clone()), (Shape::Cross, key)],
        (RuleKind::RefuseOut, _) => vec![(Shape::RefusedOut, key)],
        (RuleKind::RefuseIn, _) => vec![(Shape::RefusedIn, key)],
        (RuleKind::Out, Some(prefix)) => vec![(Shape::Out { via, prefix }, key)],
        (RuleKind::In, Some(prefix)) if rule.matches.known_flow => {
            vec![(Shape::Reply { via, prefix }, key)]
        }
        (RuleKind::In, Some(prefix)) => vec![(Shape::In { via, prefix }, key)],
        (RuleKind::Nat, Some(prefix)) => Kind::of(rule).map_or_else(Vec::new, |kind| {
            vec![
                (Shape::Same { prefix }, key.clone()),
                (Shape::Nat { kind, via, prefix }, key),
            ]
        }),
        _ => Vec::new(),
    }
}
