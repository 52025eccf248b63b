//! Every operation of every kind of change goes wrong once, and the process dies at every one.

mod host;
mod kernel;
mod marks;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kernel::{Kernel, Tables};
use marks::{Marked, Marks};

use super::*;
use crate::backend::{Backend, BackendId, Placement};
use crate::host_action::HostActionKind;
use crate::identity::Identity;
use crate::network::{Description, Forward, Nat, Network};
use crate::record::Record;
use crate::state::State;
use crate::storage::memory::{Memory, Mishap};

/// A host: what is on its disk and in its kernel.
#[derive(Clone, Default)]
struct Host {
    disk: Memory,
    kernel: Kernel,
    touched: Arc<AtomicUsize>,
    says_undo: bool,
    /// Whether bridges are marked, and whether networks can do without.
    marks: Option<bool>,
    marked: Marked,
}

impl Host {
    /// What a process does on it.
    fn with<T>(&self, act: impl FnOnce(&mut Engine<'_>) -> T) -> T {
        let state = State::in_storage(Box::new(self.disk.clone()), 7);
        let tables = |name| -> Box<dyn Backend> {
            Box::new(Tables {
                name,
                kernel: self.kernel.clone(),
                touched: self.touched.clone(),
                fate: self.disk.fate(),
                says_undo: self.says_undo,
            })
        };
        let mut backends = [tables("one"), tables("two")];
        let marks = self.marks.map(|is_optional| -> Box<dyn HostActionKind> {
            Box::new(Marks {
                marked: self.marked.clone(),
                fate: self.disk.fate(),
                is_optional,
            })
        });
        let mut host_actions: Vec<Box<dyn HostActionKind>> = marks.into_iter().collect();
        act(&mut Engine {
            state: &state,
            backends: &mut backends,
            host_actions: &mut host_actions,
        })
    }

    fn reach(&self, goal: &Goal) -> Result<Report, EngineError> {
        self.with(|engine| engine.reach(|_| Ok(goal.clone())))
    }

    fn recover(&self) -> Result<Recovered, EngineError> {
        #[allow(clippy::redundant_closure_for_method_calls)] // A path would be of one lifetime.
        self.with(|engine| engine.recover())
    }

    /// The networks that are recorded, with subnets and placement. The kernel has just their rules.
    fn running(&self) -> BTreeSet<String> {
        let state = State::in_storage(Box::new(self.disk.clone()), 7);
        let records = state.records(None).unwrap();
        let recorded: BTreeSet<(String, Identity)> = records
            .iter()
            .flat_map(|record| &record.installed)
            .map(|item| (item.table.clone(), item.item.clone()))
            .collect();
        assert_eq!(
            recorded,
            *self.kernel.lock().unwrap(),
            "records and kernel agree"
        );
        let actions = records.iter().flat_map(|record| &record.actions);
        let done = actions.filter(|action| action.omitted.is_none());
        let marks: BTreeMap<String, String> = done.map(marks::mark).collect();
        assert_eq!(
            marks,
            *self.marked.lock().unwrap(),
            "records and host agree"
        );
        let of = |r: &Record| {
            format!(
                "{} {:?} {}",
                r.network.name(),
                r.network.subnets(),
                r.placement
            )
        };
        records.iter().map(of).collect()
    }

    /// Whether records lie there that no transaction will put in place.
    fn has_staged(&self) -> bool {
        let files = self.disk.files();
        files.keys().any(|path| path.starts_with("staged/"))
    }

    /// The same host, with a disk and a kernel of its own.
    fn copy(&self) -> Self {
        let copy = Self {
            says_undo: self.says_undo,
            marks: self.marks,
            ..Self::default()
        };
        for (path, content) in self.disk.files() {
            copy.disk.put(&path, content);
        }
        let kernel = self.kernel.lock().unwrap().clone();
        *copy.kernel.lock().unwrap() = kernel;
        let marked = self.marked.lock().unwrap().clone();
        *copy.marked.lock().unwrap() = marked;
        copy
    }
}

fn desired(name: &str, subnet: u8, backend: &'static str) -> Desired {
    Desired {
        owner: crate::NetworkOwner::default(),
        network: Network::new(Description {
            subnets: vec![format!("10.{subnet}.0.0/16").parse().unwrap()],
            ..Description::new(
                name.parse().unwrap(),
                Some(format!("br{name}").parse().unwrap()),
                Forward::Nat(Nat::default()),
            )
        })
        .unwrap(),
        placement: Arc::new(Placement {
            backend: BackendId::new(backend),
            settings: BTreeMap::new(),
        }),
        why: "".into(),
    }
}

fn hosts() -> [Host; 2] {
    [true, false].map(|says_undo| {
        let host = Host {
            says_undo,
            ..Host::default()
        };
        let first = [
            desired("a", 1, "one"),
            desired("b", 2, "one"),
            desired("c", 3, "two"),
        ];
        host.reach(&Goal::Run(first.to_vec())).unwrap();
        host
    })
}

fn exactly(desired: Vec<Desired>) -> Goal {
    Goal::Exactly {
        desired,
        owner: crate::NetworkOwner::default(),
    }
}

fn goals() -> Vec<Goal> {
    let names = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect();
    vec![
        Goal::Run(vec![desired("d", 4, "one"), desired("e", 5, "two")]),
        // Replaced, and two subnets swapped.
        Goal::Run(vec![desired("a", 2, "one"), desired("b", 1, "one")]),
        Goal::Gone(names(&["a", "c"])),
        exactly(vec![desired("b", 2, "one"), desired("f", 6, "two")]),
        exactly(vec![]),
        // All move to the other backend.
        Goal::Run(vec![
            desired("a", 1, "two"),
            desired("b", 2, "two"),
            desired("c", 3, "one"),
        ]),
        Goal::Run(vec![desired("a", 1, "two"), desired("b", 2, "two")]),
        // Only some move, and stand between those that stay.
        Goal::Moved(vec![
            desired("a", 1, "two"),
            desired("b", 2, "two"),
            desired("c", 3, "two"),
        ]),
    ]
}

#[test]
fn networks_that_move_do_not_count_as_started_anew() {
    let to = |backend| ["a", "b", "c"].map(|name| desired(name, name.as_bytes()[0] - 96, backend));
    for host in hosts() {
        let started = |host: &Host| {
            #[allow(clippy::redundant_closure_for_method_calls)] // As above.
            let records = host.with(|engine| engine.records()).unwrap();
            let each = records.into_iter();
            each.map(|record| (record.network.name().clone(), record.order, record.since))
                .collect::<Vec<_>>()
        };
        let before = started(&host);
        let report = host.reach(&Goal::Moved(to("two").to_vec())).unwrap();
        assert_eq!(report.changes.len(), 2, "only what is elsewhere moves");
        assert_eq!(started(&host), before);
        // What is replaced, however, starts anew.
        host.reach(&Goal::Run(to("one").to_vec())).unwrap();
        let after = started(&host);
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(before.0, after.0);
            assert!(
                before.1 < after.1 && before.2 < after.2,
                "{before:?} {after:?}"
            );
        }
    }
}

