//! What a process that died left, met by the next one: journals written here by hand, as
//! `docs/state-format.md` says.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::palisade::{DEFAULT, Palisade};

/// A transaction from no record to these, as the journal begins with it. Steps are pairs of a
/// backend and what it does.
fn begin(steps: &[(&str, &str)], after: &[String]) -> Vec<u8> {
    let mut entry = 0_u32.to_le_bytes().to_vec();
    entry.extend(text("0123456789abcde"));
    entry.extend(count(steps.len()));
    for (backend, what) in steps {
        entry.extend(text(backend));
        entry.extend(text(what));
        entry.extend(text("payload"));
        entry.extend(text(""));
    }
    entry.extend(count(0));
    entry.extend(count(after.len()));
    entry.extend(after.iter().flat_map(|record| text(record)));
    frame(&entry)
}

fn count(count: usize) -> [u8; 8] {
    u64::try_from(count).unwrap().to_le_bytes()
}

fn text(text: &str) -> Vec<u8> {
    [count(text.len()).as_slice(), text.as_bytes()].concat()
}

fn frame(entry: &[u8]) -> Vec<u8> {
    let schema = 2_u16.to_le_bytes();
    let len = u32::try_from(entry.len()).unwrap().to_le_bytes();
    let sum = crc32c(&[&schema, len.as_slice(), entry].concat()).to_le_bytes();
    [b"PLSJ", schema.as_slice(), &len, &sum, entry].concat()
}

/// CRC-32C, bit by bit.
fn crc32c(bytes: &[u8]) -> u32 {
    let mut sum = !0_u32;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            let is_odd = sum & 1 == 1;
            sum >>= 1;
            if is_odd {
                sum ^= 0x82f6_3b78;
            }
        }
    }
    !sum
}

/// A network `default` that runs without rules, and the folder of its state.
fn running() -> (Palisade, PathBuf) {
    let palisade = Palisade::new();
    palisade.file("default.xml", DEFAULT);
    palisade.output("--backend none apply default.xml");
    let mut folders = fs::read_dir(palisade.folder().join("state")).unwrap();
    let folder = folders.next().unwrap().unwrap().path();
    assert!(folders.next().is_none());
    (palisade, folder)
}

/// The record of `default`, as one of `other`.
fn record_of_another(folder: &Path) -> String {
    let file = fs::read_to_string(folder.join("networks/default.json")).unwrap();
    let mut file: Value = serde_json::from_str(&file).unwrap();
    let record = file["record"].take().to_string();
    record
        .replace("default", "other")
        .replace("virbr0", "virbr1")
        .replace("192.168.122.", "192.168.123.")
}

/// Networks that run, in their order.
fn names(palisade: &Palisade) -> Vec<String> {
    let list = palisade.json("list --format json");
    let name = |network: &Value| network["name"].as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(name).collect()
}

#[test]
fn what_had_been_done_is_finished() {
    let (palisade, folder) = running();
    let other = record_of_another(&folder);
    // The backend `none` does nothing, so that what it was to do is always done.
    let journal = begin(&[("none", "nothing")], &[other]);
    fs::write(folder.join("journal"), &journal).unwrap();
    let told = palisade.transcript("recover");
    assert!(
        told.contains("an interrupted transaction was finished\n"),
        "{told}"
    );
    assert!(
        told.contains("0123456789abcde, which was interrupted"),
        "{told}"
    );
    assert_eq!(names(&palisade), ["default", "other"]);
    assert!(!folder.join("journal").exists());
    assert_eq!(palisade.output("recover"), "nothing was interrupted\n");
}

/// Nobody has to call `recover`: who only looks does so too.
#[test]
fn whatever_reads_networks_recovers_first() {
    let (palisade, folder) = running();
    let other = record_of_another(&folder);
    fs::write(
        folder.join("journal"),
        begin(&[("none", "nothing")], &[other]),
    )
    .unwrap();
    let told = palisade.transcript("list");
    assert!(
        told.contains("other") && told.contains("which was interrupted"),
        "{told}"
    );
    assert!(!folder.join("journal").exists());
    assert_eq!(names(&palisade), ["default", "other"]);
}

/// The same for those that change networks.
#[test]
fn whatever_changes_networks_recovers_first() {
    for line in [
        "apply default.xml",
        "remove other",
        "repair",
        "sync default.xml",
    ] {
        let (palisade, folder) = running();
        let journal = begin(&[], &[record_of_another(&folder)]);
        fs::write(folder.join("journal"), &journal).unwrap();
        let told = palisade.transcript(line);
        assert!(
            told.contains("finished transaction 0123456789abcde"),
            "{told}"
        );
        assert!(!told.contains("exit code"), "{told}");
        assert!(!folder.join("journal").exists(), "{line}");
    }
}

