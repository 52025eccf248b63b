use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::files::NETWORKS;
use super::folder::path;
use super::mark::Told;
use super::*;
use crate::backend::{BackendId, Installed, Placement};
use crate::hint::Hint;
use crate::identity::{Identity, Key};
use crate::journal::{Begin, Left};
use crate::network::{Description, Established, Family, Forward, Network};
use crate::storage::memory::{Memory, Mishap};
use crate::storage::{Lock, PATIENCE, Storage};

const NFTABLES: BackendId = BackendId::new("nftables");

fn record(name: &str, order: u64) -> Record {
    Record {
        owner: crate::NetworkOwner::default(),
        network: Network::new(Description::new(
            name.parse().unwrap(),
            Some("virbr0".parse().unwrap()),
            Forward::Isolated,
        ))
        .unwrap(),
        placement: Placement {
            backend: NFTABLES,
            settings: BTreeMap::from([("table".to_owned(), "palisade".to_owned())]),
        },
        why: String::new(),
        since: "2026-11-24T12:00:00Z".parse().unwrap(),
        order,
        actions: Vec::new(),
        installed: vec![Installed {
            family: Family::Ipv4,
            table: "palisade".to_owned(),
            place: "cross".to_owned(),
            item: Identity::Element(Key(b"virbr0\0\0\0\0\0\0\0\0\0\0".repeat(2))),
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

const ANOTHER_BOOT: &str =
    r#"{ "schema": 2, "boot": "another", "cookie": 7, "crc32c": "ee525864" }"#;

#[test]
fn the_state_of_another_boot_is_set_aside() {
    let directory = tempfile::tempdir().unwrap();
    let state = State::of(directory.path(), 7);
    drop(state.lock(PATIENCE).unwrap());
    state.write([&record("old", 0)]).unwrap();
    let path = PathBuf::from(state.place()).join("namespace.json");
    fs::write(&path, ANOTHER_BOOT).unwrap();
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
        text.replace("\"schema\":2", "\"schema\":99").into(),
        text.replace("\"a\"", "\"b\"").into(),
    ];
    for bit in 0..good.len() * 8 {
        let mut flipped = good.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        broken.push(flipped);
    }
    let mark = disk.files().remove("namespace.json").unwrap();
    let whole = record("a", 0);
    for bytes in broken {
        let disk = Memory::default();
        let state = State::in_storage(Box::new(disk.clone()), 7);
        disk.put("namespace.json", mark.clone());
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

/// Nobody else's mark is needed for what says itself where and when it was written.
#[test]
fn records_and_journal_outlive_a_mark_that_is_broken() {
    let written = Memory::default();
    let state = State::in_storage(Box::new(written.clone()), 7);
    drop(state.lock(PATIENCE).unwrap());
    let all = [record("a", 0), record("b", 1)];
    state.write(&all).unwrap();
    let begin = Begin::new("0123".to_owned(), Vec::new(), [], &[]).unwrap();
    let now = state.origin().unwrap();
    state.journal().begin(begin.clone(), now).unwrap();
    let mark = written.files().remove("namespace.json").unwrap();
    let cut = (0..mark.len()).map(|end| mark[..end].to_vec());
    let flipped = (0..mark.len() * 8).map(|bit| {
        let mut flipped = mark.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        flipped
    });
    let newer = String::from_utf8(mark.clone()).unwrap();
    let newer = newer.replace("\"schema\": 2", "\"schema\": 3").into_bytes();
    for mark in cut.chain(flipped).chain([newer]) {
        let told = String::from_utf8_lossy(&mark);
        let disk = Memory::default();
        for (path, content) in written.files() {
            disk.put(&path, content);
        }
        disk.put("namespace.json", mark.clone());
        let state = State::in_storage(Box::new(disk.clone()), 7);
        assert_eq!(state.records(None).unwrap(), all, "{told}");
        drop(state.lock(PATIENCE).unwrap());
        assert_eq!(state.records(None).unwrap(), all, "{told}");
        assert_eq!(state.journal().left().unwrap(), Left::Begun(begin.clone()));
        // It stays if it says the same (a bit of white space, say), and otherwise lies beside.
        let now = state.origin().unwrap();
        assert_eq!(state.told(&now).unwrap(), Told::Ours, "{told}");
        assert!(disk.files().values().any(|content| *content == mark));
    }
}

/// What says nothing, or something else, is not believed without the mark.
#[test]
fn without_a_mark_nothing_else_is_believed() {
    let elsewhere = Memory::default();
    let other = State::in_storage(Box::new(elsewhere.clone()), 8);
    drop(other.lock(PATIENCE).unwrap());
    other.write([&record("other", 0)]).unwrap();
    let begin = Begin::new("0123".to_owned(), Vec::new(), [], &[]).unwrap();
    let origin = other.origin().unwrap();
    other.journal().begin(begin, origin).unwrap();
    for mark in [None, Some("{")] {
        let disk = Memory::default();
        for path in ["networks/other.json", "journal"] {
            disk.put(path, elsewhere.files().remove(path).unwrap());
        }
        disk.put("networks/golden.json", b"{\"schema\":2}".to_vec());
        if let Some(mark) = mark {
            disk.put("namespace.json", mark.as_bytes().to_vec());
        }
        let state = State::in_storage(Box::new(disk.clone()), 7);
        assert_eq!(state.records(None).unwrap(), []);
        drop(state.lock(PATIENCE).unwrap());
        assert_eq!(state.records(None).unwrap(), []);
        assert_eq!(state.journal().left().unwrap(), Left::Nothing);
        let files = disk.files();
        for aside in [
            "unreadable/golden.json-1",
            "unreadable/other.json-1",
            "journal.unreadable-1",
        ] {
            assert!(files.contains_key(aside), "{aside}");
        }
        let is_there = files.contains_key("namespace.json.unreadable-1");
        assert_eq!(is_there, mark.is_some());
    }
}

/// The file of a record, as `docs/state-format.md` has it, but for white space and where it was written.
const GOLDEN: &str = include_str!("golden/record-2.json");

#[test]
fn records_are_written_as_documented() {
    let disk = Memory::default();
    let state = State::in_storage(Box::new(disk.clone()), 7);
    let _lock = state.lock(PATIENCE).unwrap();
    state.write([&record("golden", 3)]).unwrap();
    let written = disk.files().remove("networks/golden.json").unwrap();
    let mut written: serde_json::Value = serde_json::from_slice(&written).unwrap();
    let golden: serde_json::Value = serde_json::from_str(GOLDEN).unwrap();
    written["origin"] = golden["origin"].clone();
    assert_eq!(written, golden);
}

/// State of an earlier build: what was installed is in words that this one does not read.
#[test]
fn records_of_an_earlier_build_are_refused_until_they_are_renewed() {
    let disk = Memory::default();
    let state = State::in_storage(Box::new(disk.clone()), 7);
    let lock = state.lock(PATIENCE).unwrap();
    let record = record("a", 0);
    let Origin { boot, cookie } = state.origin().unwrap();
    let json = serde_json::to_string(&record).unwrap();
    let (before, _) = json.split_once("\"installed\"").unwrap();
    let json = format!("{before}\"installed\":[{{\"family\":\"ipv4\",\"item\":\"words\"}}]}}");
    let sum = crc32c::crc32c(json.as_bytes());
    let file = format!(
        "{{\"schema\":1,\"crc32c\":\"{sum:08x}\",\
         \"origin\":{{\"boot\":\"{boot}\",\"cookie\":{cookie}}},\"record\":{json}}}"
    );
    disk.put("networks/a.json", file.into_bytes());
    let refused = state.records(None).unwrap_err();
    assert!(
        matches!(refused, StateError::Older { found: 1, .. }),
        "{refused}"
    );
    assert_eq!(refused.hint(), "`palisade repair` rebuilds it");
    assert!(state.running(&lock).is_err());
    state.renew(&lock).unwrap();
    let renewed = Record {
        installed: Vec::new(),
        ..record
    };
    assert_eq!(state.records(None).unwrap(), [renewed]);
}

/// What a process that comes next sees, without what this one remembers.
fn next(directory: &Path) -> (State, Lock) {
    let state = State::of(directory, 7);
    let lock = state.lock(PATIENCE).unwrap();
    (state, lock)
}

#[test]
fn the_index_tells_the_next_process() {
    let directory = tempfile::tempdir().unwrap();
    let (state, lock) = next(directory.path());
    let running = state.running(&lock).unwrap();
    let (a, b) = (record("a", 3), record("b", 4));
    state.write([&a, &b]).unwrap();
    state.remember(running, [], [a.clone(), b], &[(NFTABLES, Some(9))]);
    drop(lock);

    let (state, lock) = next(directory.path());
    // Not from the records: one is broken by now, which nobody looks at.
    let path = PathBuf::from(state.place()).join("networks/b.json");
    fs::write(&path, "{").unwrap();
    let running = state.running(&lock).unwrap();
    assert_eq!(running.get(a.network.name()).unwrap(), Some(&a));
    assert_eq!(running.generation(&NFTABLES), Some(9));
    assert_eq!(running.next_order(), 5);
    let uses = running.uses(&NFTABLES);
    assert_eq!(
        uses.places(Family::Ipv4, "palisade").collect::<Vec<_>>(),
        ["cross"]
    );
    assert!(running.conflicts_with(&record("c", 0).network, &HashSet::new()));
    let lost = running.get(&"b".parse().unwrap());
    assert!(matches!(lost, Err(StateError::Misled)));
    let running = state.running_reread(&lock).unwrap();
    assert_eq!(running.all().unwrap(), [&a]);
    assert_eq!(running.generation(&NFTABLES), None);
    assert!(!path.exists(), "it is set aside");
}

#[test]
fn an_unchanged_network_is_known_without_its_record() {
    let directory = tempfile::tempdir().unwrap();
    let (state, lock) = next(directory.path());
    let (a, b) = (record("a", 3), record("b", 4));
    let running = state.running(&lock).unwrap();
    state.write([&a, &b]).unwrap();
    state.remember(running, [], [a.clone(), b.clone()], &[]);
    drop(lock);

    let (state, lock) = next(directory.path());
    for record in [&a, &b] {
        let path = PathBuf::from(state.place()).join(path(record.network.name()));
        fs::write(&path, "{").unwrap();
    }
    let running = state.running(&lock).unwrap();
    assert_eq!(running.placement(a.network.name()), Some(&a.placement));
    let rank = |network, placement| running.rank_as(network, placement);
    assert_eq!(rank(&a.network, &a.placement).unwrap(), Some(3));
    assert_eq!(rank(&b.network, &b.placement).unwrap(), Some(4));
    let elsewhere = Placement {
        backend: BackendId::new("none"),
        ..a.placement.clone()
    };
    assert_eq!(rank(&a.network, &elsewhere).unwrap(), None);
    // Where it is another one, the record is asked.
    let mut other = Description::from(a.network.clone());
    other.dhcp = !other.dhcp;
    let other = Network::new(other).unwrap();
    assert!(matches!(
        rank(&other, &a.placement),
        Err(StateError::Misled)
    ));
}

/// The placement says it, and the network has it: also where only the index is read.
#[test]
fn when_known_flows_are_accepted_is_recorded() {
    let directory = tempfile::tempdir().unwrap();
    let (state, lock) = next(directory.path());
    let (mut a, b) = (record("a", 3), record("b", 4));
    a.placement = a.placement.with_established(Established::First);
    a.network = a.network.with_established(Established::First);
    let running = state.running(&lock).unwrap();
    state.write([&a, &b]).unwrap();
    state.remember(running, [], [a.clone(), b.clone()], &[]);
    drop(lock);

    let (state, lock) = next(directory.path());
    assert_eq!(state.records(None).unwrap(), [a.clone(), b.clone()]);
    let running = state.running(&lock).unwrap();
    let in_turn = a.network.clone().with_established(Established::InTurn);
    assert_eq!(running.rank_as(&a.network, &a.placement).unwrap(), Some(3));
    assert_eq!(running.rank_as(&in_turn, &b.placement).unwrap(), None);
    assert_eq!(running.rank_as(&a.network, &b.placement).unwrap(), None);
    assert_eq!(running.rank_as(&b.network, &b.placement).unwrap(), Some(4));

    // One who writes anything else there has not written it with this program.
    let path = PathBuf::from(state.place()).join(path(a.network.name()));
    let written = fs::read_to_string(&path).unwrap();
    assert!(written.contains(r#""established":"first""#), "{written}");
    fs::write(&path, written.replace("\"first\"", "\"last\"")).unwrap();
    assert_eq!(state.records(Some(&lock)).unwrap(), [b]);
}

#[test]
fn an_index_of_other_records_is_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    let (state, lock) = next(directory.path());
    let running = state.running(&lock).unwrap();
    let (a, b) = (record("a", 3), record("b", 4));
    state.write([&a]).unwrap();
    state.remember(running, [], [a], &[(NFTABLES, Some(9))]);
    let index = PathBuf::from(state.place()).join("index");
    let whole = fs::read(&index).unwrap();
    for (what, broken) in [
        ("cut", &whole[..whole.len() - 1]),
        ("empty", &[]),
        ("whole", &whole),
    ] {
        fs::write(&index, broken).unwrap();
        let state = State::of(directory.path(), 7);
        let running = state.running(&lock).unwrap();
        let is_believed = running.generation(&NFTABLES).is_some();
        assert_eq!(is_believed, what == "whole", "{what}");
        assert_eq!(running.all().unwrap().len(), 1, "{what}");
        fs::write(&index, &whole).unwrap();
    }
    // Somebody who knows of no index.
    state.write([&b]).unwrap();
    let running = state.running(&lock).unwrap();
    assert_eq!(running.all().unwrap().len(), 2);
    assert_eq!(running.generation(&NFTABLES), None);
}

#[test]
fn the_index_does_not_grow_without_bound() {
    let directory = tempfile::tempdir().unwrap();
    let (state, lock) = next(directory.path());
    state.write([&record("a", 0)]).unwrap();
    for order in 0..2_000 {
        let running = state.running(&lock).unwrap();
        let network = record("a", order);
        state.remember(running, [], [network], &[]);
    }
    let file = PathBuf::from(state.place()).join("index");
    let is_short = || assert!(fs::metadata(&file).unwrap().len() < 200_000);
    is_short();
    // Nor by processes that change something and end.
    drop(lock);
    for order in 2_000..3_000 {
        let (state, lock) = next(directory.path());
        let running = state.running(&lock).unwrap();
        assert_eq!(running.next_order(), order);
        state.remember(running, [], [record("a", order)], &[]);
    }
    is_short();
}

/// An index that could not be written anew lacks a network: what is added to it later must not make it
/// believed again.
#[test]
fn an_index_that_could_not_be_written_is_none() {
    let at = |disk: &Memory| State::in_storage(Box::new(disk.clone()), 7);
    let comes = |disk: &Memory, state: &State, order: u64, mishap: Option<Mishap>| {
        let lock = state.lock(PATIENCE).unwrap();
        let running = state.running(&lock).unwrap();
        let network = record(&format!("n{order}"), order);
        state.write([&network]).unwrap();
        if let Some(mishap) = mishap {
            disk.fate().at(0, mishap);
        }
        state.remember(running, [], [network], &[]);
        let _ = disk.fate().heal();
    };
    let disk = Memory::default();
    let state = at(&disk);
    for order in 0..300 {
        let other = Memory::default();
        for (path, content) in disk.files() {
            other.put(&path, content);
        }
        let daemon = at(&other);
        comes(&other, &daemon, order, Some(Mishap::Fails));
        comes(&other, &daemon, order + 1, None);
        let next = at(&other);
        let lock = next.lock(PATIENCE).unwrap();
        let running = next.running(&lock).unwrap();
        let recorded = other.names(NETWORKS).unwrap().len();
        assert_eq!(running.names().len(), recorded, "at {order}");
        comes(&disk, &state, order, None);
    }
}
