//! Programs that fail, at every one of their runs.

use palisade_core::Hint;
use palisade_core::backend::{Backend, Change, RunError, Step};
use palisade_core::network::{Description, Forward, LogRefused, Network};
use palisade_core::rules::{Guard, Rule, RuleKind, rules};

use super::host::{Failure, Host};
use super::{Running, lock, nat, network, placement};

const V4: &str = "iptables-legacy";

/// Fails the course's runs one after another; each time all must be as it was before.
fn walk(course: impl Fn(&mut Running) -> Result<(), RunError>) {
    for failure in [Failure::Refusal, Failure::Lock, Failure::Death] {
        let mut reached_the_end = false;
        for number in 0..20 {
            let host = Host::default();
            let mut running = Running::on(&host, "legacy");
            host.put(V4, "filter", "FORWARD", 0, "-j ACCEPT");
            running.start(&[nat(1), nat(2), network(3, Forward::Isolated)]);
            host.put(V4, "filter", "FORWARD", 0, "-s 10.9.9.9/32 -j DROP");
            let before = host.standing();
            let begun = host.0.borrow().restores;
            host.0.borrow_mut().fails_at = Some((begun + number, failure));
            if course(&mut running).is_ok() {
                // Either no run was the one to fail, or it was one that can be done without.
                reached_the_end |= host.0.borrow().restores <= begun + number;
                continue;
            }
            assert_eq!(host.standing(), before, "{failure:?} of run {number}");
        }
        assert!(reached_the_end);
    }
}

#[test]
fn an_apply_that_fails_leaves_nothing() {
    walk(|running| running.reach(&[nat(4)], &[]).map(drop));
}

#[test]
fn a_replace_that_fails_leaves_the_old() {
    walk(|running| {
        let route = Forward::Route { device: None };
        running.reach(&[network(2, route)], &[]).map(drop)
    });
}

#[test]
fn a_removal_that_fails_leaves_all() {
    walk(|running| running.reach(&[], &["net2"]).map(drop));
    walk(|running| running.reach(&[], &["net1", "net2", "net3"]).map(drop));
}

#[test]
fn nothing_that_takes_rules_away_can_be_done_without() {
    for number in 0..4 {
        let host = Host::default();
        let mut running = Running::on(&host, "legacy");
        running.start(&[nat(1), nat(2)]);
        let begun = host.0.borrow().restores;
        host.0.borrow_mut().fails_at = Some((begun + number, Failure::Refusal));
        let failed = running.reach(&[], &["net1"]).is_err();
        assert!(
            failed && host.0.borrow().restores > begun + number,
            "run {number}"
        );
    }
}

#[test]
fn an_undo_may_be_done_twice_or_where_nothing_happened() {
    let host = Host::default();
    let mut running = Running::on(&host, "legacy");
    running.start(&[nat(1), nat(2)]);
    let before = host.standing();
    let records = running.records.clone();
    let change = Change {
        keep: vec![&records[1]],
        remove: vec![&records[0]],
        ..Change::default()
    };
    let plan = running.backend.plan(&change).unwrap();
    let undo = |running: &mut Running, steps: &[Step]| {
        for step in steps.iter().rev() {
            running.backend.run(&step.undo, &lock()).unwrap();
        }
    };
    undo(&mut running, &plan.steps);
    assert_eq!(host.standing(), before);
    for step in &plan.steps {
        assert!(!running.backend.has_landed(step).unwrap(), "{}", step.what);
        running.backend.run(&step.payload, &lock()).unwrap();
        assert!(running.backend.has_landed(step).unwrap(), "{}", step.what);
    }
    undo(&mut running, &plan.steps);
    undo(&mut running, &plan.steps);
    assert_eq!(host.standing(), before);
}

