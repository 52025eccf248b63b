//! What the kernel has of networks, in each layout and each backend, treats all packets as the
//! networks mean, and differs as documented.

use std::process::Command;

use palisade::network::{Established, Family, Network};
use palisade_core::evaluate::{Ground, Meaning};
use palisade_inspect::compare::Sides;
use palisade_iptables::evaluate::Tables;
use palisade_iptables::text;
use palisade_netlink::Socket;
use palisade_nft::dump::{Depth, Reader};
use palisade_nft::evaluate::ground;
use palisade_nft::program::Program;
use palisade_tests::iptables::PROGRAMS;
use palisade_tests::{Definition, Namespace, Palisade};

pub(crate) fn what_stands_in_the_kernel_means_the_same() {
    let sets = crate::sets::sets();
    let each = sets
        .iter()
        .flat_map(|set| Established::ALL.map(|established| (set, established)));
    for (set, established) in each {
        let networks = networks(set).into_iter();
        let networks = networks.map(|network| network.with_established(established));
        let networks: Vec<Network> = networks.collect();
        let applied = |options: &[&str]| {
            let established = ["--established", established.name()];
            applied(set, &[options, &established].concat())
        };
        for programs in PROGRAMS {
            let iptables = applied(&["--backend", "iptables", "--iptables", programs]);
            let flat = applied(&["--backend", "nftables", "--layout", "flat"]);
            let mapped = applied(&["--backend", "nftables", "--layout", "mapped"]);
            for family in Family::BOTH {
                let (flat, mapped) = (program(&flat, family), program(&mapped, family));
                let saved = saved(&iptables, programs, family);
                let sides = Sides {
                    family,
                    meaning: &Meaning::of(&networks),
                    flat: ground(&flat),
                    mapped: ground(&mapped),
                    iptables: Ground::of(Tables::of(family, &saved)),
                };
                let comparison = sides.compare().expect("rules of ours");
                assert!(comparison.packets > 0);
                assert!(comparison.is_as_documented(), "{comparison:#?}");
            }
        }
    }
}

fn applied(set: &[Definition], options: &[&str]) -> Namespace {
    let namespace = Namespace::new();
    let palisade = Palisade::new(&namespace).with(options.iter().copied());
    palisade.apply(set).stdout();
    namespace
}

/// The networks as the command reads them.
pub(crate) fn networks(set: &[Definition]) -> Vec<Network> {
    let namespace = Namespace::new();
    let palisade = Palisade::new(&namespace).with(["--format", "json"]);
    let checked = palisade.on_files("check", palisade.files(set)).stdout();
    let mut checked: serde_json::Value = serde_json::from_str(&checked).expect("JSON");
    serde_json::from_value(checked["networks"].take()).expect("networks")
}

/// Our table of a family as the kernel has it.
pub(crate) fn program(namespace: &Namespace, family: Family) -> Option<Program> {
    table(namespace, family, "palisade")
}

pub(crate) fn table(namespace: &Namespace, family: Family, name: &str) -> Option<Program> {
    namespace.inside(|| {
        let mut socket = Socket::open().expect("a socket");
        let mut replies = Vec::new();
        let mut reader = Reader::new(&mut socket, &mut replies);
        let program = reader.program(family.into(), name, Depth::Elements);
        program.expect("a dump")
    })
}

/// The tables of a family as the programs print them.
pub(crate) fn saved(namespace: &Namespace, programs: &str, family: Family) -> Vec<text::Table> {
    let word = match family {
        Family::Ipv4 => "iptables",
        Family::Ipv6 => "ip6tables",
    };
    let mut save = Command::new(format!("{word}-{programs}-save"));
    let printed = namespace.answer(&mut save, "").stdout();
    text::parse(&printed).expect("tables")
}
