//! The documented differences, on networks that meet with them.

use palisade::Network;
use palisade::network::{Description, Forward, LogRefused, MssClamp, Nat, SegmentSize};
use palisade_core::evaluate::Difference;
use palisade_inspect::compare::{Comparison, compare};

use crate::networks::{described, name, subnet};

/// In the order in which they are documented.
fn found(comparison: &Comparison) -> Vec<Difference> {
    let documented = comparison.documented.iter();
    let mut found: Vec<Difference> = documented.map(|documented| documented.difference).collect();
    found.sort();
    found
}

#[test]
fn an_isolated_network_beside_a_routed_one_meets_with_those_about_both() {
    let isolated = described(0, Forward::Isolated, vec![subnet("10.0.0.0/24")]);
    let route = Forward::Route { device: None };
    let routed = described(1, route, vec![subnet("10.0.1.0/24")]);
    let comparison = compare(&[isolated, routed]).unwrap();
    assert!(comparison.is_as_documented(), "{comparison:#?}");
    let met = [
        Difference::BothMustAgree,
        Difference::EveryBridgeGuarded,
        Difference::NoForgedSource,
    ];
    assert_eq!(found(&comparison), met);
    for documented in &comparison.documented {
        let [flat, mapped] = &documented.example.sides;
        assert!(!mapped.fate.verdict.passes());
        assert_ne!(flat.fate.verdict, mapped.fate.verdict);
        assert!(!mapped.path.is_empty());
    }
}

#[test]
fn a_nat_network_alone_meets_with_those_about_it() {
    let nat = Forward::Nat(Nat {
        ipv6: true,
        ..Nat::default()
    });
    let subnets = vec![subnet("10.0.0.0/24"), subnet("fd00::/64")];
    let comparison = compare(&[described(0, nat, subnets)]).unwrap();
    assert!(comparison.is_as_documented(), "{comparison:#?}");
    let met = [
        Difference::NothingUntranslated,
        Difference::NoForgedSource,
        Difference::BridgeUntranslated,
    ];
    assert_eq!(found(&comparison), met);
}

#[test]
fn a_routed_network_meets_with_forged_sources_alone() {
    let route = Forward::Route { device: None };
    let comparison = compare(&[described(0, route, vec![subnet("10.0.0.0/24")])]).unwrap();
    assert!(comparison.is_as_documented(), "{comparison:#?}");
    let met = found(&comparison);
    assert!(met.contains(&Difference::NoForgedSource), "{met:?}");
    assert!(!met.contains(&Difference::NothingUntranslated), "{met:?}");
    assert!(!met.contains(&Difference::BridgeUntranslated), "{met:?}");
}

/// Packets to a forward are compared before NAT translates them and behind it.
#[test]
fn forwards_mean_the_same_everywhere() {
    let of = |number, forward, subnets: &[&str], forwards: &[&str]| {
        Network::new(Description {
            subnets: subnets.iter().map(|text| subnet(text)).collect(),
            forwards: forwards.iter().map(|text| text.parse().unwrap()).collect(),
            ..Description::new(
                format!("n{number}").parse().unwrap(),
                Some(name(&format!("br{number}"))),
                forward,
            )
        })
        .unwrap()
    };
    let nat = Forward::Nat(Nat::default());
    let nat = of(
        0,
        nat,
        &["10.0.0.0/24", "fd00::/64"],
        &[
            "tcp 203.0.113.7:8080 -> 10.0.0.11:80",
            "tcp 8081 -> 10.0.0.11:80",
            "udp 5353 -> 10.0.0.12:53",
            "tcp [2001:db8::7]:443 -> [fd00::11]:443",
        ],
    );
    let quiet = of(
        1,
        Forward::Isolated,
        &["10.0.1.0/24"],
        &["tcp 8083 -> 10.0.1.11:80", "sctp 1 -> 10.0.1.11:65535"],
    );
    let bound = Forward::Route {
        device: Some(name("eth0")),
    };
    let bound = of(2, bound, &["10.0.2.0/24"], &["tcp 8084 -> 10.0.2.11:80"]);
    let comparison = compare(&[nat, quiet, bound]).unwrap();
    assert!(comparison.is_as_documented(), "{comparison:#?}");
}

/// It is none between layouts: all of them refuse.
#[test]
fn isolated_ports_are_no_difference() {
    let network = |isolated_ports| {
        Network::new(Description {
            isolated_ports,
            subnets: vec![subnet("10.0.0.0/24")],
            ..Description::new(
                "n0".parse().unwrap(),
                Some(name("br0")),
                Forward::Route { device: None },
            )
        })
        .unwrap()
    };
    let [plain, isolated] = [false, true].map(|isolated| compare(&[network(isolated)]).unwrap());
    assert!(isolated.is_as_documented(), "{isolated:#?}");
    assert_eq!(found(&isolated), found(&plain));
}

/// Rules that change the segment size decide nothing.
#[test]
fn segment_sizes_are_no_difference() {
    for clamp in [
        MssClamp::RouteMtu,
        MssClamp::Size(SegmentSize::new(1300).unwrap()),
    ] {
        let network = |mss_clamp| {
            Network::new(Description {
                mss_clamp,
                subnets: vec![subnet("10.0.0.0/24"), subnet("fd00::/64")],
                ..Description::new(
                    "n0".parse().unwrap(),
                    Some(name("br0")),
                    Forward::Route { device: None },
                )
            })
            .unwrap()
        };
        let [plain, clamped] = [None, Some(clamp)].map(|clamp| compare(&[network(clamp)]).unwrap());
        assert!(clamped.is_as_documented(), "{clamped:#?}");
        assert_eq!(found(&clamped), found(&plain));
    }
}

/// Rules that log decide nothing, and what refuses behind them is as documented.
#[test]
fn logging_is_no_difference() {
    let nat = Nat {
        ipv6: true,
        ..Nat::default()
    };
    for forward in [Forward::Nat(nat), Forward::Isolated] {
        for isolated_ports in [false, true] {
            let network = |log| {
                Network::new(Description {
                    isolated_ports,
                    log,
                    subnets: vec![subnet("10.0.0.0/24"), subnet("fd00::/64")],
                    ..Description::new("n0".parse().unwrap(), Some(name("br0")), forward.clone())
                })
                .unwrap()
            };
            let [plain, logged] =
                [None, Some(LogRefused::default())].map(|log| compare(&[network(log)]).unwrap());
            assert!(logged.is_as_documented(), "{logged:#?}");
            assert_eq!(found(&logged), found(&plain));
        }
    }
}

#[test]
fn networks_that_cannot_run_side_by_side_are_not_compared() {
    let network = |number| described(number, Forward::Isolated, vec![subnet("10.0.0.0/24")]);
    let error = compare(&[network(0), network(1)]).unwrap_err();
    assert!(error.to_string().contains("10.0.0.0/24"), "{error}");
}
