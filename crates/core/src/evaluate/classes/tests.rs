use std::collections::HashSet;
use std::net::IpAddr;
use std::ops::{ControlFlow, RangeInclusive};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::condition::{Asked, Condition, Conditions, Test};
use super::super::{Flow, Ground, Hook, Packet, Reading};
use super::each_class;
use crate::network::{Description, Family, Forward, InterfaceName, Nat, Network};
use crate::rules::{Guard, Ruleset};

/// Hooks whose chains decide together.
const TOGETHER: [&[Hook]; 4] = [
    &[Hook::Ingress, Hook::Prerouting, Hook::Forward],
    &[Hook::Ingress, Hook::Prerouting, Hook::Input],
    &[Hook::Output],
    &[Hook::Postrouting, Hook::Egress],
];

fn interface() -> impl Strategy<Value = InterfaceName> {
    select(vec!["br0", "br1", "eth0"]).prop_map(|name| name.parse().unwrap())
}

fn address() -> impl Strategy<Value = IpAddr> {
    // Few, so that random packets meet the ends of ranges; and both ends of all that there are.
    prop_oneof![
        (0..12_u8).prop_map(|last| [10, 0, 0, last].into()),
        Just([0, 0, 0, 0].into()),
        Just([255, 255, 255, 255].into()),
    ]
}

fn range<T: Ord + Copy + std::fmt::Debug>(
    ends: (impl Strategy<Value = T>, impl Strategy<Value = T>),
) -> impl Strategy<Value = RangeInclusive<T>> {
    ends.prop_map(|(a, b)| a.min(b)..=a.max(b))
}

fn port() -> impl Strategy<Value = u16> {
    prop_oneof![0..8_u16, Just(u16::MAX)]
}

fn protocol() -> impl Strategy<Value = u8> {
    select(vec![1_u8, 6, 17])
}

fn asked() -> impl Strategy<Value = Asked> {
    prop_oneof![
        interface().prop_map(Asked::In),
        interface().prop_map(Asked::Out),
        range((address(), address())).prop_map(Asked::Source),
        range((address(), address())).prop_map(Asked::Destination),
        protocol().prop_map(Asked::Protocol),
        range((port(), port())).prop_map(Asked::SourcePort),
        range((port(), port())).prop_map(Asked::DestinationPort),
        vec(select(Flow::ALL.to_vec()), 1..3).prop_map(Asked::Flow),
    ]
}

fn conditions() -> impl Strategy<Value = Vec<(Hook, Condition)>> {
    let test = (asked(), any::<bool>()).prop_map(|(asked, is_negated)| Test { asked, is_negated });
    let condition = vec(test, 0..4).prop_map(|tests| Condition { tests });
    vec((select(Hook::ALL.to_vec()), condition), 0..8)
}

fn packet() -> impl Strategy<Value = Packet> {
    let other = || "some0".parse().unwrap();
    let side = || option::of(prop_oneof![interface(), Just(other())]);
    let ports = (port(), port());
    let flow = select(Flow::ALL.to_vec());
    let parts = (
        side(),
        side(),
        address(),
        address(),
        protocol(),
        ports,
        flow,
    );
    parts.prop_map(|(incoming, outgoing, from, to, protocol, ports, flow)| {
        let mut packet = Packet::new(from, to, protocol).unwrap();
        packet.in_interface = incoming;
        packet.out_interface = outgoing;
        if protocol != 1 {
            (packet.source_port, packet.destination_port) = (Some(ports.0), Some(ports.1));
        }
        packet.flow = flow;
        packet
    })
}

/// Whether a packet passes these hooks.
fn passes(hooks: &[Hook], packet: &Packet) -> bool {
    let sides = (
        packet.in_interface.is_some(),
        packet.out_interface.is_some(),
    );
    match hooks.last() {
        Some(Hook::Forward) => sides == (true, true),
        Some(Hook::Input) => sides == (true, false),
        Some(Hook::Output) => sides == (false, true),
        _ => sides.1,
    }
}

/// Which conditions of these hooks hold for a packet.
fn held(all: &[(Hook, Condition)], hooks: &[Hook], packet: &Packet) -> Vec<bool> {
    let its = all.iter().filter(|(at, _)| hooks.contains(at));
    its.map(|(_, condition)| condition.holds(packet)).collect()
}

proptest! {
    /// Whatever the conditions and the packet: some packet of ours is of its class at all hooks
    /// that decide together. That is what makes the classes complete.
    #[test]
    fn every_packet_is_of_one_of_the_classes(
        all in conditions(),
        packets in vec(packet(), 50),
    ) {
        let mut conditions = Conditions::default();
        for (hook, condition) in &all {
            conditions.add(*hook, condition.clone());
        }
        let mut known: HashSet<(&[Hook], Vec<bool>)> = HashSet::new();
        each_class(&conditions, Family::Ipv4, &mut |packet| {
            for hooks in TOGETHER.into_iter().filter(|hooks| passes(hooks, packet)) {
                known.insert((hooks, held(&all, hooks, packet)));
            }
            ControlFlow::Continue(())
        });
        for packet in &packets {
            for hooks in TOGETHER.into_iter().filter(|hooks| passes(hooks, packet)) {
                let class = (hooks, held(&all, hooks, packet));
                prop_assert!(known.contains(&class), "{packet:?} at {hooks:?}: {:?}", class.1);
            }
        }
    }
}

fn count_classes(conditions: &Conditions, family: Family) -> usize {
    let mut count = 0;
    each_class(conditions, family, &mut |_| {
        count += 1;
        ControlFlow::Continue(())
    });
    count
}

fn networks(count: u8) -> Vec<Network> {
    let network = |number: u8| {
        let subnet = |text: String| text.parse().unwrap();
        Network::new(Description {
            subnets: vec![
                subnet(format!("10.0.{number}.0/24")),
                subnet(format!("fd00:{number}::/64")),
            ],
            dhcp: true,
            ..Description::new(
                format!("n{number}").parse().unwrap(),
                Some(format!("br{number}").parse().unwrap()),
                if number.is_multiple_of(2) {
                    Forward::Nat(Nat::default())
                } else {
                    Forward::Route { device: None }
                },
            )
        })
        .unwrap()
    };
    (0..count).map(network).collect()
}

/// Every pair of two bridges is there, and still few enough packets that each can be looked at.
#[test]
fn twenty_networks_are_few_enough() {
    let ruleset = Ruleset::of(&networks(20), Guard::Strict);
    let rules = Ground::of(Reading::BothAgree.of(&ruleset));
    let (conditions, unknown) = rules.conditions(Family::Ipv4);
    assert_eq!(unknown, []);
    let mut pairs = HashSet::new();
    each_class(&conditions, Family::Ipv4, &mut |packet| {
        pairs.insert((packet.in_interface.clone(), packet.out_interface.clone()));
        ControlFlow::Continue(())
    });
    // From and to each bridge, another interface and the host; but nothing from the host to itself.
    assert_eq!(pairs.len(), 22 * 22 - 1);
    let count = count_classes(&conditions, Family::Ipv4);
    assert!((10_000..100_000).contains(&count), "{count}");
}

#[test]
fn without_rules_one_packet_stands_for_all_of_a_hook() {
    assert_eq!(count_classes(&Conditions::default(), Family::Ipv6), 5);
}