#[test]
fn whether_a_change_landed_is_seen_for_every_kind() {
    let host = Host::default();
    let mut running = Running::on(&host, "legacy");
    running.start(&[nat(1), nat(2)]);
    let (first, placement) = (nat(1), placement("legacy"));
    let add = |network| palisade_core::backend::Addition {
        network,
        placement: &placement,
        order: 2,
    };
    let records = running.records.clone();
    // Replaced by its like: rules only move to the head.
    let same = Change {
        keep: vec![&records[1]],
        remove: vec![&records[0]],
        add: vec![add(&first)],
        ..Change::default()
    };
    let other = nat(3);
    let new = Change {
        keep: records.iter().collect(),
        add: vec![add(&other)],
        ..Change::default()
    };
    // Tables in which no network has rules: only the chains go.
    let all = Change {
        remove: records.iter().collect(),
        ..Change::default()
    };
    for change in [same, new, all] {
        let plan = running.backend.plan(&change).unwrap();
        assert!(!plan.steps.is_empty());
        for step in &plan.steps {
            assert!(!running.backend.has_landed(step).unwrap(), "{}", step.what);
            running.backend.run(&step.payload, &lock()).unwrap();
            assert!(running.backend.has_landed(step).unwrap(), "{}", step.what);
        }
    }
}

#[test]
fn a_table_that_changed_since_the_plan_is_told_apart_from_a_refusal() {
    let host = Host::default();
    let mut running = Running::on(&host, "legacy");
    running.start(&[nat(1)]);
    let records = running.records.clone();
    let change = Change {
        remove: vec![&records[0]],
        ..Change::default()
    };
    let plan = running.backend.plan(&change).unwrap();
    host.meddle(V4, "filter", |table| {
        let of_chain = |rule: &crate::text::Rule| rule.chain == "PALISADE_FWO";
        let at = table.rules.iter().position(of_chain).unwrap();
        table.rules.remove(at);
    });
    let error = running
        .backend
        .run(&plan.steps[0].payload, &lock())
        .unwrap_err();
    assert!(matches!(error, RunError::Stale), "{error}");
    // Planned again, it is done.
    running.remove(&["net1"]);
    assert_eq!(host.standing(), Default::default());
}

#[test]
fn a_failure_names_program_table_line_and_the_way_out() {
    let host = Host::default();
    let mut running = Running::on(&host, "legacy");
    host.0.borrow_mut().unknown_word = Some("MASQUERADE");
    let RunError::Failed(error) = running.reach(&[nat(1)], &[]).unwrap_err() else {
        panic!("not a failure")
    };
    assert_eq!(
        error.to_string(),
        "iptables: iptables-legacy-restore refused line 12 for table `nat` (-I PALISADE_PRT -s \
         10.0.1.0/24 ! -d 10.0.1.0/24 -m comment --comment \"net1: nat\" -j MASQUERADE): line 12 \
         failed"
    );
    assert!(!error.hint().is_empty());
    assert_eq!(host.standing(), Default::default());
}

#[test]
fn networks_do_without_the_checksum_rule() {
    let host = Host::default();
    let mut running = Running::on(&host, "legacy");
    host.0.borrow_mut().unknown_word = Some("CHECKSUM");
    running.start(&[nat(1)]);
    let checksum = rules(&running.records[0].network, Guard::Libvirt);
    let checksum = checksum
        .iter()
        .find(|rule| rule.kind == RuleKind::Checksum)
        .unwrap();
    assert_eq!(
        host.rules(V4, "mangle", "PALISADE_PRT"),
        Vec::<String>::new()
    );
    assert_eq!(running.differences(), Vec::<String>::new());
    // It is not tried again, and shown as missing.
    assert!(running.restore().steps.is_empty());
    let record = running.records[0].clone();
    let standing = running.backend.standing(&[&record]).unwrap().concat();
    let missing: Vec<_> = standing
        .iter()
        .filter(|standing| standing.missing)
        .collect();
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0].purpose, Some(RuleKind::Checksum));
    assert!(running.backend.omission(&record, checksum).is_some());

    // A lock that is held is no reason to do without.
    let begun = host.0.borrow().restores;
    host.0.borrow_mut().unknown_word = None;
    host.0.borrow_mut().fails_at = Some((begun + 1, Failure::Lock));
    let RunError::Failed(error) = running.reach(&[nat(2)], &[]).unwrap_err() else {
        panic!("not a failure")
    };
    assert!(
        error.to_string().contains("lock after 5 s; table `mangle`"),
        "{error}"
    );
    running.start(&[nat(2)]);
    assert_eq!(host.rules(V4, "mangle", "PALISADE_PRT").len(), 1);
    running.remove(&["net1", "net2"]);
    assert_eq!(host.standing(), Default::default());
}

