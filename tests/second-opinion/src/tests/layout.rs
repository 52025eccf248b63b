//! The rules and elements of both layouts, as far as rustables can express them.

use std::collections::BTreeSet;

use palisade_core::network::{
    AddressRange, Description, Family, Forward, InterfaceName, Nat, Network, PortRange,
};
use palisade_nft::layout::{Layout, TableName};
use palisade_nft::parts::wire::{self, Kind};
use palisade_nft::program::Program;
use palisade_nft::statement::statements;
use rustables::MsgType;

use super::{read_rule, sent_one};

fn network(name: &str, forward: Forward, subnets: &[&str]) -> Network {
    Network::new(Description {
        subnets: subnets
            .iter()
            .map(|subnet| subnet.parse().unwrap())
            .collect(),
        ipv6: true,
        dhcp: true,
        ..Description::new(
            name.parse().unwrap(),
            Some(format!("vir-{name}").parse().unwrap()),
            forward,
        )
    })
    .unwrap()
}

fn device() -> Option<InterfaceName> {
    Some("eth0".parse().unwrap())
}

/// A network of each mode, in both families.
fn networks() -> Vec<Network> {
    let both = Nat {
        ipv6: true,
        ..Nat::default()
    };
    let addresses = AddressRange::new(
        "203.0.113.5".parse().unwrap(),
        "203.0.113.9".parse().unwrap(),
    );
    let ranges = Nat {
        device: device(),
        addresses: Some(addresses.unwrap()),
        ports: PortRange::new(5000, 6000).unwrap(),
        ipv6: false,
        ..Nat::default()
    };
    vec![
        network(
            "nat",
            Forward::Nat(both),
            &["192.168.122.0/24", "fd00:1::/64"],
        ),
        network(
            "range",
            Forward::Nat(ranges),
            &["10.1.0.0/18", "fd00:2::/61"],
        ),
        network(
            "route",
            Forward::Route { device: None },
            &["10.2.0.0/16", "fd00:3::/48"],
        ),
        network("via", Forward::Route { device: device() }, &["10.3.0.0/30"]),
        network("isolated", Forward::Isolated, &["10.4.0.0/24"]),
    ]
}

fn program(layout: Layout, family: Family) -> Program {
    let networks = networks();
    let networks: Vec<(Layout, &Network)> = networks.iter().map(|n| (layout, n)).collect();
    Program::of(&TableName::default(), family, &networks).unwrap()
}

/// Reads what rustables makes of a program. Gives back the rules, in nft syntax, that it cannot
/// express, and how many it can.
fn read(program: &Program) -> (BTreeSet<String>, usize) {
    let theirs = crate::table(&program.table).unwrap();
    let sent = sent_one(&theirs, MsgType::Add);
    assert_eq!(
        wire::table::decode(sent.family, &sent.body),
        Ok(program.table.clone())
    );
    let (mut silent, mut told) = (BTreeSet::new(), 0);
    for filled in &program.chains {
        let their_chain = crate::chain(&theirs, &filled.chain).unwrap();
        let sent = sent_one(&their_chain, MsgType::Add);
        assert_eq!(
            wire::chain::decode(sent.family, &sent.body),
            Ok(filled.chain.clone())
        );
        for rule in &filled.rules {
            let Some(their_rule) = crate::rule(&their_chain, rule) else {
                silent.insert(format!("{rule:#}"));
                continue;
            };
            let read = read_rule(&their_rule);
            assert_eq!(statements(&read.expressions), statements(&rule.expressions));
            assert_eq!(&read, rule);
            told += 1;
        }
    }
    (silent, told)
}

/// What rustables has no words for: ports and ranges of translations, the codes of ICMPv6, and routes.
fn beyond(rule: &str) -> bool {
    let translates = rule.contains("masquerade to :") || rule.contains("snat ");
    translates || rule.contains("reject") || rule.contains("fib saddr")
}

#[test]
fn flat() {
    for family in [Family::Ipv4, Family::Ipv6] {
        let (silent, told) = read(&program(Layout::Flat, family));
        let unexplained: Vec<&String> = silent.iter().filter(|rule| !beyond(rule)).collect();
        assert!(unexplained.is_empty(), "{family:?}: {unexplained:#?}");
        // Of IPv4's codes it has ours by accident: its "admin prohibited" of icmpx is 3 too.
        let rejects = silent.iter().any(|rule| rule.contains("reject"));
        assert_eq!(rejects, family == Family::Ipv6);
        assert!(
            told > silent.len(),
            "{family:?}: {told} told, {} not",
            silent.len()
        );
    }
}

/// Of concatenations, rustables can only say those whose parts begin at every fourth word.
#[test]
fn mapped() {
    for family in [Family::Ipv4, Family::Ipv6] {
        let (silent, told) = read(&program(Layout::Mapped, family));
        let unexplained: Vec<&String> = silent
            .iter()
            .filter(|rule| !beyond(rule) && !rule.contains("@same_"))
            .collect();
        assert!(unexplained.is_empty(), "{family:?}: {unexplained:#?}");
        assert!(
            told > silent.len(),
            "{family:?}: {told} told, {} not",
            silent.len()
        );
    }
}

#[test]
fn sets_and_elements_of_mapped() {
    let mut told = 0;
    for family in [Family::Ipv4, Family::Ipv6] {
        let program = program(Layout::Mapped, family);
        let theirs = crate::table(&program.table).unwrap();
        for filled in program.sets {
            // It has no counters in sets, and no comments at elements.
            let mut set = filled.set;
            set.expressions.clear();
            let sent = sent_one(&crate::set(&set).unwrap(), MsgType::Add);
            assert_eq!(wire::set::decode(sent.family, &sent.body), Ok(set.clone()));
            let mut ours = filled.elements;
            for element in &mut ours {
                element.expressions.clear();
                element.userdata.0.clear();
            }
            let name = set.name.as_str();
            let elements = match set.key_len {
                4 => crate::elements::<4>(&theirs, name, &ours),
                8 => crate::elements::<8>(&theirs, name, &ours),
                16 => crate::elements::<16>(&theirs, name, &ours),
                20 => crate::elements::<20>(&theirs, name, &ours),
                32 => crate::elements::<32>(&theirs, name, &ours),
                36 => crate::elements::<36>(&theirs, name, &ours),
                48 => crate::elements::<48>(&theirs, name, &ours),
                other => panic!("a key of {other} bytes in {name}"),
            };
            let sent = sent_one(&elements.unwrap(), MsgType::Add);
            assert_eq!(sent.kind, Kind::NEW_ELEMENT);
            let read = wire::element::decode(sent.family, &sent.body).unwrap();
            told += read.elements.len();
            assert_eq!((read.set.as_str(), read.elements), (name, ours));
        }
    }
    assert!(told > 20, "{told}");
}
