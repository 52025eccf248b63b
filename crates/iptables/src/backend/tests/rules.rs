//! What comes, goes, and is put back.

use palisade_core::network::{Family, Forward};
use proptest::prelude::*;

use super::host::Host;
use super::{Running, nat, network};
use crate::backend::render;
use crate::rule::{Table, placed};
use crate::text::{Counters, Input};

const V4: &str = "iptables-legacy";
const V6: &str = "ip6tables-legacy";

#[test]
fn one_run_for_each_family_and_table_and_nothing_is_left() {
    let host = Host::default();
    let mut running = Running::on(&host, "legacy");
    running.start(&[nat(1), nat(2)]);
    assert_eq!(host.0.borrow().restores, 6);
    let both = host.standing();
    assert_eq!(both.len(), 6, "{both:?}");
    assert_eq!(running.differences(), Vec::<String>::new());
    running.remove(&["net2"]);
    running.start(&[nat(2)]);
    assert_eq!(host.standing(), both);
    let plan = running.remove(&["net1", "net2"]);
    assert_eq!(plan.notes, Vec::<String>::new());
    assert_eq!(host.standing(), Default::default());
}

#[test]
fn later_networks_stand_above_and_exceptions_above_what_they_are_exceptions_from() {
    let host = Host::default();
    let mut running = Running::on(&host, "legacy");
    running.start(&[nat(1)]);
    running.start(&[network(2, Forward::Isolated)]);
    assert_eq!(
        host.rules(V4, "filter", "FORWARD"),
        [
            "-j PALISADE_FWA",
            "-j PALISADE_FWB",
            "-j PALISADE_FWX",
            "-j PALISADE_FWI",
            "-j PALISADE_FWO"
        ]
    );
    let refuse = |n| {
        format!(
            "-i virbr{n} -m comment --comment \"net{n}: refuse out\" -j REJECT --reject-with icmp-port-unreachable"
        )
    };
    let out = "-s 10.0.1.0/24 -i virbr1 -m comment --comment \"net1: out\" -j ACCEPT".to_owned();
    assert_eq!(
        host.rules(V4, "filter", "PALISADE_FWO"),
        [refuse(2), out.clone(), refuse(1)]
    );
    // One that is replaced counts as started anew.
    running.start(&[nat(1)]);
    assert_eq!(
        host.rules(V4, "filter", "PALISADE_FWO"),
        [out, refuse(1), refuse(2)]
    );
    assert_eq!(host.rules(V6, "nat", "PALISADE_PRT"), Vec::<String>::new());
    assert_eq!(host.rules(V6, "nat", "POSTROUTING"), ["-j PALISADE_PRT"]);
    assert_eq!(running.differences(), Vec::<String>::new());
}

#[test]
fn what_is_rendered_is_what_the_first_networks_bring() {
    let host = Host::default();
    let networks = [nat(1), network(2, Forward::Isolated)];
    Running::on(&host, "legacy").start(&networks);
    let rendered = Host::default();
    for (stem, family) in [(V4, Family::Ipv4), (V6, Family::Ipv6)] {
        let text = render(&networks, family);
        for table in text.split_inclusive("COMMIT\n") {
            let input: Input = table.parse().unwrap();
            assert!(rendered.perform(stem, &input), "{input}");
        }
    }
    assert_eq!(rendered.standing(), host.standing());
    assert_eq!(render(&[], Family::Ipv4), "");
}

#[test]
fn counters_of_rules_that_come_again_are_kept() {
    let host = Host::default();
    let mut running = Running::on(&host, "legacy");
    running.start(&[nat(1)]);
    let counted = Some(Counters {
        packets: 7,
        bytes: 700,
    });
    host.meddle(V4, "filter", |table| {
        table
            .rules
            .iter_mut()
            .for_each(|rule| rule.counters = counted);
    });
    running.start(&[nat(1)]);
    host.meddle(V4, "filter", |table| {
        for rule in &table.rules {
            assert_eq!(rule.counters, counted, "{rule}");
        }
    });
}

