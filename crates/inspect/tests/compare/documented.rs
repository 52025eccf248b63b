//! The documented differences, on networks that meet with them.

use palisade::network::{Forward, Nat};
use palisade_core::evaluate::{Difference, Verdict};
use palisade_inspect::compare::{Comparison, compare};

use crate::networks::{described, subnet};

fn found(comparison: &Comparison) -> Vec<Difference> {
    let documented = comparison.documented.iter();
    documented.map(|documented| documented.difference).collect()
}

#[test]
fn an_isolated_network_beside_a_routed_one_meets_with_both() {
    let isolated = described(0, Forward::Isolated, vec![subnet("10.0.0.0/24")]);
    let route = Forward::Route { device: None };
    let routed = described(1, route, vec![subnet("10.0.1.0/24")]);
    let comparison = compare(&[isolated, routed]).unwrap();
    assert!(comparison.is_as_documented(), "{comparison:#?}");
    let both = [Difference::BothMustAgree, Difference::EveryBridgeGuarded];
    assert_eq!(found(&comparison), both);
    for documented in &comparison.documented {
        let [flat, mapped] = &documented.example.sides;
        assert_eq!(flat.fate.verdict, Verdict::Accept);
        assert_eq!(mapped.fate.verdict, Verdict::Reject);
        assert!(!mapped.path.is_empty());
    }
}

#[test]
fn a_network_with_both_families_alone_meets_with_none() {
    let nat = Forward::Nat(Nat {
        ipv6: true,
        ..Nat::default()
    });
    let subnets = vec![subnet("10.0.0.0/24"), subnet("fd00::/64")];
    let comparison = compare(&[described(0, nat, subnets)]).unwrap();
    assert!(comparison.is_as_documented(), "{comparison:#?}");
    assert_eq!(found(&comparison), []);
}

#[test]
fn networks_that_cannot_run_side_by_side_are_not_compared() {
    let network = |number| described(number, Forward::Isolated, vec![subnet("10.0.0.0/24")]);
    let error = compare(&[network(0), network(1)]).unwrap_err();
    assert!(error.to_string().contains("10.0.0.0/24"), "{error}");
}
