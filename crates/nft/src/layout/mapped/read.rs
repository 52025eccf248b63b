//! From elements back to the rules that they stand for.

use palisade_core::network::{Family, Name};
use palisade_core::rules::{Action, Destination, Matches, Rule, RuleKind, Translation};

use super::{Key, Shape};
use crate::object::ElementRef;

/// The rules that an element of a shape's set stands for; none if it is no element of ours.
pub(in crate::layout) fn read(
    family: Family,
    shape: &Shape,
    element: ElementRef<'_>,
) -> Option<Vec<Rule>> {
    if element.flags != 0 || element.has_value || !element.key_end.is_empty() {
        return None;
    }
    let owner: Name = element.text()?.parse().ok()?;
    let key = Key::read(shape, element.key)?;
    if key.subnet.is_some_and(|subnet| subnet.family() != family) {
        return None;
    }
    let rule = |kind, matches, action| Rule {
        owner: owner.clone(),
        kind,
        layer: family.into(),
        matches,
        action,
    };
    let Key {
        bridge,
        device,
        subnet,
    } = key;
    let through = |in_interface, out_interface| Matches {
        in_interface,
        out_interface,
        ..Matches::default()
    };
    Some(match shape {
        Shape::Bridges | Shape::Same { .. } => Vec::new(),
        Shape::EstablishedIn { .. } => vec![rule(
            RuleKind::EstablishedIn,
            Matches {
                known_flow: true,
                ..through(device, bridge)
            },
            Action::Accept,
        )],
        Shape::EstablishedOut { .. } => vec![rule(
            RuleKind::EstablishedOut,
            Matches {
                known_flow: true,
                ..through(bridge, device)
            },
            Action::Accept,
        )],
        Shape::Cross => vec![rule(
            RuleKind::Cross,
            through(bridge.clone(), bridge),
            Action::Accept,
        )],
        Shape::RefusedOut => vec![rule(
            RuleKind::RefuseOut,
            through(bridge, None),
            Action::Reject,
        )],
        Shape::RefusedIn => vec![rule(
            RuleKind::RefuseIn,
            through(None, bridge),
            Action::Reject,
        )],
        Shape::Out { .. } => vec![rule(
            RuleKind::Out,
            Matches {
                source: subnet,
                ..through(bridge, device)
            },
            Action::Accept,
        )],
        Shape::Reply { .. } | Shape::In { .. } => vec![rule(
            RuleKind::In,
            Matches {
                destination: subnet.map(Destination::In),
                known_flow: matches!(shape, Shape::Reply { .. }),
                ..through(device, bridge)
            },
            Action::Accept,
        )],
        Shape::Nat { kind, .. } => {
            let translation = Translation {
                addresses: kind.addresses,
                ports: kind.ports,
            };
            let rules = translation.rules(subnet?, device.as_ref());
            let rules = rules.map(|(kind, matches, action)| rule(kind, matches, action));
            rules.collect()
        }
    })
}