/// Whatever single thing is missing comes back to where it was.
#[test]
fn each_missing_rule_comes_back_to_its_place() {
    let host = Host::default();
    let mut running = Running::on(&host, "legacy");
    running.start(&[nat(1), nat(2)]);
    let theirs = "-s 10.9.9.9/32 -j DROP";
    host.put(V4, "filter", "PALISADE_FWO", 4, theirs);
    let whole = host.standing();
    for stem in [V4, V6] {
        for table in Table::ALL.map(Table::name) {
            let mut all = Vec::new();
            host.meddle(stem, table, |table| all = table.rules.clone());
            all.retain(|rule| rule.words.to_string() != theirs);
            for rule in all {
                host.meddle(stem, table, |table| {
                    table.rules.retain(|other| *other != rule);
                });
                let told = running.differences();
                assert_eq!(
                    told.len(),
                    2,
                    "it, and the rule that is not ours: {told:#?}"
                );
                let plan = running.restore();
                assert_eq!(plan.steps.len(), 1, "{rule}");
                assert_eq!(host.standing(), whole, "{rule}");
            }
        }
    }
    let plan = running.restore();
    assert!(plan.steps.is_empty() && plan.restored.iter().all(Option::is_none));
}

#[test]
fn flushed_chains_and_tables_are_filled_again() {
    let host = Host::default();
    let mut running = Running::on(&host, "legacy");
    running.start(&[nat(1), nat(2)]);
    let whole = host.standing();
    host.meddle(V4, "filter", |table| table.rules.clear());
    host.meddle(V4, "nat", |table| {
        table.rules.clear();
        table.chains.retain(|chain| chain.policy.is_some());
    });
    let plan = running.restore();
    assert!(plan.restored.iter().all(Option::is_some));
    assert_eq!(
        plan.restored[0].as_ref(),
        Some(&running.records[0].installed)
    );
    assert_eq!(host.standing(), whole);
    host.0.borrow_mut().tables.clear();
    running.restore();
    assert_eq!(
        host.standing()[&format!("{V4} nat")],
        whole[&format!("{V4} nat")]
    );
}

#[test]
fn rules_in_another_order_are_put_in_order() {
    let host = Host::default();
    let mut running = Running::on(&host, "legacy");
    running.start(&[nat(1), nat(2)]);
    let whole = host.standing();
    host.meddle(V4, "filter", |table| table.rules.reverse());
    let told = running.differences();
    assert!(
        told.iter().any(|d| d.contains(" Order: chain `FORWARD`")),
        "{told:#?}"
    );
    assert!(
        told.iter()
            .any(|d| d.starts_with("net1 Order: chain `PALISADE_FWO`")),
        "{told:#?}"
    );
    running.restore();
    assert_eq!(host.standing(), whole);
    assert_eq!(running.differences(), Vec::<String>::new());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Any course of starts and removals leaves what plain insertions at the head would.
    #[test]
    fn any_course_leaves_what_plain_insertions_would(
        course in proptest::collection::vec((0..5_u8, 0..3_u8), 1..12),
    ) {
        let host = Host::default();
        let mut running = Running::on(&host, "legacy");
        let mut expected: Vec<(u8, u8)> = Vec::new();
        for (number, what) in course {
            let is_there = expected.iter().any(|(other, _)| *other == number);
            expected.retain(|(other, _)| *other != number);
            let forward = match what {
                0 if is_there => {
                    running.remove(&[&format!("net{number}")]);
                    continue;
                }
                0 => continue,
                1 => Forward::Route { device: None },
                _ => Forward::Isolated,
            };
            expected.push((number, what));
            running.start(&[network(number, forward)]);
        }
        let mut out: Vec<String> = Vec::new();
        for (number, what) in expected {
            let forward = match what {
                1 => Forward::Route { device: None },
                _ => Forward::Isolated,
            };
            for placed in placed(&network(number, forward), Family::Ipv4) {
                if placed.chain == "PALISADE_FWI" {
                    out.insert(0, placed.words.to_string());
                }
            }
        }
        prop_assert_eq!(host.rules(V4, "filter", "PALISADE_FWI"), out);
        prop_assert_eq!(running.differences(), Vec::<String>::new());
    }
}
