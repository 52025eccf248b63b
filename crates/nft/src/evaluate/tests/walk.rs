//! Chains, jumps and verdicts.

use super::*;

#[test]
fn a_policy_is_the_end_of_a_base_chain() {
    assert_eq!(
        verdict(&host(vec![forward(Policy::ACCEPT, vec![])], vec![])),
        Verdict::Accept
    );
    let dropping = host(vec![forward(Policy::DROP, vec![])], vec![]);
    assert_eq!(verdict(&dropping), Verdict::Drop);
    assert_eq!(of(&dropping).path.last().unwrap().rule, "policy drop");
    let mut dormant = dropping.clone();
    dormant.table.flags = 1;
    assert_eq!(verdict(&dormant), Verdict::Accept);
    let mut bridged = dropping;
    bridged.table.family = Family::Bridge;
    assert_eq!(verdict(&bridged), Verdict::Accept);
}

#[test]
fn an_accept_ends_its_base_chain_a_drop_ends_all() {
    let accepting = || {
        chain(
            "early",
            Some((Hook::FORWARD, -5, Policy::DROP)),
            vec![vec![says(Says::Accept)]],
        )
    };
    let program = host(vec![forward(Policy::DROP, vec![]), accepting()], vec![]);
    let outcome = of(&program);
    assert_eq!(outcome.fate.verdict, Verdict::Drop);
    let chains: Vec<_> = outcome
        .path
        .iter()
        .map(|visit| visit.chain.as_str())
        .collect();
    assert_eq!(chains, ["early", "forward"]);
    let late = chain(
        "late",
        Some((Hook::POSTROUTING, 0, Policy::ACCEPT)),
        vec![vec![says(Says::Drop)]],
    );
    assert_eq!(
        verdict(&host(vec![late, accepting()], vec![])),
        Verdict::Drop
    );
}

#[test]
fn jumps_come_back_and_gotos_do_not() {
    let calls = |call: Says, sub: Vec<Vec<Expression>>| {
        let base = forward(
            Policy::DROP,
            vec![vec![says(call)], vec![says(Says::Accept)]],
        );
        verdict(&host(vec![base, chain("sub", None, sub)], vec![]))
    };
    let jump = || Says::Jump("sub".to_owned());
    let goto = || Says::Goto("sub".to_owned());
    assert_eq!(calls(jump(), vec![]), Verdict::Accept);
    assert_eq!(calls(goto(), vec![]), Verdict::Drop);
    let returns = || vec![vec![says(Says::Return)], vec![says(Says::Drop)]];
    assert_eq!(calls(jump(), returns()), Verdict::Accept);
    assert_eq!(calls(goto(), returns()), Verdict::Drop);
    // Around and around: no kernel takes it, and nothing hangs here.
    assert_eq!(calls(jump(), vec![vec![says(jump())]]), Verdict::Accept);
}
