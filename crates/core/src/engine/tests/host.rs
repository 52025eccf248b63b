//! Actions on the host are part of each transaction, and of its end if the process dies.

use super::*;
use crate::backend::{DiscrepancyKind, Sign};

fn host_with_marks() -> Host {
    let host = Host {
        marks: Some(false),
        says_undo: true,
        ..Host::default()
    };
    let first = ["a", "b"].map(|name| desired(name, name.as_bytes()[0] - 96, "one"));
    host.reach(&Goal::Run(first.to_vec())).unwrap();
    let last = vec![desired("c", 3, "two")];
    host.reach(&Goal::Run(last)).unwrap();
    host
}

#[test]
fn every_operation_may_fail() {
    let host = host_with_marks();
    assert_eq!(host.marked.lock().unwrap().len(), 2);
    let each = goals().into_iter();
    let reached: usize = each.map(|goal| failures_on_the_way(&host, &goal)).sum();
    assert!(reached > 100, "only {reached}");
}

#[test]
fn the_process_may_die_at_every_operation() {
    let host = host_with_marks();
    let each = goals().into_iter();
    let deaths: usize = each.map(|goal| deaths_on_the_way(&host, &goal)).sum();
    assert!(deaths > 500, "only {deaths}");
}

#[test]
fn what_the_host_lost_is_a_difference_and_is_put_back() {
    let host = &host_with_marks();
    host.marked.lock().unwrap().remove("bra");
    let found = host
        .with(|engine| engine.verify(Extent::Everywhere))
        .unwrap();
    let [found] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(found.object, "a mark on bra");
    assert_eq!(found.kind, DiscrepancyKind::Missing);
    let goal = Goal::Repaired(Vec::new());
    let foreseen = host
        .with(|engine| engine.foresee(|_| Ok(goal.clone()), None))
        .unwrap();
    let lines: Vec<_> = foreseen.changes.iter().flat_map(|it| &it.lines).collect();
    assert_eq!(lines.len(), 1);
    let mark = format!("mark bra a {:?}", desired("a", 1, "one").network.subnets());
    assert_eq!(
        (lines[0].sign, lines[0].text.as_str()),
        (Sign::Comes, mark.as_str())
    );
    let report = host.reach(&goal).unwrap();
    let restored: Vec<_> = report
        .changes
        .iter()
        .map(|it| (it.network.as_str(), it.action))
        .collect();
    assert_eq!(restored, [("a", Action::Restore)]);
    assert_eq!(
        host.with(|engine| engine.verify(Extent::Everywhere))
            .unwrap(),
        []
    );
    host.running();
    assert!(host.reach(&goal).unwrap().changes.is_empty());
}

#[test]
fn what_networks_can_do_without_is_noted_and_tried_again() {
    let goal = Goal::Run(vec![desired("a", 1, "one")]);
    // The first operation that may fail is the mark.
    let tried = (0..20).map(|at| {
        let host = Host {
            marks: Some(true),
            ..Host::default()
        };
        host.disk.fate().at(at, Mishap::Fails);
        let notes = host.reach(&goal).map(|report| report.notes);
        (host, notes.unwrap_or_default())
    });
    let (host, notes) = tried
        .into_iter()
        .find(|(_, notes)| !notes.is_empty())
        .unwrap();
    assert_eq!(
        notes,
        ["network `a`: not in effect: a mark on bra: the host refuses"]
    );
    assert!(host.disk.fate().heal(), "it was reached");
    host.running();
    assert_eq!(
        host.with(|engine| engine.verify(Extent::Everywhere))
            .unwrap(),
        []
    );
    assert!(host.marked.lock().unwrap().is_empty());
    host.reach(&Goal::Repaired(Vec::new())).unwrap();
    host.running();
    assert_eq!(host.marked.lock().unwrap().len(), 1);
    host.reach(&Goal::Exactly {
        desired: Vec::new(),
        owner: crate::NetworkOwner::default(),
    })
    .unwrap();
    assert!(host.marked.lock().unwrap().is_empty());
}

#[test]
fn what_the_host_cannot_do_is_known_before_anything_changes() {
    let host = &host_with_marks();
    let (before, files) = (host.running(), host.disk.files());
    let touched = host.touched.load(Ordering::Relaxed);
    let goal = Goal::Run(vec![desired("unmarkable", 9, "one")]);
    let error = host.reach(&goal).unwrap_err();
    assert_eq!(error.to_string(), "network `unmarkable`: the host refuses");
    assert_eq!(host.touched.load(Ordering::Relaxed), touched);
    assert_eq!(host.running(), before);
    assert_eq!(host.disk.files(), files);
}

#[test]
fn an_unknown_kind_is_told_and_not_forgotten() {
    let host = &host_with_marks();
    let bare = Host {
        marks: None,
        ..host.clone()
    };
    let found = bare
        .with(|engine| engine.verify(Extent::Everywhere))
        .unwrap();
    assert!(
        found
            .iter()
            .all(|found| found.kind == DiscrepancyKind::Unreadable)
    );
    assert_eq!(found.len(), 2);
    bare.reach(&Goal::Repaired(Vec::new())).unwrap();
    let error = bare
        .reach(&Goal::Gone(vec!["a".parse().unwrap()]))
        .unwrap_err();
    assert!(matches!(error, EngineError::LostHostAction(_)), "{error}");
    assert_eq!(host.running().len(), 3);
}

/// A network that was replaced, and that nobody confirmed, has its old mark again.
#[test]
fn what_is_taken_back_is_so_on_the_host_too() {
    let host = &host_with_marks();
    let before = host.marked.lock().unwrap().clone();
    let goal = Goal::Run(vec![desired("a", 9, "one")]);
    let patience = std::time::Duration::ZERO;
    host.with(|engine| engine.reach_unconfirmed(|_| Ok(goal.clone()), None, patience))
        .unwrap();
    assert_ne!(*host.marked.lock().unwrap(), before);
    #[allow(clippy::redundant_closure_for_method_calls)] // A path would be of one lifetime.
    host.with(|engine| engine.undo_due()).unwrap();
    host.running();
    assert_eq!(*host.marked.lock().unwrap(), before);
}
