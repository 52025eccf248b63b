//! State that is broken or cannot be written: what is broken is set aside and told, and what
//! cannot be written down is not done.

use std::fs;
use std::path::{Path, PathBuf};

use palisade_tests::{Answer, Namespace, Palisade, Trials};

use crate::kill::{folder, kill_in_transaction};
use palisade_tests::place::{Place, assert_clean, net};

pub(crate) fn add_to(mut trials: Trials) -> Trials {
    for (name, file) in [("a record", "networks/net2.json"), ("the index", "index")] {
        let name = format!("storage: {name} is broken in every way");
        trials = trials.with(name, move || broken(file));
    }
    trials = trials.with("storage: the mark of the boot is broken", broken_mark);
    let name = "storage: Flat: with room for so many pages";
    trials = trials.with(name, || full(Place::Flat));
    for place in [Place::Mapped, Place::Legacy] {
        let name = format!("storage: {place:?}: the journal is broken in every way");
        trials = trials.with(name, move || broken_journal(place));
        let name = format!("storage: {place:?}: the journal of what landed is broken");
        trials = trials.with(name, move || broken_journal_of_what_landed(place));
        let name = format!("storage: {place:?}: with room for so many pages");
        trials = trials.with(name, move || full(place));
        let name = format!("storage: {place:?}: read only");
        trials = trials.with(name, move || read_only(place));
    }
    trials
}

/// Ways in which a file is not what was written.
fn damages(content: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut damages = vec![
        ("empty".to_owned(), Vec::new()),
        ("foreign".to_owned(), b"#!/bin/sh\nexit 0\n".to_vec()),
        ("zeros".to_owned(), vec![0; content.len()]),
    ];
    for part in 1..6 {
        let end = content.len() * part / 6;
        damages.push((format!("cut at {end}"), content[..end].to_vec()));
        let mut flipped = content.to_vec();
        flipped[end] ^= 0x80;
        damages.push((format!("bit flipped at {end}"), flipped));
    }
    damages
}

fn broken(file: &str) {
    let namespace = Namespace::new();
    let palisade = Place::Mapped.palisade(&namespace);
    let both = [net(1), net(2)];
    palisade.apply(&both).stdout();
    let path = folder(&palisade).join(file);
    let content = fs::read(&path).expect("read the state");
    for (damage, damaged) in damages(&content) {
        fs::write(&path, &damaged).expect("break the state");
        let told = format!("{file}: {damage}");
        let listed = palisade.answer(["list"]);
        assert_eq!(listed.code, Some(0), "{told}: {listed}");
        let applied = palisade.apply([&net(3)]);
        assert_eq!(applied.code, Some(0), "{told}: {applied}");
        let mut said = String::new();
        if file.starts_with("networks/") {
            // In doubt, until somebody says `recover` or the network is applied anew.
            let verified = palisade.answer(["verify"]);
            assert_eq!(verified.code, Some(3), "{told}: {verified}");
            assert!(verified.stdout.contains("unreadable"), "{told}: {verified}");
            // Nobody reads the record of a network that is wished for as it runs: that takes a word.
            let recovered = palisade.answer(["recover"]);
            assert_eq!(recovered.code, Some(0), "{told}: {recovered}");
            said = recovered.stderr;
        }
        // What was lost is known from the definitions.
        let applied = palisade.apply(&both);
        assert_eq!(applied.code, Some(0), "{told}: {applied}");
        if file != "index" {
            // That one only saves work.
            said += &applied.stderr;
            assert_set_aside(&palisade, &damaged, &said, &told);
        }
        palisade.ok(["remove", "net3"]);
        let repaired = palisade.answer(["repair"]);
        assert_eq!(repaired.code, Some(0), "{told}: {repaired}");
        let verified = palisade.answer(["verify"]);
        assert_eq!(verified.code, Some(0), "{told}: {verified}");
        assert_eq!(palisade.running(), ["net1", "net2"], "{told}");
    }
}

/// What was found is under another name now, and somebody was told.
#[track_caller]
fn assert_set_aside(palisade: &Palisade<'_>, damaged: &[u8], said: &str, told: &str) {
    let kept = files_below(&folder(palisade));
    let is_kept = |path: &PathBuf| fs::read(path).is_ok_and(|content| content == damaged);
    assert!(kept.iter().any(is_kept), "{told}: not among {kept:?}");
    assert!(said.contains("now"), "{told}: not told where it is: {said}");
}