#[test]
fn every_operation_may_fail() {
    let mut reached = 0;
    for host in hosts() {
        for goal in goals() {
            reached += failures_on_the_way(&host, &goal);
        }
    }
    assert!(reached > 100, "only {reached}");
}

/// Every operation fails. Says how many there are, each of which fails in two ways.
fn failures_on_the_way(host: &Host, goal: &Goal) -> usize {
    let mut reached = 0;
    let before = host.running();
    let files = host.disk.files();
    let mishaps = [Mishap::Fails, Mishap::FailsLate];
    for (mishap, at) in mishaps
        .into_iter()
        .flat_map(|m| (0..80).map(move |at| (m, at)))
    {
        let host = host.copy();
        host.disk.fate().at(at, mishap);
        let outcome = host.reach(goal);
        if !host.disk.fate().heal() {
            outcome.unwrap();
            continue;
        }
        reached += 1;
        match outcome {
            Ok(_) => assert_ne!(host.running(), before),
            // The kernel is changed, and the journal says so to the next process.
            Err(EngineError::Unrecorded { .. }) => {
                let recovered = host.recover().unwrap();
                assert_eq!(recovered, Recovered::Finished, "{goal:?} at {at}");
                assert_ne!(host.running(), before);
            }
            Err(_) => {
                assert_eq!(host.running(), before, "{goal:?}: {mishap:?} at {at}");
                let journal = host.disk.files().remove("journal");
                assert_eq!(journal.is_some(), files.contains_key("journal"));
            }
        }
        assert!(!host.has_staged(), "{goal:?}: {mishap:?} at {at}");
        // And again, now that nothing goes wrong.
        if host.running() == before {
            host.reach(goal).unwrap();
        }
    }
    reached
}

