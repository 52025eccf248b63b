//! Every exchange of messages and every operation on the state fails once, and the process dies at
//! every one: then all of a change has happened, or nothing of it.

use std::sync::Arc;

use palisade_core::backend::Backend;
use palisade_core::engine::{Desired, Engine, EngineError, Extent, Goal, Recovered};
use palisade_core::network::{Description, Forward, Nat, Network};
use palisade_core::state::State;
use palisade_core::storage::memory::{Memory, Mishap};

use super::*;
use crate::fake::Kernel;
use crate::layout::Layout;

/// A host: what is on its disk and in its kernel.
#[derive(Clone, Default)]
struct Host {
    disk: Memory,
    kernel: Kernel,
}

impl Host {
    /// What a process does on it.
    fn with<T>(&self, act: impl FnOnce(&mut Engine<'_>) -> T) -> T {
        let state = State::in_storage(Box::new(self.disk.clone()), 7);
        let way = self.kernel.by(self.disk.fate());
        let mut backends: [Box<dyn Backend>; 1] = [Box::new(Nftables::new(Box::new(way)))];
        act(&mut Engine {
            host_actions: &mut [],
            state: &state,
            backends: &mut backends,
        })
    }

    fn reach(&self, goal: &Goal) -> Result<(), EngineError> {
        let reached = self.with(|engine| engine.reach(|_| Ok(goal.clone())));
        reached.map(drop)
    }

    fn recover(&self) -> Result<Recovered, EngineError> {
        #[allow(clippy::redundant_closure_for_method_calls)] // A path would be of one lifetime.
        self.with(|engine| engine.recover())
    }

    /// What is recorded, and what stands, but for the marker.
    fn look(&self) -> (Vec<String>, String) {
        let state = State::in_storage(Box::new(self.disk.clone()), 7);
        let of = |r: &Record| format!("{:?} {}", r.network, r.placement);
        let mut records: Vec<String> = state.records(None).unwrap().iter().map(of).collect();
        records.sort();
        let mut ruleset = self.kernel.ruleset();
        let sets = ruleset.tables.iter_mut().flat_map(|table| &mut table.sets);
        for marked in sets.filter(|filled| filled.set.name == layout::TRANSACTION) {
            marked.elements.clear();
        }
        (records, ruleset.listing())
    }

    /// What stands is what is recorded, and nobody has anything left to do.
    fn assert_settled(&self, told: &str) {
        assert_eq!(self.recover().unwrap(), Recovered::Nothing, "{told}");
        let found = self
            .with(|engine| engine.verify(Extent::Everywhere))
            .unwrap();
        assert_eq!(found, [], "{told}");
        let mut files = self.disk.files().into_keys();
        assert_eq!(
            files.find(|path| path.starts_with("staged/")),
            None,
            "{told}"
        );
    }

    /// The same host, with a disk and a kernel of its own.
    fn copy(&self) -> Self {
        let copy = Self {
            disk: Memory::default(),
            kernel: Kernel::with(self.kernel.ruleset()),
        };
        for (path, content) in self.disk.files() {
            copy.disk.put(&path, content);
        }
        copy
    }
}

fn exactly(desired: Vec<Desired>) -> Goal {
    Goal::Exactly {
        desired,
        owner: palisade_core::NetworkOwner::default(),
    }
}

fn desired(number: u8, subnet: u8, layout: Layout) -> Desired {
    let network = Network::new(Description {
        subnets: vec![
            format!("10.0.{subnet}.0/24").parse().unwrap(),
            format!("fd00:{subnet}::/64").parse().unwrap(),
        ],
        ..Description::new(
            format!("net{number}").parse().unwrap(),
            Some(format!("virbr{number}").parse().unwrap()),
            Forward::Nat(Nat::default()),
        )
    });
    Desired {
        owner: palisade_core::NetworkOwner::default(),
        network: network.unwrap(),
        placement: Arc::new(Placement::from(&Settings {
            layout,
            table: TableName::default(),
        })),
        why: "".into(),
    }
}

fn host(layout: Layout) -> Host {
    let host = Host::default();
    let both = vec![desired(1, 1, layout), desired(2, 2, layout)];
    host.reach(&Goal::Run(both)).unwrap();
    host
}

fn goals(here: Layout) -> Vec<(&'static str, Goal)> {
    let there = match here {
        Layout::Flat => Layout::Mapped,
        Layout::Mapped => Layout::Flat,
    };
    vec![
        ("apply", Goal::Run(vec![desired(3, 3, here)])),
        // Each gets the other's subnet.
        (
            "replace",
            Goal::Run(vec![desired(1, 2, here), desired(2, 1, here)]),
        ),
        ("remove", Goal::Gone(vec!["net1".parse().unwrap()])),
        ("remove all", exactly(Vec::new())),
        (
            "sync",
            exactly(vec![desired(2, 2, here), desired(4, 4, here)]),
        ),
        (
            "migrate",
            Goal::Run(vec![desired(1, 1, there), desired(2, 2, there)]),
        ),
    ]
}

/// Each change on each layout: its name, the host before it, what it looks like before and after.
fn walk(each: impl Fn(&str, &Host, &Goal, [&(Vec<String>, String); 2])) {
    for layout in Layout::ALL {
        let host = host(layout);
        let before = host.look();
        for (name, goal) in goals(layout) {
            let after = {
                let host = host.copy();
                host.reach(&goal).unwrap();
                host.assert_settled(name);
                host.look()
            };
            assert_ne!(before, after);
            each(
                &format!("{name} of {layout:?}"),
                &host,
                &goal,
                [&before, &after],
            );
        }
    }
}

#[test]
fn every_exchange_may_fail() {
    walk(|name, host, goal, [before, after]| {
        for mishap in [Mishap::Fails, Mishap::FailsLate] {
            for at in 0.. {
                let told = format!("{name}: {mishap:?} at {at}");
                let host = host.copy();
                host.disk.fate().at(at, mishap);
                let reached = host.reach(goal);
                let has_failed = host.disk.fate().heal();
                if matches!(
                    reached,
                    Err(EngineError::InDoubt { .. } | EngineError::Unrecorded { .. })
                ) {
                    host.recover().unwrap();
                } else {
                    let expected = if reached.is_ok() { after } else { before };
                    // What was done but for the end of its journal is finished once more.
                    let _ = host.recover().unwrap();
                    assert_eq!(host.look(), *expected, "{told}: {reached:?}");
                }
                let now = host.look();
                assert!(now == *before || now == *after, "{told}: {now:?}");
                host.assert_settled(&told);
                if !has_failed {
                    reached.unwrap();
                    break;
                }
            }
        }
    });
}

#[test]
fn the_process_may_die_at_every_exchange() {
    walk(|name, host, goal, [before, after]| {
        let mut ends = [0, 0];
        for mishap in [Mishap::Dies, Mishap::DiesAfter] {
            for at in 0.. {
                let host = host.copy();
                host.disk.fate().at(at, mishap);
                let _ = host.reach(goal);
                if !host.disk.fate().heal() {
                    break;
                }
                // And the next process dies too, at each of its operations.
                for again in 0.. {
                    let told = format!("{name}: {mishap:?} at {at}, again at {again}");
                    let host = host.copy();
                    host.disk.fate().at(again, Mishap::Dies);
                    let _ = host.recover();
                    let has_died = host.disk.fate().heal();
                    host.recover().unwrap();
                    let now = host.look();
                    assert!(now == *before || now == *after, "{told}: {now:?}");
                    ends[usize::from(now == *after)] += 1;
                    host.assert_settled(&told);
                    // Once for each place is enough.
                    if !has_died || mishap == Mishap::Dies {
                        break;
                    }
                }
            }
        }
        assert!(ends.iter().all(|&count| count > 10), "{name}: {ends:?}");
    });
}