#[test]
fn networks_do_without_logging() {
    let host = Host::default();
    let mut running = Running::on(&host, "legacy");
    host.0.borrow_mut().unknown_word = Some("LOG");
    let network = logging(1);
    // What was done is taken back, and planned again.
    let again = running.reach(std::slice::from_ref(&network), &[]);
    assert!(matches!(again, Err(RunError::Stale)), "{again:?}");
    assert_eq!(host.standing(), Default::default());
    let plan = running.reach(&[network], &[]).unwrap();
    assert!(plan.notes[0].contains("not logged"), "{:?}", plan.notes);
    let rules = host.rules(V4, "filter", "PALISADE_FWI");
    assert!(
        !rules.is_empty() && !rules.concat().contains("LOG"),
        "{rules:?}"
    );
    assert_eq!(running.differences(), Vec::<String>::new());
    assert!(running.restore().steps.is_empty());
    let record = running.records[0].clone();
    let all = palisade_core::rules::rules(&record.network, Guard::Libvirt);
    let logs = |rule: &&Rule| rule.kind.logs().is_some();
    assert!(all.iter().filter(logs).count() > 2);
    for rule in all.iter().filter(logs) {
        assert!(running.backend.omission(&record, rule).is_some());
    }
    // A refusal for another reason is one.
    host.0.borrow_mut().unknown_word = Some("virbr2");
    let refused = running.reach(&[logging(2)], &[]);
    assert!(matches!(refused, Err(RunError::Failed(_))), "{refused:?}");
    // The next one tries to log again.
    host.0.borrow_mut().unknown_word = None;
    running.start(&[logging(2)]);
    let rules = host.rules(V4, "filter", "PALISADE_FWI").concat();
    assert!(rules.contains("-j LOG"), "{rules}");
}

/// One that logs what it refuses.
fn logging(number: u8) -> Network {
    let network = nat(number);
    Network::new(Description {
        subnets: network.subnets().to_vec(),
        log: Some(LogRefused::default()),
        ..Description::new(
            network.name().clone(),
            network.bridge().cloned(),
            network.forward().clone(),
        )
    })
    .unwrap()
}

#[test]
fn what_was_refused_is_not_recorded_and_told() {
    let omitted = |running: &Running| -> Vec<RuleKind> {
        let record = &running.records[0];
        let rules = rules(&record.network, Guard::Libvirt);
        let omitted = |rule: &&Rule| running.backend.omission(record, rule).is_some();
        rules.iter().filter(omitted).map(|rule| rule.kind).collect()
    };
    let host = Host::default();
    let mut running = Running::on(&host, "legacy");
    running.start(&[nat(1)]);
    let recorded = running.records[0].installed.len();
    assert_eq!(omitted(&running), []);
    let host = Host::default();
    host.0.borrow_mut().unknown_word = Some("CHECKSUM");
    let mut running = Running::on(&host, "legacy");
    running.start(&[nat(1)]);
    assert_eq!(running.records[0].installed.len(), recorded - 1);
    assert_eq!(omitted(&running), [RuleKind::Checksum]);
}

#[test]
fn missing_programs_are_named_where_a_rule_needs_them() {
    let host = Host::default();
    let mut running = Running::on(&host, "legacy");
    host.0.borrow_mut().missing = vec!["ip6tables"];
    let network = nat(1);
    let placement = placement("legacy");
    let change = Change {
        add: vec![palisade_core::backend::Addition {
            network: &network,
            placement: &placement,
            order: 0,
        }],
        ..Change::default()
    };
    let error = running.backend.plan(&change).unwrap_err();
    assert_eq!(
        error.to_string(),
        "iptables: there is no program `ip6tables-legacy-restore`"
    );
    let v4_only = Network::new(Description {
        subnets: vec!["10.0.1.0/24".parse().unwrap()],
        ..network.into()
    });
    running.start(&[v4_only.unwrap()]);
    assert_eq!(host.standing().len(), 3);
    let without = running.backend.probe("legacy".parse().unwrap()).unwrap();
    assert_eq!(without.len(), 2, "{without:?}");
    host.0.borrow_mut().unknown_word = Some("REJECT");
    assert!(running.backend.probe("legacy".parse().unwrap()).is_err());
}
