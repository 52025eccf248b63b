//! What cannot be known, and what it leaves open.

use super::*;
use crate::object::{Limit, Log};

#[test]
fn what_is_not_known_is_told_and_not_guessed() {
    let sized_drop = || sized().then(says(Says::Drop));
    let outcome = of(&host(
        vec![forward(Policy::ACCEPT, vec![sized_drop()])],
        vec![],
    ));
    assert_eq!(outcome.fate.verdict, Verdict::Accept);
    let [doubt] = outcome.doubts.as_slice() else {
        panic!("{:?}", outcome.doubts);
    };
    assert_eq!(
        (doubt.table.as_str(), doubt.chain.as_str()),
        ("inet host", "forward")
    );
    assert_eq!(doubt.may, [Verdict::Drop]);
    assert_eq!(outcome.path[0].matched, None);

    // Where it comes to the same, nothing is in doubt.
    let rules = vec![sized_drop(), vec![says(Says::Drop)]];
    let outcome = of(&host(vec![forward(Policy::ACCEPT, rules)], vec![]));
    assert_eq!(
        (outcome.fate.verdict, outcome.is_certain()),
        (Verdict::Drop, true)
    );

    // What is known not to hold leaves no doubt about the rest of the rule.
    let mut other = entering("br9").0;
    other.extend(sized_drop());
    assert!(of(&host(vec![forward(Policy::ACCEPT, vec![other])], vec![])).is_certain());
}

#[test]
fn doubts_follow_jumps_and_returns() {
    let jump = || sized().then(says(Says::Jump("sub".to_owned())));
    let may = |rules, sub| {
        let outcome = of(&host(
            vec![forward(Policy::ACCEPT, rules), chain("sub", None, sub)],
            vec![],
        ));
        let doubts = outcome.doubts.iter().map(|doubt| doubt.may.clone());
        (outcome.fate.verdict, doubts.collect::<Vec<_>>())
    };
    let drop = || vec![says(Says::Drop)];
    use Verdict::{Accept, Drop};
    assert_eq!(may(vec![jump()], vec![drop()]), (Accept, vec![vec![Drop]]));
    assert_eq!(may(vec![jump()], vec![]), (Accept, vec![]));
    assert_eq!(
        may(vec![jump(), drop()], vec![vec![says(Says::Accept)]]),
        (Drop, vec![vec![Accept]])
    );
    // A return that may pass a drop by.
    let back = || sized().then(says(Says::Return));
    assert_eq!(
        may(vec![back(), drop()], vec![]),
        (Drop, vec![vec![Accept]])
    );
    let in_sub = vec![vec![says(Says::Jump("sub".to_owned()))]];
    assert_eq!(
        may(in_sub, vec![back(), drop()]),
        (Drop, vec![vec![Accept]])
    );
    let goto = sized().then(says(Says::Goto("sub".to_owned())));
    assert_eq!(may(vec![goto, drop()], vec![]), (Drop, vec![vec![Accept]]));
}

#[test]
fn unknown_expressions_may_do_what_they_want() {
    let unknown = |name: &str| Expression::Unknown {
        name: name.to_owned(),
        data: Vec::new(),
    };
    let with = |name: &str| {
        of(&host(
            vec![forward(
                Policy::ACCEPT,
                vec![vec![unknown(name), says(Says::Drop)]],
            )],
            vec![],
        ))
    };
    assert_eq!(with("log").fate.verdict, Verdict::Drop);
    let limited = with("limit");
    assert_eq!(limited.fate.verdict, Verdict::Accept);
    assert_eq!(limited.doubts[0].why, "what `limit` asks is not known here");
    let queued = with("queue");
    assert_eq!(queued.fate.verdict, Verdict::Accept);
    assert_eq!(queued.doubts[0].may, [Verdict::Reject, Verdict::Drop]);
}

/// How many packets a limit lets pass does not matter before what only logs.
#[test]
fn a_limit_is_a_doubt_unless_the_rule_only_logs() {
    let limit = || {
        Expression::Limit(Limit {
            rate: 1,
            seconds: 60,
            burst: 5,
        })
    };
    let log = || {
        Expression::Log(Log {
            prefix: "a".to_owned(),
            group: Some(5),
        })
    };
    let with = |rules| of(&host(vec![forward(Policy::ACCEPT, rules)], vec![]));
    let dropping = with(vec![vec![limit(), says(Says::Drop)]]);
    assert_eq!(dropping.fate.verdict, Verdict::Accept);
    assert_eq!(dropping.doubts[0].may, [Verdict::Drop]);
    assert_eq!(
        dropping.doubts[0].why,
        "what `limit` asks is not known here"
    );
    let logging = with(vec![vec![limit(), log()], vec![log(), says(Says::Drop)]]);
    assert_eq!(logging.fate.verdict, Verdict::Drop);
    assert_eq!(logging.doubts, []);
}
