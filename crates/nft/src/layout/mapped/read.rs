//! From elements back to the rules that they stand for.

use palisade_core::network::{Family, InterfaceName, Name, Subnet};
use palisade_core::rules::{Action, Destination, Matches, Protocol, Purpose, Role, Rule};

use super::{Key, Kind, Shape};
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
    let rule = |role, purpose, matches, action| Rule {
        owner: owner.clone(),
        purpose,
        family,
        role,
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
            Role::GuestCross,
            Purpose::EstablishedIn,
            Matches {
                known_flow: true,
                ..through(device, bridge)
            },
            Action::Accept,
        )],
        Shape::EstablishedOut { .. } => vec![rule(
            Role::GuestCross,
            Purpose::EstablishedOut,
            Matches {
                known_flow: true,
                ..through(bridge, device)
            },
            Action::Accept,
        )],
        Shape::Cross => vec![rule(
            Role::GuestCross,
            Purpose::Cross,
            through(bridge.clone(), bridge),
            Action::Accept,
        )],
        Shape::RefusedOut => vec![rule(
            Role::GuestOutput,
            Purpose::RefuseOut,
            through(bridge, None),
            Action::Reject,
        )],
        Shape::RefusedIn => vec![rule(
            Role::GuestInput,
            Purpose::RefuseIn,
            through(None, bridge),
            Action::Reject,
        )],
        Shape::Out { .. } => vec![rule(
            Role::GuestOutput,
            Purpose::Out,
            Matches {
                source: subnet,
                ..through(bridge, device)
            },
            Action::Accept,
        )],
        Shape::Reply { .. } | Shape::In { .. } => vec![rule(
            Role::GuestInput,
            Purpose::In,
            Matches {
                destination: subnet.map(Destination::In),
                known_flow: matches!(shape, Shape::Reply { .. }),
                ..through(device, bridge)
            },
            Action::Accept,
        )],
        Shape::Nat { kind, .. } => {
            let of_kind = translations(family, *kind, subnet?, device.as_ref());
            let rules = of_kind
                .into_iter()
                .map(|(purpose, matches, action)| rule(Role::GuestNat, purpose, matches, action));
            rules.collect()
        }
    })
}

/// What a kind of NAT means for one subnet, in the order of issue.
fn translations(
    family: Family,
    kind: Kind,
    subnet: Subnet,
    device: Option<&InterfaceName>,
) -> Vec<(Purpose, Matches, Action)> {
    let to = |destination, protocol| Matches {
        source: Some(subnet),
        destination: Some(destination),
        out_interface: device.cloned(),
        protocol,
        ..Matches::default()
    };
    let mut all: Vec<(Purpose, Matches, Action)> = [None, Some(Protocol::Udp), Some(Protocol::Tcp)]
        .into_iter()
        .map(|protocol| {
            let matches = to(Destination::NotIn(subnet), protocol);
            (Purpose::Nat, matches, kind.action(protocol.is_some()))
        })
        .collect();
    if family == Family::Ipv4 {
        let matches = to(Destination::Broadcast, None);
        all.push((Purpose::KeepBroadcast, matches, Action::Return));
    }
    let matches = to(Destination::LinkLocalMulticast, None);
    all.push((Purpose::KeepMulticast, matches, Action::Return));
    all
}