/// Whatever finds no room is known before the kernel is touched; from then on no room is needed.
#[test]
fn a_full_disk_is_noticed_before_the_kernel_changes() {
    for host in hosts() {
        for goal in goals() {
            let before = host.running();
            let (mut refused, mut done) = (0, 0);
            for at in 0..40 {
                let host = host.copy();
                host.disk.fate().at(at, Mishap::Full);
                match host.reach(&goal) {
                    Ok(_) => {
                        assert_ne!(host.running(), before, "{goal:?} at {at}");
                        done += 1;
                    }
                    Err(error) => {
                        let touched = host.touched.load(Ordering::Relaxed);
                        assert_eq!(touched, 0, "{goal:?} at {at}: {error}");
                        assert_eq!(host.running(), before, "{goal:?} at {at}");
                        refused += 1;
                    }
                }
                assert!(!host.has_staged(), "{goal:?} at {at}");
                // Room or not, nothing is left to be seen to.
                assert_eq!(host.recover().unwrap(), Recovered::Nothing);
            }
            assert!(refused > 0 && done > 0, "{goal:?}: {refused}, {done}");
        }
    }
}

#[test]
fn the_process_may_die_at_every_operation() {
    let mut deaths = 0;
    for host in hosts() {
        for goal in goals() {
            deaths += deaths_on_the_way(&host, &goal);
        }
    }
    assert!(deaths > 500, "only {deaths}");
}

/// They are put in place by one new name, or one by one where that does not work.
#[test]
fn many_at_once_may_be_interrupted_where_nothing_runs() {
    let names: Vec<String> = ('a'..='q').map(String::from).collect();
    let all = names.iter().zip(1..);
    let all = all.map(|(name, subnet)| desired(name, subnet, "one"));
    let goal = Goal::Run(all.collect());
    assert!(failures_on_the_way(&Host::default(), &goal) > 40);
    assert!(deaths_on_the_way(&Host::default(), &goal) > 500);
    let host = Host::default();
    // Nobody knows it, and it must stay.
    host.disk.put("networks/notes.txt", Vec::new());
    host.reach(&goal).unwrap();
    assert_eq!(host.running().len(), names.len());
    assert!(host.disk.files().contains_key("networks/notes.txt"));
}

/// The process dies at every operation. Says at how many.
fn deaths_on_the_way(host: &Host, goal: &Goal) -> usize {
    let mut deaths = 0;
    let before = host.running();
    let after = {
        let host = host.copy();
        host.reach(goal).unwrap();
        host.running()
    };
    for mishap in [Mishap::Dies, Mishap::DiesAfter] {
        for at in 0.. {
            let host = host.copy();
            host.disk.fate().at(at, mishap);
            let _ = host.reach(goal);
            if !host.disk.fate().heal() {
                break;
            }
            deaths += 1;
            // And the next process dies too, at each of its operations.
            for again in 0.. {
                let host = host.copy();
                host.disk.fate().at(again, Mishap::Dies);
                let _ = host.recover();
                let died = host.disk.fate().heal();
                host.recover().unwrap();
                let now = host.running();
                assert!(now == before || now == after, "{goal:?} at {at}: {now:?}");
                let more = host.recover().unwrap();
                assert_eq!(more, Recovered::Nothing);
                assert!(!host.has_staged(), "{goal:?} at {at}");
                let found = host
                    .with(|engine| engine.verify(Extent::Everywhere))
                    .unwrap();
                assert_eq!(found, []);
                if !died {
                    break;
                }
                deaths += 1;
            }
        }
    }
    deaths
}