/// What says itself that this boot wrote it is used, and the mark that says it for all is set aside.
fn broken_mark() {
    let namespace = Namespace::new();
    let palisade = Place::Mapped.palisade(&namespace);
    palisade.apply(&[net(1), net(2)]).stdout();
    let path = folder(&palisade).join("namespace.json");
    let content = fs::read(&path).expect("read the state");
    let text = String::from_utf8(content.clone()).expect("the state in JSON");
    let mut damages = damages(&content);
    let newer = text.replace("\"schema\": 2", "\"schema\": 99");
    damages.push(("newer".to_owned(), newer.into_bytes()));
    for (damage, damaged) in damages {
        fs::write(&path, &damaged).expect("break the state");
        assert_eq!(palisade.running(), ["net1", "net2"], "{damage}");
        let before = Place::Mapped.standing(&namespace);
        let recovered = palisade.answer(["recover"]);
        assert_eq!(recovered.code, Some(0), "{damage}: {recovered}");
        assert_set_aside(&palisade, &damaged, &recovered.stderr, &damage);
        assert_eq!(Place::Mapped.standing(&namespace), before, "{damage}");
        assert_eq!(palisade.running(), ["net1", "net2"], "{damage}");
        assert_clean(&palisade);
    }
    // A record that does not say so may be of another boot, whatever the mark says.
    let record = folder(&palisade).join("networks/net2.json");
    let written = fs::read_to_string(&record).expect("read a record");
    let mut unmarked: serde_json::Value = serde_json::from_str(&written).expect("a record");
    let origin = unmarked.as_object_mut().and_then(|r| r.remove("origin"));
    assert!(origin.is_some(), "it says where it was written: {written}");
    fs::write(&record, unmarked.to_string()).expect("write a record");
    assert_eq!(palisade.running(), ["net1"]);
    fs::write(&path, "{").expect("break the state");
    assert_eq!(palisade.running(), ["net1"]);
    palisade.ok(["remove", "net1"]);
    assert!(!record.exists(), "it is still a record");
    assert!(palisade.running().is_empty());
    let verified = palisade.answer(["verify"]);
    assert_eq!(verified.code, Some(3), "{verified}");
    assert!(verified.stdout.contains("net2.json"), "{verified}");
}

fn broken_journal(place: Place) {
    let namespace = Namespace::new();
    let palisade = place.palisade(&namespace);
    palisade.apply(&[net(1), net(2)]).stdout();
    let path = folder(&palisade).join("journal");
    let files = palisade.files([&net(3)]);
    let found = (0..200).find_map(|_| {
        kill_in_transaction(&namespace, &palisade, &files);
        let left = fs::read(&path).ok();
        palisade.ok(["recover"]);
        if palisade.running().len() > 2 {
            palisade.ok(["remove", "net3"]);
        }
        left.filter(|content| content.len() > 16)
    });
    let content = found.expect("a journal of a command that was killed");
    assert_clean(&palisade);
    for (damage, damaged) in damages(&content) {
        fs::write(&path, &damaged).expect("break the journal");
        let listed = palisade.answer(["list"]);
        assert_eq!(listed.code, Some(0), "{damage}: {listed}");
        let recovered = palisade.answer(["recover"]);
        assert_eq!(recovered.code, Some(0), "{damage}: {recovered}");
        if !damaged.is_empty() {
            assert!(!path.exists(), "{damage}: it is still the journal");
            let said = listed.stderr + &recovered.stderr;
            assert_set_aside(&palisade, &damaged, &said, &damage);
        }
        // Nothing of the transaction stands, and nothing of anything else was touched.
        assert_eq!(palisade.running(), ["net1", "net2"], "{damage}");
        assert_clean(&palisade);
    }
}

/// More than there are kinds of damage.
const ENOUGH: usize = 26;

/// Where nobody can say how far it came, `verify` reports what is installed, `repair` keeps what is in the
/// name of a network without a record, and `apply` takes it over.
fn broken_journal_of_what_landed(place: Place) {
    let namespace = Namespace::new();
    let palisade = place.palisade(&namespace);
    palisade.apply(&[net(1), net(2)]).stdout();
    let before = place.standing(&namespace);
    let path = folder(&palisade).join("journal");
    let files = palisade.files([&net(3)]);
    let mut broken = 0;
    // On a busy machine few are killed in time.
    for _ in 0..200 {
        if broken == ENOUGH {
            break;
        }
        kill_in_transaction(&namespace, &palisade, &files);
        if let Ok(content) = fs::read(&path)
            && !content.is_empty()
        {
            let damages = damages(&content);
            let (damage, damaged) = &damages[broken % damages.len()];
            fs::write(&path, damaged).expect("break the journal");
            broken += 1;
            palisade.ok(["recover"]);
            let verified = palisade.answer(["verify"]);
            assert!(matches!(verified.code, Some(0 | 3)), "{damage}: {verified}");
            palisade.ok(["repair"]);
            palisade.apply([&net(3)]).stdout();
            assert_clean(&palisade);
        }
        if palisade.running().len() > 2 {
            palisade.ok(["remove", "net3"]);
        }
        assert_eq!(place.standing(&namespace), before);
    }
    assert!(broken > 0, "no process was killed in time");
}

