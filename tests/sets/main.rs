//! Sets of networks of all kinds, each met by real packets in every way that we install rules, and as
//! libvirt itself would: what becomes of every question is the same, but for the two documented
//! differences of `mapped`, and as the evaluator says from what stands in the kernel.

mod expected;
mod ground;
mod member;
mod questions;

use std::collections::BTreeMap;
use std::process::ExitCode;

use palisade_core::evaluate::Meaning;
use palisade_tests::{Chance, Trials, libvirt};

use expected::{Expected, Told};
use ground::{Ground, Rules};
use member::{KINDS, Kind, Member};
use questions::{Fate, Question};

/// Which kinds of networks run side by side.
const SETS: [&[&str]; 8] = [
    &["nat-default", "isolated", "route-default"],
    &["nat-port-range", "nat-ipv6", "route-default"],
    &["nat-no-dhcp", "nat-tftp", "isolated", "isolated"],
    &["route-default", "route-default", "nat-ipv6"],
    &["nat-range", "route-dual", "quiet4"],
    &["nat-dual", "route-bound", "quiet-dual", "open"],
    &["nat-bound", "nat-default", "quiet4", "route-dual"],
    &[
        "quiet-dual",
        "route-dual",
        "route-bound",
        "nat-range",
        "nat-dual",
    ],
];

fn main() -> ExitCode {
    let mut trials = Trials::new();
    let folder = match libvirt::folder() {
        Ok(folder) => folder,
        Err(reason) => {
            return palisade_tests::run(trials.without("sets of networks", reason));
        }
    };
    for names in SETS {
        let folder = folder.clone();
        trials = trials.with(names.join(", "), move || {
            outcomes_agree(
                &folder,
                &names
                    .iter()
                    .map(|name| Kind::named(name))
                    .collect::<Vec<_>>(),
            );
        });
    }
    let more = std::env::var("PALISADE_LAB_SETS").ok();
    let more = more.and_then(|text| text.parse().ok()).unwrap_or(1);
    for number in 0..more {
        let folder = folder.clone();
        trials = trials.with(format!("random set {number}"), move || {
            let mut chance = Chance::new();
            let kinds: Vec<Kind> = (0..2 + chance.below(4))
                .map(|_| *chance.one_of(&KINDS))
                .collect();
            println!("PALISADE_TEST_SEED={} is {kinds:?}", chance.seed());
            outcomes_agree(&folder, &kinds);
        });
    }
    // They mostly wait.
    palisade_tests::run_side_by_side(trials, 9)
}

fn outcomes_agree(folder: &std::path::Path, kinds: &[Kind]) {
    let numbered = kinds.iter().enumerate();
    let members: Vec<Member> = numbered
        .map(|(i, kind)| Member::of(folder, *kind, i))
        .collect();
    let ground = Ground::new(&members);
    let questions = questions::all(&members);
    let networks = ground.networks(&members);
    let meaning = Meaning::of(&networks);
    let mut flat: Option<BTreeMap<Question, Told>> = None;
    for rules in Rules::ALL {
        if rules == Rules::Libvirt && members.iter().any(|member| member.case.is_none()) {
            continue;
        }
        ground.install(folder, &members, rules);
        let seen = questions::ask(&ground, &questions);
        let expected = Expected::read(&ground, rules);
        let mut told_of = BTreeMap::new();
        for (question, fate) in questions.iter().zip(&seen) {
            let told = expected.of(&ground, question);
            assert_eq!(
                *fate, told.fate,
                "{rules:?}, and as the evaluator says: {question:?}, {told:?}"
            );
            if let Some(in_flat) = flat.as_ref().map(|flat| &flat[question]) {
                let is_same = *fate == in_flat.fate;
                let is_documented =
                    rules == Rules::Mapped && told.differs_so_from(in_flat, &meaning);
                assert!(
                    is_same || is_documented,
                    "{rules:?}: {fate:?}, in flat {in_flat:?}: {question:?}"
                );
            }
            told_of.insert(question.clone(), told);
        }
        assert!(
            seen.iter().any(|fate| matches!(fate, Fate::Answered(_))),
            "{rules:?}"
        );
        ground.take_away(rules);
        flat.get_or_insert(told_of);
    }
}
