use palisade_core::network::{
    AddressRange, Description, Established, Forward, Nat, Network, PortRange, Subnet, conflicts,
};
use palisade_core::rules::Rule as CoreRule;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::object::{Comparison, Counter, Userdata, Verdict};
use crate::statement::{self, End, Statement};

fn subnet(number: u8, prefix: u8) -> impl Strategy<Value = Subnet> {
    prop_oneof![
        Just(format!("10.{number}.0.0/{}", prefix.clamp(16, 32))),
        Just(format!("fd00:{number:x}::/{}", prefix.clamp(32, 128))),
    ]
    .prop_map(|text| text.parse().unwrap())
}

fn forward() -> impl Strategy<Value = Forward> {
    let device = proptest::option::of(Just("eth0.7".parse().unwrap()));
    let ports = (1_u16.., 0_u16..9)
        .prop_map(|(start, more)| PortRange::new(start, start.saturating_add(more)).unwrap());
    let addresses = proptest::option::of((1_u8..9, 0_u8..3).prop_map(|(start, more)| {
        let at = |n| std::net::Ipv4Addr::new(203, 0, 113, n);
        AddressRange::new(at(start), at(start + more)).unwrap()
    }));
    let nat = (device.clone(), addresses, ports, any::<bool>());
    let nat = nat.prop_map(|(device, addresses, ports, ipv6)| {
        Forward::Nat(Nat {
            device,
            addresses,
            ports,
            ipv6,
            ..Nat::default()
        })
    });
    prop_oneof![
        Just(Forward::Isolated),
        Just(Forward::Open),
        device.prop_map(|device| Forward::Route { device }),
        nat.clone(),
        nat,
    ]
}

fn network(number: u8) -> impl Strategy<Value = Network> {
    let subnets = (subnet(number, 0), subnet(number + 100, 24), 8_u8..129);
    let subnets = subnets.prop_flat_map(move |(first, second, prefix)| {
        prop_oneof![
            Just(vec![first, second]),
            subnet(number, prefix).prop_map(|one| vec![one]),
        ]
    });
    let established = select(Established::ALL.to_vec());
    let parts = (forward(), subnets, any::<bool>(), established);
    parts.prop_map(move |(forward, subnets, ipv6, established)| {
        Network::new(Description {
            subnets,
            ipv6,
            dhcp: true,
            ..Description::new(
                // A name that looks like the comment of a rule.
                format!("net: {number}: out").parse().unwrap(),
                Some(format!("virbr{number}").parse().unwrap()),
                forward,
            )
        })
        .unwrap()
        .with_established(established)
    })
}

fn networks() -> impl Strategy<Value = Vec<Network>> {
    (0_usize..5).prop_flat_map(|count| (0..count as u8).map(network).collect::<Vec<_>>())
}

/// The rules that a layout has a place for, whatever the order of networks.
fn meant(networks: &[Network], layout: Layout, family: Family) -> Vec<CoreRule> {
    let ruleset = Ruleset::of(networks, layout.guard());
    let rules = ruleset.rules().iter();
    let mut rules: Vec<CoreRule> = rules
        .filter(|rule| rule.layer == family.into())
        .filter(|rule| layout::omission(rule.kind).is_none())
        .cloned()
        .collect();
    rules.sort();
    rules
}

fn program(networks: &[Network], layout: Layout, family: Family) -> Option<Program> {
    let placed: Vec<_> = networks.iter().map(|network| (layout, network)).collect();
    Program::of(&TableName::default(), family, &placed)
}

proptest! {
    #[test]
    fn a_program_means_what_its_networks_mean(networks in networks()) {
        prop_assume!(conflicts(&networks).is_empty());
        for layout in Layout::ALL {
            for family in Family::BOTH {
                let meant = meant(&networks, layout, family);
                let Some(program) = program(&networks, layout, family) else {
                    prop_assert!(meant.is_empty());
                    continue;
                };
                let lifted = lift(&program).unwrap();
                prop_assert_eq!(&lifted.strange, &[]);
                let mut read = lifted.ruleset.rules().to_vec();
                read.sort();
                prop_assert_eq!(read, meant);
            }
        }
    }

    /// In `flat`, the order is that of the ruleset too.
    #[test]
    fn flat_has_the_order_of_the_ruleset(networks in networks()) {
        prop_assume!(conflicts(&networks).is_empty());
        for family in Family::BOTH {
            let Some(program) = program(&networks, Layout::Flat, family) else { continue };
            let ruleset = Ruleset::of(&networks, Layout::Flat.guard());
            let meant = ruleset.rules().iter().filter(|rule| rule.layer == family.into());
            let meant = meant.filter(|rule| layout::omission(rule.kind).is_none());
            let meant = Ruleset::in_order(meant.cloned().collect());
            prop_assert_eq!(lift(&program).unwrap().ruleset, meant);
        }
    }
}

fn nat_network() -> Vec<Network> {
    vec![
        Network::new(Description {
            subnets: vec!["192.168.122.0/24".parse().unwrap()],
            ..Description::new(
                "default".parse().unwrap(),
                Some("virbr0".parse().unwrap()),
                Forward::Nat(Nat::default()),
            )
        })
        .unwrap(),
    ]
}

#[test]
fn what_somebody_else_put_there_is_told() {
    for (layout, chain) in [
        (Layout::Flat, "guest_output"),
        (Layout::Mapped, "from_guest"),
    ] {
        let mut program = program(&nat_network(), layout, Family::Ipv4).unwrap();
        let meaning = lift(&program).unwrap().ruleset;
        let net = "10.9.0.0/16".parse().unwrap();
        let mut rule = program.chain(chain).unwrap().rules[0].clone();
        rule.expressions = statement::expressions(&[
            statement::address(End::Source, Comparison::Equal, net),
            Statement::Counter(Counter::default()),
            Statement::Verdict(Verdict::Accept),
        ]);
        rule.userdata = Userdata::comment("mine");
        let chains = program.chains.iter_mut();
        let place = chains.into_iter().find(|c| c.chain.name == chain).unwrap();
        place.rules.insert(0, rule);
        let lifted = lift(&program).unwrap();
        assert_eq!(lifted.ruleset, meaning);
        assert_eq!(lifted.strange.len(), 1, "{:?}", lifted.strange);
        assert!(lifted.strange[0].text.starts_with("ip saddr 10.9.0.0/16"));
    }
}

#[test]
fn elements_count_only_where_their_set_is_asked() {
    let mut program = program(&nat_network(), Layout::Mapped, Family::Ipv4).unwrap();
    let from_guest = program
        .chains
        .iter_mut()
        .find(|c| c.chain.name == "from_guest");
    let out = Some("palisade: out of a /24");
    let rules = &mut from_guest.unwrap().rules;
    rules.retain(|rule| rule.userdata.text() != out);
    let lifted = lift(&program).unwrap();
    assert_eq!(lifted.strange.len(), 1);
    assert!(lifted.strange[0].missing);
    let out = palisade_core::rules::RuleKind::Out;
    assert!(!lifted.ruleset.rules().iter().any(|rule| rule.kind == out));
    assert!(!lifted.ruleset.rules().is_empty());
}
