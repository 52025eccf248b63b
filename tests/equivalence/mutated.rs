//! What is changed in one thing in the kernel is drift to `verify`, whatever it means.

use std::process::Command;

use palisade::network::Family;
use palisade_tests::{Definition, Namespace, Palisade};

use crate::dumped::{program, saved};
use crate::mutants::{self, Mutant};

/// More to change.
const FIRST: [&str; 2] = ["--established", "first"];

/// One network of both families with all kinds of rules, and one beside it.
fn networks() -> Vec<Definition> {
    let forward = "<forward mode='nat' dev='eth0'><nat ipv6='yes'><port start='20000' \
                   end='20100'/></nat></forward>";
    let subnets = ["10.0.0.1/24", "fd00:0:0:1::1/64"];
    vec![
        Definition::nat("bound", "br0", &subnets)
            .forwarding(forward)
            .with_dhcp(),
        Definition::route("routed", "br1", &["10.0.1.1/26"]),
    ]
}

pub(crate) fn mutants_of_flat_are_drift() {
    of_layout("flat");
}

pub(crate) fn mutants_of_mapped_are_drift() {
    of_layout("mapped");
}

/// Puts each mutant of a table into the place of what palisade put there.
fn of_layout(layout: &str) {
    let namespace = Namespace::new();
    let palisade = Palisade::with_layout(&namespace, layout).with(FIRST);
    palisade.apply(&networks()).stdout();
    let mut tried = Tried::default();
    for family in Family::BOTH {
        let meant = program(&namespace, family).expect("a table of ours");
        let word = meant.table.family;
        let instead = |text: &str| format!("delete table {word} palisade\n{text}");
        let put = |text: &str| namespace.try_nft(&instead(text)).code == Some(0);
        for Mutant { what, result } in mutants::of_program(&meant) {
            let is_put = put(&format!("{result:#}"));
            tried.note(&what, is_put, is_put && is_noticed(&palisade));
        }
        assert!(put(&format!("{meant:#}")), "the table itself is taken");
        assert!(!is_noticed(&palisade), "what is meant is no drift");
    }
    tried.end();
}

pub(crate) fn mutants_of_iptables_are_drift() {
    let namespace = Namespace::new();
    let options = ["--backend", "iptables", "--iptables", "legacy"];
    let palisade = Palisade::new(&namespace).with(options).with(FIRST);
    palisade.apply(&networks()).stdout();
    let mut tried = Tried::default();
    for family in Family::BOTH {
        let program = match family {
            Family::Ipv4 => "iptables-legacy-restore",
            Family::Ipv6 => "ip6tables-legacy-restore",
        };
        let meant = saved(&namespace, "legacy", family);
        let put = |tables: &[palisade_iptables::text::Table]| {
            let text: String = tables.iter().map(ToString::to_string).collect();
            namespace.answer(&mut Command::new(program), &text).code == Some(0)
        };
        for Mutant { what, result } in mutants::of_tables(&meant) {
            // A policy is the host's own affair.
            if what.starts_with("policy") {
                continue;
            }
            let is_put = put(&result);
            tried.note(&what, is_put, is_put && is_noticed(&palisade));
        }
        assert!(put(&meant), "the tables themselves are taken");
        assert!(!is_noticed(&palisade), "what is meant is no drift");
    }
    tried.end();
}

fn is_noticed(palisade: &Palisade<'_>) -> bool {
    let answer = palisade.answer(["verify"]);
    match answer.code {
        Some(0) => false,
        Some(3) => true,
        _ => panic!("verify: {}", answer.stderr),
    }
}

/// How many mutants stood in the kernel, and which of them were not noticed.
#[derive(Default)]
struct Tried {
    stood: usize,
    refused: usize,
    unnoticed: Vec<String>,
}

impl Tried {
    fn note(&mut self, what: &str, is_put: bool, is_noticed: bool) {
        if !is_put {
            // The kernel, or the program, takes no such thing.
            self.refused += 1;
            return;
        }
        self.stood += 1;
        if !is_noticed {
            self.unnoticed.push(what.to_owned());
        }
    }

    fn end(self) {
        println!(
            "{} mutants stood, {} were refused",
            self.stood, self.refused
        );
        assert!(self.stood > 100, "{} mutants stood", self.stood);
        assert!(self.unnoticed.is_empty(), "{:#?}", self.unnoticed);
    }
}
