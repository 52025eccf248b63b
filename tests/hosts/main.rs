//! Random hosts: routes, rules of policy routing, settings, links and other programs' tables in any
//! combination, met by real connections. What the first line of `explain` says of each is what becomes of
//! it; what it does not know, it says, and that is seldom.

mod host;
mod question;
mod trouble;

use std::process::ExitCode;

use palisade_inspect::Inspector;
use palisade_inspect::explain::{Conclusion, Explanation};
use palisade_tests::{Chance, Trials};

use host::{Host, Seen};
use question::Question;

/// How many connections each host gets.
const CONNECTIONS: usize = 25;
/// Of how many connections one may be unknown.
const KNOWN: usize = 50;

fn main() -> ExitCode {
    palisade_tests::run(Trials::new().with("explain_says_what_happens", explain_says_what_happens))
}

/// As many hosts as `PALISADE_LAB_HOSTS` says: 200 make 5,000 connections. With `PALISADE_TEST_SEED`, that one
/// alone.
fn explain_says_what_happens() {
    let mut chance = Chance::new();
    if std::env::var_os("PALISADE_TEST_SEED").is_some() {
        one_host(chance.seed());
        return;
    }
    let count = std::env::var("PALISADE_LAB_HOSTS").ok();
    let count: usize = count.and_then(|text| text.parse().ok()).unwrap_or(16);
    let (mut unknown, mut passed) = (0, 0);
    for _ in 0..count {
        let (its_unknown, its_passed) = one_host(chance.below(u64::MAX));
        unknown += its_unknown;
        passed += its_passed;
    }
    let all = count * CONNECTIONS;
    eprintln!("{all} connections: {passed} passed, {unknown} unknown");
    assert!(unknown * KNOWN <= all, "{unknown} of {all} unknown");
    let is_telling = (all / 5..all * 9 / 10).contains(&passed);
    assert!(is_telling, "{passed} of {all} passed: that shows nothing");
}

/// How many connections of a host were unknown, and how many passed.
fn one_host(seed: u64) -> (usize, usize) {
    let mut chance = Chance::from(seed);
    let host = Host::new(&mut chance);
    let questions: Vec<Question> = (0..CONNECTIONS)
        .map(|number| Question::random(&mut chance, number))
        .collect();
    let asked: Vec<_> = questions.iter().map(Question::asked).collect();
    let mut firewall = host.firewall();
    let explained = Inspector::of(&mut firewall).explain_all(&asked);
    let explained = explained.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    let mut seen = host.send(&questions);
    let differs = |seen: &[Seen]| {
        let mut all = questions.iter().zip(&explained).zip(seen);
        all.any(|((question, explanation), seen)| !agrees(question, explanation, seen))
    };
    if differs(&seen) {
        // What the machine lost once, it does not lose again; what the host does, it does again.
        seen = host.send(&questions);
    }
    for ((question, explanation), seen) in questions.iter().zip(&explained).zip(&seen) {
        assert!(
            agrees(question, explanation, seen),
            "PALISADE_TEST_SEED={seed}\n{:#?}\n{question:?}: {seen:?}, and `explain` says {explanation:#?}",
            host.troubles
        );
    }
    let unknown = |explanation: &&Explanation| explanation.verdict == Conclusion::Unknown;
    (
        explained.iter().filter(unknown).count(),
        seen.iter().filter(|seen| seen.arrived).count(),
    )
}

/// Whether what was said of a connection is what became of it.
fn agrees(question: &Question, explanation: &Explanation, seen: &Seen) -> bool {
    match explanation.verdict {
        _ if !seen.sent => true,
        Conclusion::Unknown => true,
        Conclusion::Reject | Conclusion::Drop | Conclusion::Unroutable => !seen.arrived,
        Conclusion::Accept if !question.is_there(explanation) => !seen.arrived,
        Conclusion::Accept => {
            let answered = match &explanation.reply {
                Some(reply) if reply.verdict == Conclusion::Unknown => seen.answered,
                Some(reply) => reply.verdict.passes() && question.is_asked_at(reply),
                // From guest to guest nothing is asked.
                None => seen.answered,
            };
            seen.arrived && answered == seen.answered
        }
    }
}
