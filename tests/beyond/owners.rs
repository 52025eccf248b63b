//! Networks of several owners in one state directory.

use palisade::{EngineError, Firewall, NetworkOwner, Options};
use palisade_core::network::Network;
use palisade_tests::{Namespace, Trials};
use tempfile::TempDir;

use crate::forwards::{isolated_network, nat_network};

pub(crate) fn add_to(trials: Trials) -> Trials {
    trials.with("networks of others stay", others_stay)
}

/// Whoever makes networks the only ones, or removes all, removes no one else's.
fn others_stay() {
    let host = Namespace::new();
    let state = TempDir::new().expect("make a folder");
    let of = |owner: &str| {
        let options = Options {
            state_directory: Some(state.path().join("state")),
            namespace: Some(host.path()),
            owner: owner.parse().expect("an owner"),
            ..Options::default()
        };
        Firewall::open(&options).expect("open the firewall")
    };
    let mut operator = of(NetworkOwner::default().as_str());
    let mut daemon = of("vmd");
    let [nat, isolated]: [Network; 2] = [nat_network(&[]), isolated_network(false)];
    operator.apply(std::slice::from_ref(&nat)).expect("apply");
    daemon.sync(std::slice::from_ref(&isolated)).expect("sync");
    let running = |firewall: &mut Firewall| -> Vec<String> {
        let records = firewall.running().expect("what runs");
        let each = records.iter();
        each.map(|record| format!("{} of {}", record.network.name(), record.owner))
            .collect()
    };
    let both = ["default of operator", "quiet of vmd"];
    assert_eq!(running(&mut daemon), both);
    // A block and a move leave networks to their owners.
    let guest = "quiet/10.30.0.11".parse().expect("a guest");
    operator.block(&[guest]).expect("block");
    assert_eq!(running(&mut operator), both);
    operator.sync(&[nat]).expect("sync");
    assert_eq!(running(&mut operator), both);
    let refused = daemon.sync(&[]).expect_err("no networks");
    assert!(matches!(refused, EngineError::SyncToNothing), "{refused}");
    assert!(daemon.plan_sync(&[]).is_err());
    assert_eq!(running(&mut daemon), both);
    assert_eq!(daemon.plan_remove_all().expect("a plan").changes.len(), 1);
    daemon.remove_all().expect("remove");
    assert_eq!(running(&mut daemon), both[..1]);
    daemon.remove_all().expect("remove");
    assert_eq!(running(&mut daemon), both[..1]);
    operator.remove_all().expect("remove");
    assert!(running(&mut daemon).is_empty());
}
