//! A kernel without the expressions `log` and `limit`.

use palisade_core::NetworkOwner;
use palisade_core::engine::{Desired, Engine, Extent, Goal};
use palisade_core::network::{Description, Forward, LogRefused, Nat, Network};
use palisade_core::rules::Rule;
use palisade_core::state::State;
use palisade_core::storage::memory::Memory;

use super::*;
use crate::fake::{Kernel, Ruleset};
use crate::layout::Layout;

fn goal(layout: Layout, log: Option<LogRefused>) -> Goal {
    let network = Network::new(Description {
        subnets: vec!["10.0.0.0/24".parse().unwrap()],
        log,
        ..Description::new(
            "lab".parse().unwrap(),
            Some("virbr0".parse().unwrap()),
            Forward::Nat(Nat::default()),
        )
    });
    let placement = Placement::from(&Settings {
        layout,
        table: TableName::default(),
    });
    let desired = Desired::new(
        &network.unwrap(),
        &NetworkOwner::default(),
        placement.into(),
        "".into(),
    );
    Goal::Run(vec![desired])
}

#[test]
fn networks_do_without_and_people_are_told() {
    for layout in Layout::ALL {
        let mut ruleset = Ruleset::default();
        ruleset.lacks_log = true;
        let kernel = Kernel::with(ruleset);
        let state = State::in_storage(Box::new(Memory::default()), 7);
        let mut backends: [Box<dyn Backend>; 1] =
            [Box::new(Nftables::new(Box::new(kernel.clone())))];
        let mut engine = Engine {
            host_actions: &mut [],
            state: &state,
            backends: &mut backends,
        };
        let goal = goal(layout, Some(LogRefused::default()));
        let report = engine.reach(|_| Ok(goal.clone())).unwrap();
        let is_told = |note: &String| note.contains("no `log`");
        assert!(report.notes.iter().any(is_told), "{:?}", report.notes);
        let listing = kernel.ruleset().listing();
        assert!(!listing.contains("log "), "{listing}");
        assert_eq!(engine.verify(Extent::Everywhere).unwrap(), []);

        let record = state.records(None).unwrap().remove(0);
        let backend = &engine.backends[0];
        let rules = backend.rules(&record.network, &record.placement);
        let logs = |rule: &&Rule| rule.kind.logs().is_some();
        assert!(rules.iter().any(|rule| logs(&rule)));
        for rule in rules.iter().filter(logs) {
            let why = backend.omission(&record, rule);
            assert!(why.is_some_and(|why| why.contains("`log`")), "{why:?}");
        }
    }
}

#[test]
fn a_kernel_that_logs_omits_nothing() {
    let kernel = Kernel::with(Ruleset::default());
    let state = State::in_storage(Box::new(Memory::default()), 7);
    let mut backends: [Box<dyn Backend>; 1] = [Box::new(Nftables::new(Box::new(kernel)))];
    let mut engine = Engine {
        host_actions: &mut [],
        state: &state,
        backends: &mut backends,
    };
    for layout in Layout::ALL {
        let goal = goal(layout, Some(LogRefused::default()));
        engine.reach(|_| Ok(goal.clone())).unwrap();
        let record = state.records(None).unwrap().remove(0);
        let backend = &engine.backends[0];
        let rules = backend.rules(&record.network, &record.placement);
        let logs = rules.iter().filter(|rule| rule.kind.logs().is_some());
        for rule in logs {
            assert_eq!(backend.omission(&record, rule), None);
        }
    }
}
