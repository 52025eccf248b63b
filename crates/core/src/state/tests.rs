use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::*;
use crate::backend::{Installed, Placement};
use crate::network::{Description, Family, Forward, Network};
use crate::storage::PATIENCE;
use crate::storage::memory::Memory;

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
        why: String::new(),
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
    let records = state.records(None).unwrap();
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
    let _lock = state.lock(PATIENCE).unwrap();
    let all = [record("b", 1), record("a.b", 0), record(".json", 2)];
    state.write(&all).unwrap();
    assert_eq!(names(&state), ["a.b", "b", ".json"]);
    assert_eq!(state.records(None).unwrap()[1], all[0]);
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
    drop(state.lock(PATIENCE).unwrap());
    state.write([&record("old", 0)]).unwrap();
    let path = PathBuf::from(state.place()).join("namespace.json");
    let then = fs::read_to_string(&path).unwrap();
    fs::write(&path, then.replace(&boot_id().unwrap(), "another")).unwrap();
    assert!(
        names(&state).is_empty(),
        "what another boot wrote is not believed"
    );
    drop(state.lock(PATIENCE).unwrap());
    assert!(names(&state).is_empty());
    let aside = PathBuf::from(state.place()).join("networks.before-boot-1/old.json");
    assert!(aside.exists(), "nothing is lost");
}

#[test]
fn a_second_process_waits_and_then_says_for_whom() {
    let directory = tempfile::tempdir().unwrap();
    let state = State::of(directory.path(), 7);
    let held = state.lock(PATIENCE).unwrap();
    let error = state.lock(Duration::ZERO).unwrap_err();
    let holder = format!("process {}", std::process::id());
    assert!(error.to_string().contains(&holder), "{error}");
    drop(held);
    state.lock(Duration::ZERO).unwrap();
}

#[test]
fn what_cannot_be_believed_is_set_aside_and_nothing_is_lost() {
    let disk = Memory::default();
    let state = State::in_storage(Box::new(disk.clone()), 7);
    let lock = state.lock(PATIENCE).unwrap();
    state.write([&record("a", 0), &record("b", 1)]).unwrap();
    let good = disk.files().remove("networks/a.json").unwrap();
    let b = disk.files().remove("networks/b.json").unwrap();
    let text = String::from_utf8(good.clone()).unwrap();
    let mut broken: Vec<Vec<u8>> = vec![
        Vec::new(),
        text[..text.len() / 2].into(),
        text.replace("\"schema\": 1", "\"schema\": 99").into(),
        text.replace("\"a\"", "\"b\"").into(),
    ];
    for bit in 0..good.len() * 8 {
        let mut flipped = good.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        broken.push(flipped);
    }
    let whole = record("a", 0);
    for bytes in broken {
        let disk = Memory::default();
        let state = State::in_storage(Box::new(disk.clone()), 7);
        disk.put("networks/a.json", bytes.clone());
        disk.put("networks/b.json", b.clone());
        let read = state.records(Some(&lock)).unwrap();
        if read.len() == 2 {
            // A bit of white space, or of a key's escape: it says the same.
            assert_eq!(read[0], whole, "{}", String::from_utf8_lossy(&bytes));
            continue;
        }
        assert_eq!(read.len(), 1, "the intact record is used");
        let aside = disk.files();
        let aside = aside
            .iter()
            .filter(|(path, _)| path.starts_with("unreadable/"));
        assert!(aside.into_iter().any(|(_, content)| *content == bytes));
        assert!(!disk.files().contains_key("networks/a.json"));
    }
}

/// What the first version wrote: later ones must read it.
const FIRST: &str = include_str!("golden/record-1.json");

#[test]
fn the_first_schema_stays_readable() {
    let disk = Memory::default();
    let state = State::in_storage(Box::new(disk.clone()), 7);
    disk.put("networks/golden.json", FIRST.as_bytes().to_vec());
    let golden = record("golden", 3);
    if SCHEMA == 1 {
        state.write([&golden]).unwrap();
        let written = disk.files().remove("networks/golden.json").unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), FIRST);
    }
    disk.put("networks/golden.json", FIRST.as_bytes().to_vec());
    assert_eq!(state.records(None).unwrap(), [golden]);
}

#[test]
fn generations_are_a_hint() {
    let directory = tempfile::tempdir().unwrap();
    let state = State::of(directory.path(), 7);
    let _lock = state.lock(PATIENCE).unwrap();
    assert_eq!(state.generation("nftables"), None);
    state.set_generation("nftables", Some(4)).unwrap();
    state.set_generation("iptables", Some(5)).unwrap();
    assert_eq!(state.generation("nftables"), Some(4));
    state.set_generation("nftables", None).unwrap();
    assert_eq!(state.generation("nftables"), None);
    fs::write(PathBuf::from(state.place()).join("generation.json"), "{").unwrap();
    assert_eq!(state.generation("iptables"), None);
    state.set_generation("iptables", Some(6)).unwrap();
    assert_eq!(state.generation("iptables"), Some(6));
}
