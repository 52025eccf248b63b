//! What is changed in one thing is noticed, unless it means the same; what is not noticed is listed
//! with the reason.

use palisade::Network;
use palisade::compare::Lowered;
use palisade::network::{Family, Forward, Nat};

use crate::mutants::{self, Mutant};
use crate::networks::{described, name, range, subnet};

/// One of each kind, as few packets as possible.
fn networks() -> Vec<Network> {
    let nat = Nat {
        ipv6: true,
        ..Nat::default()
    };
    let bound = Nat {
        device: Some(name("eth0")),
        addresses: Some(range([203, 0, 113, 4], [203, 0, 113, 7])),
        ..Nat::default()
    };
    let route = Forward::Route { device: None };
    vec![
        described(
            0,
            Forward::Nat(nat),
            vec![subnet("10.0.0.0/24"), subnet("fd00:0:0:2::/63")],
        ),
        described(1, Forward::Nat(bound), vec![subnet("10.0.1.0/26")]),
        described(2, route, vec![subnet("10.0.2.0/25"), subnet("fd00:2::/64")]),
        described(3, Forward::Isolated, vec![subnet("10.0.3.0/24")]),
    ]
}

/// Those that are not noticed, and how many there are.
fn survivors<T>(all: Vec<Mutant<T>>, put: impl Fn(T) -> Lowered) -> (usize, Vec<String>) {
    let count = all.len();
    let survives = |mutant: Mutant<T>| {
        let is_noticed = match put(mutant.result).compare() {
            Ok(comparison) => !comparison.is_as_documented(),
            // A rule that asks for what none of ours asks for.
            Err(error) => {
                assert!(!error.hint().is_empty());
                true
            }
        };
        (!is_noticed).then_some(mutant.what)
    };
    (count, all.into_iter().filter_map(survives).collect())
}

fn told(count: usize, survivors: &[String]) -> String {
    format!(
        "{count} mutants, {} survive\n{}\n",
        survivors.len(),
        survivors.join("\n")
    )
}

fn of_flat(family: Family) -> String {
    let lowered = Lowered::of(&networks(), family);
    let all = mutants::of_program(lowered.flat.as_ref().unwrap());
    let (count, survivors) = survivors(all, |flat| Lowered {
        flat: Some(flat),
        ..lowered.clone()
    });
    told(count, &survivors)
}

fn of_mapped(family: Family) -> String {
    let lowered = Lowered::of(&networks(), family);
    let all = mutants::of_program(lowered.mapped.as_ref().unwrap());
    let (count, survivors) = survivors(all, |mapped| Lowered {
        mapped: Some(mapped),
        ..lowered.clone()
    });
    told(count, &survivors)
}

fn of_iptables(family: Family) -> String {
    let lowered = Lowered::of(&networks(), family);
    let all = mutants::of_tables(&lowered.saved);
    let (count, survivors) = survivors(all, |saved| Lowered {
        saved,
        ..lowered.clone()
    });
    told(count, &survivors)
}

#[test]
fn flat() {
    insta::assert_snapshot!("flat_ipv4", of_flat(Family::Ipv4));
    insta::assert_snapshot!("flat_ipv6", of_flat(Family::Ipv6));
}

#[test]
fn mapped() {
    insta::assert_snapshot!("mapped_ipv4", of_mapped(Family::Ipv4));
    insta::assert_snapshot!("mapped_ipv6", of_mapped(Family::Ipv6));
}

#[test]
fn iptables() {
    insta::assert_snapshot!("iptables_ipv4", of_iptables(Family::Ipv4));
    insta::assert_snapshot!("iptables_ipv6", of_iptables(Family::Ipv6));
}

/// A family that one side forgets.
#[test]
fn a_table_that_is_missing_is_noticed() {
    for family in Family::BOTH {
        let lowered = || Lowered::of(&networks(), family);
        let without = [
            Lowered {
                flat: None,
                ..lowered()
            },
            Lowered {
                mapped: None,
                ..lowered()
            },
            Lowered {
                saved: Vec::new(),
                ..lowered()
            },
        ];
        for lowered in without {
            assert!(!lowered.compare().unwrap().is_as_documented());
        }
    }
}