/// Records are put in place when all is done, so that one that is in place says as much as a commit,
/// whatever became of the kernel meanwhile.
#[test]
fn a_record_in_place_stands_for_the_commit() {
    for host in hosts() {
        let goal = &goals()[0];
        // Staged, begun, a step for each table, a commit, two generations, a record.
        host.disk.fate().at(4 + 4 + 1 + 2, Mishap::DiesAfter);
        let _ = host.reach(goal);
        assert!(host.disk.fate().heal());
        let mut journal = host.disk.files().remove("journal").unwrap();
        journal.truncate(journal.len() - 5);
        host.disk.put("journal", journal);
        host.kernel.lock().unwrap().clear();
        assert_eq!(host.recover().unwrap(), Recovered::Finished);
        let state = State::in_storage(Box::new(host.disk.clone()), 7);
        assert_eq!(state.records(None).unwrap().len(), 5);
    }
}

#[test]
fn what_cannot_be_undone_waits_for_the_next() {
    let host = &hosts()[0];
    let before = host.running();
    let goal = &goals()[0];
    // The second step fails, and so does what shall take the first one back.
    let fails_at = |kernel_operation: usize| {
        let host = host.copy();
        // The folder of records is made before, two records are staged, and the journal begun.
        let operations = 4 + kernel_operation;
        host.disk.fate().at(operations, Mishap::Dies);
        let outcome = host.reach(goal);
        assert!(
            matches!(outcome, Err(EngineError::NotUndone { .. })),
            "{outcome:?}"
        );
        let _ = host.disk.fate().heal();
        // Whoever comes next undoes it first.
        host.reach(&Goal::Run(vec![desired("z", 9, "one")]))
            .unwrap();
        let mut now = host.running();
        now.retain(|running| !running.starts_with("z "));
        assert_eq!(now, before);
    };
    for kernel_operation in 1..4 {
        fails_at(kernel_operation);
    }
}

#[test]
fn nothing_is_written_when_nothing_changes() {
    let host = &hosts()[0];
    let goal = Goal::Run(vec![desired("a", 1, "one")]);
    let before = host.disk.files();
    let report = host.reach(&goal).unwrap();
    assert!(report.changes.is_empty());
    let after = host.disk.files();
    let records = |files: &BTreeMap<String, Vec<u8>>| -> Vec<(String, Vec<u8>)> {
        let named = files
            .iter()
            .filter(|(path, _)| path.starts_with("networks/"));
        named
            .map(|(path, content)| (path.clone(), content.clone()))
            .collect()
    };
    assert_eq!(records(&before), records(&after));
    assert!(!after.contains_key("journal"));
}

#[test]
fn unknown_networks_and_conflicts_change_nothing() {
    let host = &hosts()[0];
    let before = host.running();
    let unknown = Goal::Gone(vec!["a".parse().unwrap(), "nobody".parse().unwrap()]);
    let error = host.reach(&unknown).unwrap_err();
    assert!(error.to_string().contains("`nobody`"), "{error}");
    let overlap = Goal::Run(vec![desired("d", 2, "one")]);
    let error = host.reach(&overlap).unwrap_err();
    assert!(
        error.to_string().contains("networks `b` and `d` overlap"),
        "{error}"
    );
    let nowhere = Goal::Run(vec![desired("d", 4, "three")]);
    assert!(matches!(
        host.reach(&nowhere),
        Err(EngineError::NoSuchBackend { .. })
    ));
    assert_eq!(host.running(), before);
}

/// One that comes has the bridge of one whose record was broken in place, which only the index tells.
#[test]
fn a_conflict_with_a_broken_record_is_none() {
    let host = &hosts()[0];
    let mut record = host.disk.files().remove("networks/b.json").unwrap();
    record[40] ^= 1;
    host.disk.put("networks/b.json", record);
    host.reach(&Goal::Run(vec![desired("d", 2, "two")]))
        .unwrap();
    let names = host.disk.files().into_keys();
    let records: Vec<String> = names.filter(|path| path.starts_with("networks/")).collect();
    assert!(
        records.contains(&"networks/d.json".to_owned()),
        "{records:?}"
    );
    assert!(
        !records.contains(&"networks/b.json".to_owned()),
        "{records:?}"
    );
}
