//! A kernel without the expression `fib`.

use palisade_core::NetworkOwner;
use palisade_core::engine::{Desired, Engine, Extent, Goal};
use palisade_core::network::{Description, Established, Forward, Nat, Network};
use palisade_core::rules::RuleKind;
use palisade_core::state::State;
use palisade_core::storage::memory::Memory;

use super::*;
use crate::fake::{Kernel, Ruleset};
use crate::layout::Layout;

/// A network with these forwards.
fn goal(layout: Layout, forwards: &[&str]) -> Goal {
    let network = Network::new(Description {
        subnets: vec!["10.0.0.0/24".parse().unwrap()],
        forwards: forwards.iter().map(|text| text.parse().unwrap()).collect(),
        ..Description::new(
            "lab".parse().unwrap(),
            Some("virbr0".parse().unwrap()),
            Forward::Nat(Nat::default()),
        )
    });
    let network = network.unwrap().with_established(Established::First);
    let placement = Placement::from(&Settings {
        layout,
        table: TableName::default(),
    });
    let placement = placement.with_established(Established::First);
    Goal::Run(vec![Desired::new(
        &network,
        &NetworkOwner::default(),
        placement.into(),
        "".into(),
    )])
}

#[test]
fn a_forward_at_every_address_is_refused_by_name() {
    for layout in Layout::ALL {
        let mut ruleset = Ruleset::default();
        ruleset.lacks_fib = true;
        let kernel = Kernel::with(ruleset);
        let state = State::in_storage(Box::new(Memory::default()), 7);
        let nftables = Nftables::new(Box::new(kernel.clone()));
        let mut engine = Engine {
            host_actions: &mut [],
            state: &state,
            backends: &mut [Box::new(nftables)],
        };
        let forwards = ["udp 192.0.2.1:53 -> 10.0.0.2:53", "udp 5353 -> 10.0.0.2:53"];
        let goal = goal(layout, &forwards);
        let error = engine.reach(|_| Ok(goal.clone())).unwrap_err();
        let said = error.to_string();
        assert!(said.contains("network `lab` forwards `udp 5353"), "{said}");
        assert!(said.contains("no `fib`"), "{said}");
        let hint = error.hint();
        let way_out =
            "nft_fib_ipv4, or forward the port at one address of the host: `udp ADDRESS:5353 ->";
        assert!(hint.contains(way_out), "{hint}");
        assert_eq!(kernel.ruleset().listing(), "");
    }
}

#[test]
fn a_kernel_without_fib_gets_all_else_and_people_are_told() {
    let mut ruleset = Ruleset::default();
    ruleset.lacks_fib = true;
    let kernel = Kernel::with(ruleset);
    let state = State::in_storage(Box::new(Memory::default()), 7);
    let mut backends: [Box<dyn Backend>; 1] = [Box::new(Nftables::new(Box::new(kernel.clone())))];
    let mut engine = Engine {
        host_actions: &mut [],
        state: &state,
        backends: &mut backends,
    };
    let goal = goal(Layout::Mapped, &["tcp 192.0.2.1:80 -> 10.0.0.2:80"]);
    let report = engine.reach(|_| Ok(goal.clone())).unwrap();
    assert!(report.notes.iter().any(|note| note.contains("`fib`")));

    let listing = kernel.ruleset().listing();
    assert!(listing.contains("iifname @invalid drop"), "{listing}");
    assert!(listing.contains("iifname @dropped_out drop"), "{listing}");
    for missing in ["guests_prerouting", "spoofed", "established_in"] {
        assert!(!listing.contains(missing), "{missing}: {listing}");
    }
    assert_eq!(engine.verify(Extent::Everywhere).unwrap(), []);

    let record = state.records(None).unwrap().remove(0);
    let backend = &engine.backends[0];
    let rules = backend.rules(&record.network, &record.placement);
    let spoofed = rules.iter().find(|rule| rule.kind == RuleKind::Spoofed);
    let why = backend.omission(&record, spoofed.unwrap());
    assert!(why.is_some_and(|why| why.contains("`fib`")), "{why:?}");
}
