//! What rules change of a packet on its way, and what comes of it behind.

use super::*;
use crate::wire::foreign::tests::writing;

const RAW: i32 = -300;

fn unknown(name: &str, data: Vec<u8>) -> Expression {
    Expression::Unknown {
        name: name.to_owned(),
        data,
    }
}

fn notrack() -> Expression {
    unknown("notrack", Vec::new())
}

/// A chain before all others, and those that come after.
fn behind(first: (i32, Vec<Expression>), mut rest: Vec<FilledChain>) -> Program {
    let (priority, rule) = first;
    let base = (Hook::PREROUTING, priority, Policy::ACCEPT);
    rest.insert(0, chain("early", Some(base), vec![rule]));
    host(rest, vec![])
}

fn masquerading() -> FilledChain {
    let masquerade = Expression::Masquerade(crate::object::Masquerade {
        flags: 0,
        min_port: None,
        max_port: None,
    });
    let base = (Hook::POSTROUTING, 100, Policy::ACCEPT);
    let mut chain = chain("nat", Some(base), vec![vec![masquerade]]);
    if let Some(base) = &mut chain.chain.base {
        base.kind = "nat".to_owned();
    }
    chain
}

/// Drops what goes to a port.
fn closing(at: u16) -> FilledChain {
    let compare = Expression::Compare(crate::object::Compare {
        source: Register::FIRST,
        operator: Comparison::Equal,
        value: at.to_be_bytes().to_vec(),
    });
    let rule = vec![port(), compare, says(Says::Drop)];
    forward(Policy::ACCEPT, vec![rule])
}

#[test]
fn without_conntrack_no_rule_translates() {
    let tracked = of(&host(vec![masquerading()], vec![]));
    assert_eq!(tracked.fate.nat, Nat::Masquerade { ports: None });
    let untracked = of(&behind((RAW, vec![notrack()]), vec![masquerading()]));
    assert_eq!(untracked.fate.nat, Nat::None);
    assert!(untracked.is_certain());
    let because = &untracked.nat_because;
    assert!(because.starts_with("conntrack does not look"), "{because}");
    // Conntrack looked at it already.
    let late = of(&behind((-150, vec![notrack()]), vec![masquerading()]));
    assert_eq!(late.fate.nat, Nat::Masquerade { ports: None });
    // It may, or may not.
    let perhaps = sized().then(notrack());
    let perhaps = of(&behind((RAW, perhaps), vec![masquerading()]));
    assert_eq!(perhaps.fate.nat, Nat::Masquerade { ports: None });
    assert!(perhaps.doubts[0].may_translate);
    assert_eq!(perhaps.doubts[0].kind, DoubtKind::Untracked);
}

#[test]
fn a_flow_that_is_not_tracked_is_none() {
    let known = || Expressions(expressions(&[known_flow()]));
    let chains = || {
        vec![forward(
            Policy::DROP,
            vec![known().then(says(Says::Accept))],
        )]
    };
    let mut packet = web();
    packet.flow = Flow::Established;
    let verdict = |program: &Program| {
        let outcome = ground([program]).evaluate(&packet);
        (outcome.fate.verdict, outcome.doubts)
    };
    assert_eq!(verdict(&host(chains(), vec![])).0, Verdict::Accept);
    let untracked = verdict(&behind((RAW, vec![notrack()]), chains()));
    assert_eq!(untracked, (Verdict::Drop, Vec::new()));
    let perhaps = sized().then(notrack());
    let (verdict, doubts) = verdict(&behind((RAW, perhaps), chains()));
    assert_eq!(verdict, Verdict::Drop);
    assert_eq!(doubts[0].may, [Verdict::Accept]);
    assert!(doubts[0].why.contains("since rule"), "{}", doubts[0].why);
}

#[test]
fn only_the_field_that_is_written_is_another() {
    let write = |base: PayloadBase, offset: u32, source: u8| {
        let source = Register::at_word(source).unwrap();
        let payload = unknown("payload", writing(base, offset, source));
        let load = Expression::Load(crate::object::Load {
            destination: Register::FIRST,
            value: 778_u16.to_be_bytes().to_vec(),
        });
        vec![load, payload]
    };
    let fate = |rule, at| {
        let outcome = of(&behind((RAW, rule), vec![closing(at)]));
        (outcome.fate.verdict, outcome.doubts)
    };
    // The second half of a register that nobody has loaded: what it holds is not known.
    let (known, other) = (0, 4);
    let port = |source| write(PayloadBase::TRANSPORT, 2, source);
    let dscp = write(PayloadBase::NETWORK, 0, other);
    assert_eq!(fate(dscp, 80), (Verdict::Drop, Vec::new()));
    assert_eq!(fate(port(known), 778), (Verdict::Drop, Vec::new()));
    assert_eq!(fate(port(known), 80), (Verdict::Accept, Vec::new()));
    let (verdict, doubts) = fate(port(other), 80);
    assert_eq!((verdict, doubts.len()), (Verdict::Accept, 1));
    assert_eq!(doubts[0].may, [Verdict::Drop]);
    assert!(
        doubts[0].why.contains("inet host early"),
        "{}",
        doubts[0].why
    );
    // Another source, and no translation.
    let (verdict, doubts) = fate(write(PayloadBase::NETWORK, 12, known), 80);
    assert_eq!(verdict, Verdict::Drop);
    assert_eq!(doubts, []);
    let (verdict, doubts) = fate(write(PayloadBase::NETWORK, 12, known), 81);
    assert_eq!(verdict, Verdict::Accept);
    assert!(doubts[0].may_translate);
}