/// Wherever its first entry breaks off, the kernel had not been touched.
#[test]
fn a_beginning_that_breaks_off_is_set_aside() {
    let (palisade, folder) = running();
    let journal = begin(&[], &[record_of_another(&folder)]);
    for len in [1, 4, 13, 14, journal.len() / 2, journal.len() - 1] {
        fs::write(folder.join("journal"), &journal[..len]).unwrap();
        let told = palisade.transcript("recover");
        assert!(told.contains("\nnothing was interrupted\n"), "{told}");
        assert!(told.contains("is not whole: it breaks off"), "{told}");
        assert_eq!(names(&palisade), ["default"], "{len}");
        assert!(!folder.join("journal").exists(), "{len}");
    }
    let kept = fs::read(folder.join("journal.unreadable-6")).unwrap();
    assert_eq!(kept, &journal[..journal.len() - 1]);
}

#[test]
fn what_cannot_be_read_says_why() {
    let (palisade, folder) = running();
    let journal = begin(&[], &[]);
    let mut flipped = journal.clone();
    flipped[20] ^= 1;
    let mut newer = journal.clone();
    newer[4] = 3;
    let sum = crc32c(&[&newer[4..10], &newer[14..]].concat());
    newer[10..14].copy_from_slice(&sum.to_le_bytes());
    let unknown = frame(&7_u32.to_le_bytes());
    for (journal, why) in [
        (flipped, "its checksum is wrong"),
        (newer, "another build wrote it"),
        (unknown, "it is not what this build writes"),
        (b"{\"schema\": 1}".to_vec(), "it is not palisade's"),
    ] {
        fs::write(folder.join("journal"), journal).unwrap();
        let told = palisade.transcript("recover");
        assert!(told.contains(&format!("is not whole: {why}")), "{told}");
        assert_eq!(names(&palisade), ["default"]);
    }
}

/// It stays for a build that knows the backend, and nothing else is done before.
#[test]
fn a_backend_that_is_not_in_this_build() {
    let (palisade, folder) = running();
    let journal = begin(&[("pf", "one table")], &[]);
    fs::write(folder.join("journal"), &journal).unwrap();
    for line in ["recover", "remove default"] {
        let told = palisade.transcript(line);
        let what = "2> error: a transaction of backend `pf` was interrupted, which is not in";
        assert!(told.contains(what), "{told}");
        assert!(told.ends_with("exit code 1\n"), "{told}");
        assert_eq!(fs::read(folder.join("journal")).unwrap(), journal);
    }
    // Who only looks sees what there is, and hears of it.
    let told = palisade.transcript("list");
    assert!(
        told.contains("default") && told.contains("`palisade recover`"),
        "{told}"
    );
}

/// The bytes in the document are a journal.
#[test]
fn is_as_documented() {
    let document = crate::documents::read("docs/state-format.md");
    let dump = crate::documents::block(&document, "text frame");
    let bytes = dump.lines().flat_map(|line| {
        let hex = line.split('#').next().unwrap();
        let bytes: Vec<u8> = hex
            .split_whitespace()
            .map(|byte| u8::from_str_radix(byte, 16).unwrap())
            .collect();
        bytes
    });
    assert_eq!(bytes.collect::<Vec<u8>>(), begin(&[], &[]));
}

/// So is the record.
#[test]
fn records_are_as_documented() {
    let document = crate::documents::read("docs/state-format.md");
    let documented = crate::documents::block(&document, "json record");
    assert_eq!(
        documented,
        crate::documents::read("crates/core/src/state/golden/record-2.json")
    );
    let (palisade, folder) = running();
    let record: Value = serde_json::from_str(&documented).unwrap();
    let sum = crc32c(compact(&documented).as_bytes());
    assert_eq!(record["crc32c"], format!("{sum:08x}"));
    let default = fs::read_to_string(folder.join("networks/default.json")).unwrap();
    let origin: Value = serde_json::from_str(&default).unwrap();
    let origin = &origin["origin"];
    let record = compact(&documented);
    let file = format!(
        "{{\"schema\":2,\"crc32c\":\"{sum:08x}\",\"origin\":{origin},\"record\":{record}}}"
    );
    fs::write(folder.join("networks/golden.json"), file).unwrap();
    assert_eq!(names(&palisade), ["default", "golden"]);
}

/// The record of a file in JSON without white space, in the order of the file.
fn compact(file: &str) -> String {
    let (_, record) = file.split_once("\"record\": ").unwrap();
    let (record, _) = record.rsplit_once('}').unwrap();
    let lines = record
        .lines()
        .map(|line| line.trim().replacen("\": ", "\":", 1));
    lines.collect()
}
