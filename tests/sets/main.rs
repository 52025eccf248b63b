//! Sets of networks of all kinds, each met by real packets without rules, in every way that we install
//! rules, and with libvirt's own commands. What becomes of every question is what `explain` says of
//! what stands in the kernel; and it is the same everywhere, but for the documented differences
//! of `mapped`, which must be seen.

mod ask;
mod expected;
mod ground;
mod means;
mod member;
mod questions;
mod routing;
mod sets;
mod worlds;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use palisade_core::evaluate::{Difference, Meaning, Nat};
use palisade_inspect::explain::Conclusion;
use palisade_tests::{Chance, Trials, libvirt};

use ask::Fate;
use expected::{Ending, Told};
use ground::{Ground, Rules};
use means::Means;
use member::{Kind, Member};
use questions::Question;
use sets::{SETS, Set};

fn main() -> ExitCode {
    let mut trials = Trials::new();
    let folder = match libvirt::folder() {
        Ok(folder) => folder,
        Err(reason) => {
            return palisade_tests::run(trials.without("sets of networks", reason));
        }
    };
    for Set { kinds, shows } in SETS {
        let folder = folder.clone();
        trials = trials.with(kinds.join(", "), move || {
            let kinds: Vec<Kind> = kinds.iter().map(|name| Kind::named(name)).collect();
            let seen = outcomes_agree(&folder, &kinds);
            assert_eq!(seen, shows.iter().copied().collect());
        });
    }
    for seed in seeds() {
        let folder = folder.clone();
        let kinds = sets::random(&mut Chance::from(seed));
        let names: Vec<&str> = kinds.iter().map(|kind| kind.name).collect();
        let name = format!("random, seed {seed}: {}", names.join(", "));
        trials = trials.with(name, move || {
            outcomes_agree(&folder, &kinds);
        });
    }
    // They mostly wait. With nine at once, replies got lost more often.
    palisade_tests::run_side_by_side(trials, 3)
}

/// One for each random set: that of `PALISADE_TEST_SEED` alone, or as many others as
/// `PALISADE_LAB_SETS` says.
fn seeds() -> Vec<u64> {
    let mut chance = Chance::new();
    if std::env::var_os("PALISADE_TEST_SEED").is_some() {
        return vec![chance.seed()];
    }
    let count = std::env::var("PALISADE_LAB_SETS").ok();
    let count = count.and_then(|text| text.parse().ok()).unwrap_or(1);
    (0..count).map(|_| chance.below(u64::MAX)).collect()
}

/// How many times later than the first time something is asked again.
const AGAIN: u16 = 10;
/// Replies of the host's own were seen to get lost when many sets ask at once. Perhaps there is no
/// room: echo replies and refusals go through one socket of each processor, which all namespaces
/// share, and those to made-up addresses wait there as long as the host looks for them, 3 s.
const UNTIL_ROOM: Duration = Duration::from_secs(4);

/// The documented differences that packets showed, of those that `compare` finds.
fn outcomes_agree(folder: &Path, kinds: &[Kind]) -> BTreeSet<Difference> {
    let numbered = kinds.iter().enumerate();
    let members: Vec<Member> = numbered
        .map(|(number, kind)| Member::of(folder, *kind, number))
        .collect();
    let questions = questions::all(&members);
    let ground = Ground::new(&members);
    ground.forward_groups(&questions);
    let mut firewall = ground.firewall();
    let networks: Vec<_> = members
        .iter()
        .map(|member| member.network.clone())
        .collect();
    let meaning = Meaning::of(&networks);
    let is_libvirts = members.iter().all(|member| member.case.is_some());
    let mut flat: Option<Vec<Told>> = None;
    let mut shown = BTreeSet::new();
    for (rules, time) in Rules::ALL.into_iter().zip(1..) {
        if matches!(rules, Rules::Libvirt(_)) && !is_libvirts {
            continue;
        }
        ground.install(folder, &members, rules);
        let mut ask = |time| {
            let fates = ask::ask(&ground, &questions, time);
            let told = expected::explain_all(&mut firewall, &ground, &questions, ask::port(time));
            (fates, told)
        };
        let (mut fates, mut told) = ask(time);
        if let Some(number) = disagreement(&fates, &told) {
            // What gets lost does not do so again; what rules do, they do again.
            let (question, fate) = (&questions[number], fates[number]);
            eprintln!("{rules:?}: all is asked again, since of {question:?} came {fate:?}");
            thread::sleep(UNTIL_ROOM);
            (fates, told) = ask(time + AGAIN);
        }
        ground.take_away(rules);
        for (number, question) in questions.iter().enumerate() {
            let (fate, told) = (fates[number], &told[number]);
            assert!(
                told.ending.is_that_of(fate),
                "{rules:?}: {question:?}: {fate:?}, and `explain` says {told:?}"
            );
            match (&flat, rules) {
                (None, Rules::Nobodys) => assert_open(question, fate),
                (None, _) => assert_as_defined(&members, question, told),
                (Some(flat), _) => {
                    let flat = &flat[number];
                    shown.extend(difference(rules, question, [told, flat], &meaning));
                }
            }
        }
        if rules == Rules::Flat {
            flat = Some(told);
        }
    }
    let compared = palisade_inspect::compare::compare(&networks).expect("compare the networks");
    let found = |difference| {
        compared
            .documented
            .iter()
            .any(|found| found.difference == difference)
    };
    for &difference in &shown {
        assert!(found(difference), "`compare` does not find {difference}");
    }
    shown
}

/// The first question of which something else came than is told.
fn disagreement(fates: &[Fate], told: &[Told]) -> Option<usize> {
    let mut each = fates.iter().zip(told);
    each.position(|(&fate, told)| !told.ending.is_that_of(fate))
}

/// Without rules everything arrives, or the lab would show nothing.
fn assert_open(question: &Question, fate: Fate) {
    let seen = match fate {
        Fate::Answered(source) if !question.is_lie => source,
        Fate::Arrived(source) if question.is_lie || question.means == Means::ToAll => source,
        _ => panic!("without rules: {question:?}: {fate:?}"),
    };
    let sent = (question.source, question.source_port.unwrap_or(0));
    assert_eq!((seen.ip(), seen.port()), sent, "{question:?}");
}

/// Packets are translated as the definition of a network says, if that of any does.
fn assert_as_defined(members: &[Member], question: &Question, told: &Told) {
    let Some(out) = question.to.device() else {
        return;
    };
    if told.first.verdict == Conclusion::Accept {
        let ends = (question.source, question.destination);
        let mut all = members
            .iter()
            .map(|member| member.nat(ends, &out, question.means));
        let defined = all.find(|nat| *nat != Nat::None);
        assert_eq!(told.first.nat, defined.unwrap_or(Nat::None), "{question:?}");
    }
}

/// Why it ends otherwise than in `flat`: there must be a documented reason.
fn difference(
    rules: Rules,
    question: &Question,
    [told, flat]: [&Told; 2],
    meaning: &Meaning,
) -> Option<Difference> {
    if told.ending == flat.ending {
        return None;
    }
    let difference = told.difference(flat, meaning);
    let is_mapped = matches!(rules, Rules::Mapped | Rules::MappedFirst);
    let is_stopped = !matches!(told.ending, Ending::Answered(_) | Ending::Arrived(_));
    let is_documented = match difference {
        Some(Difference::BridgeUntranslated) => !is_stopped,
        Some(_) => is_stopped,
        None => false,
    };
    assert!(
        is_mapped && is_documented,
        "{rules:?}: {question:?}: {told:?}, and in flat {flat:?}"
    );
    difference
}
