//! Names against the words of nft's language: what `palisade` refuses as the name of a table, `nft`
//! could not read back, and what it takes, `nft` reads. The same for the names in our layouts.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use palisade_core::network::{AddressRange, Description, Family, Forward, Nat, Network, PortRange};
use palisade_nft::layout::{Layout, TableName};
use palisade_nft::parts::KEYWORDS;
use palisade_tests::{Answer, Namespace, trials};

fn main() -> ExitCode {
    palisade_tests::run(trials![
        nft_cannot_read_what_is_refused,
        nft_reads_every_other_word_that_it_knows,
        nft_reads_the_names_in_the_layouts,
    ])
}

/// Words of which `nft` makes names where they mean nothing else, as old as 1.0.6: some are words of
/// later versions, the others only of some statements. No table needs to be called so.
const READ_BY_SOME: &[&str] = &[
    "destroy",
    "geneve",
    "gre",
    "gretap",
    "last",
    "meters",
    "secmarks",
    "transparent",
    "vxlan",
    "wildcard",
];

fn nft_cannot_read_what_is_refused() {
    let namespace = Namespace::new();
    let read: Vec<&str> = KEYWORDS
        .iter()
        .copied()
        .filter(|word| !READ_BY_SOME.contains(word))
        .filter(|word| tried(&namespace, &format!("table ip {word} {{ }}\n")).code == Some(0))
        .collect();
    assert!(read.is_empty(), "refused for nothing: {read:?}");
}

fn nft_reads_every_other_word_that_it_knows() {
    let namespace = Namespace::new();
    let mut script = String::new();
    let mut count = 0;
    for word in short_words().chain(words_of_nft()) {
        if word.parse::<TableName>().is_ok() {
            count += 1;
            let _ = writeln!(script, "table ip {word} {{ }}");
        }
    }
    assert!(count > 1500, "only {count} words to try");
    tried(&namespace, &script).stdout();
}

fn nft_reads_the_names_in_the_layouts() {
    let namespace = Namespace::new();
    let networks = networks();
    let mut script = String::new();
    let mut count = 0;
    for layout in [Layout::Flat, Layout::Mapped] {
        for family in Family::BOTH {
            let table = TableName::default();
            let skeleton = layout.skeleton(&table, family, &networks);
            let skeleton = skeleton.expect("the networks have rules of both families");
            for chain in skeleton.chains {
                count += 1;
                let name = chain.name;
                let _ = write!(
                    script,
                    "table {family} t {{\n\tchain {name} {{ }}\n\
                     \tchain caller {{ jump {name}; goto {name}; }}\n}}\n\
                     add rule {family} t {name} accept\nflush chain {family} t {name}\n",
                    family = chain.family
                );
            }
            for set in skeleton.sets {
                count += 1;
                let _ = write!(
                    script,
                    "table {family} t {{\n\tset {name} {{ type ifname; }}\n\
                     \tchain asker {{ iifname @{name} accept; }}\n}}\n",
                    family = set.family,
                    name = set.name,
                );
            }
        }
    }
    assert!(count > 30, "only {count} names to try");
    tried(&namespace, &script).stdout();
}

fn tried(namespace: &Namespace, script: &str) -> Answer {
    let mut nft = std::process::Command::new("nft");
    namespace.answer(nft.args(["-c", "-f", "-"]), script)
}

/// Words like `ne`, which are nowhere in nft as text.
fn short_words() -> impl Iterator<Item = String> {
    let letters = || 'a'..='z';
    let pairs = letters().flat_map(move |a| letters().map(move |b| format!("{a}{b}")));
    letters().map(String::from).chain(pairs)
}

/// What stands in nft's library as text and could be a name.
fn words_of_nft() -> BTreeSet<String> {
    let library = std::fs::read(library()).expect("read nft's library");
    library
        .split(|byte| !(byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-'))
        .filter(|word| (3..=20).contains(&word.len()))
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect()
}

fn library() -> PathBuf {
    let folders = ["/usr/lib", "/usr/lib64", "/lib"]
        .into_iter()
        .map(PathBuf::from);
    let below = |folder: PathBuf| {
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        let below: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        std::iter::once(folder).chain(below)
    };
    folders
        .flat_map(below)
        .map(|folder| folder.join("libnftables.so.1"))
        .find(|path| path.exists())
        .expect("find libnftables.so.1")
}

/// Networks that together need every kind of chain and set.
fn networks() -> Vec<Network> {
    let nat = |device: Option<&str>, range: Option<(&str, &str)>, ipv6| {
        Forward::Nat(Nat {
            device: device.map(|device| device.parse().expect("a device's name")),
            addresses: range.map(|(start, end)| {
                let address = |text: &str| text.parse().expect("an address");
                AddressRange::new(address(start), address(end)).expect("a range")
            }),
            ports: PortRange::new(20000, 20100).expect("a range"),
            ipv6,
            ..Nat::default()
        })
    };
    let route = |device: Option<&str>| Forward::Route {
        device: device.map(|device| device.parse().expect("a device's name")),
    };
    [
        nat(None, None, true),
        nat(Some("eth0"), Some(("203.0.113.7", "203.0.113.9")), false),
        nat(Some("eth0"), Some(("203.0.113.7", "203.0.113.7")), true),
        route(None),
        route(Some("eth0.5")),
        Forward::Isolated,
    ]
    .into_iter()
    .enumerate()
    .map(|(i, forward)| network(i, forward))
    .collect()
}

fn network(i: usize, forward: Forward) -> Network {
    let subnets = [
        format!("10.{i}.0.0/{}", 20 + i),
        format!("fd00:{i}::/{}", 60 + i),
    ];
    let description = Description {
        subnets: subnets
            .map(|subnet| subnet.parse().expect("a subnet"))
            .to_vec(),
        ..Description::new(
            format!("net{i}").parse().expect("a name"),
            Some(format!("virbr{i}").parse().expect("a bridge's name")),
            forward,
        )
    };
    Network::new(description).expect("a network")
}