/// With so many pages left, the change is done and recorded as a whole, or nothing of it.
fn full(place: Place) {
    let (mut failed, mut done) = (0, 0);
    for pages in 0..12 {
        let script = format!(
            "mount -t tmpfs -o size=128k tmpfs \"$STATE\" && \"$@\" apply \"$FIRST\" || exit 90\n\
             cat /dev/zero > \"$STATE/fill\" 2> \"$STATE/../full\"\n\
             truncate -s -$(({pages} * 4096)) \"$STATE/fill\"\n"
        );
        let answer = apply_second(place, &script);
        failed += usize::from(answer.code == Some(1));
        done += usize::from(answer.code == Some(0));
        let told = format!("{pages} pages left");
        assert_whole(&answer, &told);
        assert!(
            answer.stdout.contains("nothing was interrupted"),
            "{told}: {answer}"
        );
    }
    assert!(failed > 0 && done > 0, "{failed} failed, {done} done");
}

fn read_only(place: Place) {
    let script = "mount -t tmpfs tmpfs \"$STATE\" && \"$@\" apply \"$FIRST\" || exit 90\n\
                  mount -o remount,ro \"$STATE\" || exit 91\n\
                  \"$@\" list || exit 92\n";
    let answer = apply_second(place, script);
    assert_eq!(answer.code, Some(1), "{answer}");
    assert!(
        answer.stderr.contains("read-only") && answer.stderr.contains("--state-dir"),
        "{answer}"
    );
    assert_whole(&answer, "read only");
}

/// Prepares the state directory by a script, in a mount namespace, and then applies a second
/// network; prints what stands before and after, and what `verify` exits with.
pub(crate) fn apply_second(place: Place, prepare: &str) -> Answer {
    let namespace = Namespace::new();
    let palisade = place.palisade(&namespace);
    fs::create_dir_all(palisade.state()).expect("make the state directory");
    let look = match place {
        Place::Mapped | Place::Flat => "nft -s list ruleset",
        Place::Legacy => {
            "iptables-legacy-save | grep -v '^#'; ip6tables-legacy-save | grep -v '^#'"
        }
        Place::Nft => "iptables-nft-save | grep -v '^#'; ip6tables-nft-save | grep -v '^#'",
    };
    let script = format!(
        "{{ {prepare}}} > \"$STATE/../prepared\"\n{look}\necho ===\n\"$@\" apply \"$SECOND\"; code=$?\necho ===\n{look}\n\
         echo ===\nrm -f \"$STATE/fill\"\n\"$@\" recover; \"$@\" verify; echo \"verified $?\"\n\
         exit $code"
    );
    let prefix = ["unshare", "-m", "sh", "-c", &script, "sh"];
    let files = palisade.files(&[net(1), net(2)]);
    let mut command = palisade.command_by(&prefix, [""; 0]);
    command
        .env("STATE", palisade.state())
        .env("FIRST", &files[0])
        .env("SECOND", &files[1]);
    namespace.answer(&mut command, "")
}

/// It succeeded, or it failed and nothing changed; and what is recorded stands.
#[track_caller]
pub(crate) fn assert_whole(answer: &Answer, told: &str) {
    let parts: Vec<&str> = answer.stdout.split("===\n").collect();
    let [before, _, after, verified] = parts.as_slice() else {
        panic!("{told}: {answer}");
    };
    match answer.code {
        Some(0) => assert!(after.contains("virbr2"), "{told}: {answer}"),
        Some(1) => assert_eq!(
            without_counters(before),
            without_counters(after),
            "{told}: {answer}"
        ),
        _ => panic!("{told}: {answer}"),
    }
    assert!(verified.contains("verified 0"), "{told}: {answer}");
}

fn without_counters(listed: &str) -> Vec<&str> {
    let lines = listed.lines();
    lines
        .map(|line| line.split(" [").next().unwrap_or(line))
        .collect()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("list a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files
}
