use std::collections::BTreeMap;

use super::*;
use crate::backend::{Installed, Placement};
use crate::network::{Description, Family, Forward, Network};

fn record(name: &str, order: u64) -> Record {
    Record {
        network: Network::new(Description {
            name: name.parse().unwrap(),
            bridge: Some("virbr0".parse().unwrap()),
            zone: None,
            forward: Forward::Isolated,
            subnets: Vec::new(),
            ipv6: false,
            dhcp: false,
            tftp: false,
        })
        .unwrap(),
        placement: Placement {
            backend: "nftables".to_owned(),
            settings: BTreeMap::from([("table".to_owned(), "palisade".to_owned())]),
        },
        since: "2026-11-24T12:00:00Z".parse().unwrap(),
        order,
        installed: vec![Installed {
            family: Family::Ipv4,
            table: "palisade".to_owned(),
            place: "cross".to_owned(),
            item: "\"virbr0\" . \"virbr0\"".to_owned(),
            handle: None,
        }],
    }
}

fn names(state: &State) -> Vec<String> {
    let records = state.records().unwrap();
    records
        .iter()
        .map(|r| r.network.name().to_string())
        .collect()
}

#[test]
fn records_come_back_in_the_order_of_their_start() {
    let directory = tempfile::tempdir().unwrap();
    let state = State::of(directory.path(), 7);
    assert!(names(&state).is_empty());
    let _lock = state.lock(7, PATIENCE).unwrap();
    let all = [record("b", 1), record("a.b", 0), record(".json", 2)];
    state.write(&all).unwrap();
    assert_eq!(names(&state), ["a.b", "b", ".json"]);
    assert_eq!(state.records().unwrap()[1], all[0]);
    state
        .forget([all[0].network.name(), &"unknown".parse().unwrap()])
        .unwrap();
    assert_eq!(names(&state), ["a.b", ".json"]);
    // Another namespace has a folder of its own.
    assert!(names(&State::of(directory.path(), 8)).is_empty());
}

#[test]
fn the_state_of_another_boot_is_set_aside() {
    let directory = tempfile::tempdir().unwrap();
    let state = State::of(directory.path(), 7);
    drop(state.lock(7, PATIENCE).unwrap());
    state.write([&record("old", 0)]).unwrap();
    let path = state.folder().join("namespace.json");
    let then = fs::read_to_string(&path).unwrap();
    fs::write(&path, then.replace(&boot_id().unwrap(), "another")).unwrap();
    assert!(
        names(&state).is_empty(),
        "what another boot wrote is not believed"
    );
    drop(state.lock(7, PATIENCE).unwrap());
    assert!(names(&state).is_empty());
    let aside = state.folder().join("networks.before-boot-1/old.json");
    assert!(aside.exists(), "nothing is lost");
}

#[test]
fn a_second_process_waits_and_then_says_for_whom() {
    let directory = tempfile::tempdir().unwrap();
    let state = State::of(directory.path(), 7);
    let held = state.lock(7, PATIENCE).unwrap();
    let error = state.lock(7, Duration::ZERO).unwrap_err();
    let holder = format!("process {}", std::process::id());
    assert!(error.to_string().contains(&holder), "{error}");
    drop(held);
    state.lock(7, Duration::ZERO).unwrap();
}

#[test]
fn broken_and_newer_files_are_told_and_stay() {
    let directory = tempfile::tempdir().unwrap();
    let state = State::of(directory.path(), 7);
    let _lock = state.lock(7, PATIENCE).unwrap();
    state.write([&record("a", 0)]).unwrap();
    let path = state.folder().join("networks/a.json");
    let good = fs::read_to_string(&path).unwrap();
    for (broken, says) in [
        (
            good[..good.len() / 2].to_owned(),
            "is not a file of palisade's state",
        ),
        (
            good.replace("\"schema\": 1", "\"schema\": 99"),
            "has schema 99",
        ),
        (
            good.replace("\"a\"", "\"b\""),
            "holds the record of network `b`",
        ),
    ] {
        fs::write(&path, &broken).unwrap();
        let error = state.records().unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), broken);
    }
}

#[test]
fn generations_are_a_hint() {
    let directory = tempfile::tempdir().unwrap();
    let state = State::of(directory.path(), 7);
    let _lock = state.lock(7, PATIENCE).unwrap();
    assert_eq!(state.generation("nftables"), None);
    state.set_generation("nftables", Some(4)).unwrap();
    state.set_generation("iptables", Some(5)).unwrap();
    assert_eq!(state.generation("nftables"), Some(4));
    state.set_generation("nftables", None).unwrap();
    assert_eq!(state.generation("nftables"), None);
    fs::write(state.folder().join("generation.json"), "{").unwrap();
    assert_eq!(state.generation("iptables"), None);
    state.set_generation("iptables", Some(6)).unwrap();
    assert_eq!(state.generation("iptables"), Some(6));
}
