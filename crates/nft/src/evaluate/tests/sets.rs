//! Ranges, sets and maps.

use super::*;

#[test]
fn ranges_and_inverted_ones() {
    let range = |inverted, first: u16, last: u16| {
        let range = Expression::Range(Range {
            source: Register::FIRST,
            inverted,
            first: first.to_be_bytes().to_vec(),
            last: last.to_be_bytes().to_vec(),
        });
        let rule = vec![port(), range, says(Says::Drop)];
        verdict(&host(vec![forward(Policy::ACCEPT, vec![rule])], vec![]))
    };
    assert_eq!(range(false, 80, 80), Verdict::Drop);
    assert_eq!(range(false, 81, 90), Verdict::Accept);
    assert_eq!(range(true, 80, 90), Verdict::Accept);
    assert_eq!(range(true, 1, 79), Verdict::Drop);
}

#[test]
fn intervals_end_before_their_end() {
    let element = |key: u16, flags| Element {
        flags,
        ..Element::of_key(key.to_be_bytes().to_vec())
    };
    let with = |elements: Vec<Element>| {
        let rule = vec![port(), look_up(LookupTarget::None, false), says(Says::Drop)];
        verdict(&host(
            vec![forward(Policy::ACCEPT, vec![rule])],
            vec![set(4, 2, elements)],
        ))
    };
    assert_eq!(
        with(vec![element(81, 1), element(80, 0), element(0, 1)]),
        Verdict::Drop
    );
    assert_eq!(
        with(vec![element(80, 1), element(22, 0), element(0, 1)]),
        Verdict::Accept
    );
    // One ends where the next begins.
    assert_eq!(
        with(vec![element(80, 1), element(80, 0), element(22, 0)]),
        Verdict::Drop
    );
    // Without an end it goes on for ever.
    assert_eq!(with(vec![element(22, 0)]), Verdict::Drop);
    assert_eq!(with(vec![element(0, 2)]), Verdict::Drop);
}

#[test]
fn concatenated_intervals() {
    // `ip saddr . th dport`.
    let address = Expression::Payload(Payload {
        base: PayloadBase::NETWORK,
        offset: 12,
        len: 4,
        destination: Register::FIRST,
    });
    let port = Expression::Payload(Payload {
        base: PayloadBase::TRANSPORT,
        offset: 2,
        len: 2,
        destination: Register::at_word(1).unwrap(),
    });
    let with = |last: [u8; 8]| {
        let element = Element {
            key_end: last.to_vec(),
            ..Element::of_key(vec![10, 0, 0, 0, 0, 80, 0, 0])
        };
        let mut set = set(4 | 0x80, 8, vec![element]);
        set.set.key_type = DataType::concatenation(&[DataType::IPV4_ADDR, DataType::INET_SERVICE]);
        let rule = vec![
            address.clone(),
            port.clone(),
            look_up(LookupTarget::None, false),
            says(Says::Drop),
        ];
        verdict(&host(vec![forward(Policy::ACCEPT, vec![rule])], vec![set]))
    };
    assert_eq!(with([10, 0, 0, 255, 0, 80, 0, 0]), Verdict::Drop);
    assert_eq!(with([10, 0, 0, 4, 0, 90, 0, 0]), Verdict::Accept);
}

#[test]
fn maps_of_verdicts_and_inverted_sets() {
    let element = |key: u16, says: Option<Says>| Element {
        value: says.map(Value::Verdict),
        ..Element::of_key(key.to_be_bytes().to_vec())
    };
    let with = |key, target, inverted, says| {
        let mut rule = vec![port(), look_up(target, inverted)];
        if target == LookupTarget::None {
            rule.push(Expression::Verdict(Says::Drop));
        }
        let mut set = set(0, 2, vec![element(key, says)]);
        set.set.data = Some(SetData {
            data_type: DataType::VERDICT,
            len: 0,
        });
        verdict(&host(vec![forward(Policy::ACCEPT, vec![rule])], vec![set]))
    };
    let map = LookupTarget::Verdict;
    assert_eq!(with(80, map, false, Some(Says::Drop)), Verdict::Drop);
    assert_eq!(with(81, map, false, Some(Says::Drop)), Verdict::Accept);
    assert_eq!(with(80, LookupTarget::None, true, None), Verdict::Accept);
    assert_eq!(with(81, LookupTarget::None, true, None), Verdict::Drop);
}

#[test]
fn a_set_that_packets_fill_leaves_a_doubt() {
    let rule = vec![port(), look_up(LookupTarget::None, false), says(Says::Drop)];
    let outcome = of(&host(
        vec![forward(Policy::ACCEPT, vec![rule])],
        vec![set(0x20, 2, vec![])],
    ));
    assert_eq!(
        (outcome.fate.verdict, outcome.doubts.len()),
        (Verdict::Accept, 1)
    );
}
