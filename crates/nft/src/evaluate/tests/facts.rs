//! What is known of a packet besides its bytes.

use super::*;

#[test]
fn conntrack_comes_before_most_chains() {
    let known = || {
        let mut rule = expressions(&[known_flow()]);
        rule.push(says(Says::Drop));
        vec![rule]
    };
    let at = |priority, flow| {
        let base = chain(
            "early",
            Some((Hook::PREROUTING, priority, Policy::ACCEPT)),
            known(),
        );
        let program = host(vec![base], vec![]);
        let packet = packet(("br0", "eth0"), ("10.0.0.5", "198.51.100.1"), 6, flow);
        ground([&program]).fate(&packet).verdict
    };
    assert_eq!(at(-150, Flow::Established), Verdict::Drop);
    assert_eq!(at(-150, Flow::New), Verdict::Accept);
    assert_eq!(at(-300, Flow::Established), Verdict::Accept);
}

#[test]
fn interfaces_by_number_are_known_if_told() {
    let origin = Origin::Meta(MetaKey::IIF);
    let mut rule = expressions(&[Statement::Match(Match {
        fields: vec![Field { origin, mask: None }],
        test: Test::Compare(Comparison::Equal, 7_u32.to_ne_bytes().to_vec()),
    })]);
    rule.push(says(Says::Drop));
    let program = host(vec![forward(Policy::ACCEPT, vec![rule])], vec![]);
    assert!(!of(&program).is_certain());
    let mut devices = Devices::default();
    devices.numbers.insert("br0".to_owned(), 7);
    let outcome = ground([&program]).on(devices).evaluate(&web());
    assert_eq!(
        (outcome.fate.verdict, outcome.is_certain()),
        (Verdict::Drop, true)
    );
}

#[test]
fn a_header_of_another_family_is_bytes_like_any() {
    // `ip saddr 10.0.0.0/24` in a chain that sees both, without asking for the family.
    let source = address(
        End::Source,
        Comparison::Equal,
        "10.0.0.0/24".parse().unwrap(),
    );
    let mut rule = expressions(&[source]);
    rule.push(says(Says::Drop));
    let program = host(vec![forward(Policy::ACCEPT, vec![rule])], vec![]);
    assert_eq!(verdict(&program), Verdict::Drop);
    let v6 = packet(("br0", "eth0"), ("fd00::5", "2001:db8::1"), 6, Flow::New);
    let fate = ground([&program]).fate(&v6);
    let accepted = Fate {
        verdict: Verdict::Accept,
        nat: Nat::None,
    };
    assert_eq!(fate, accepted);
}
