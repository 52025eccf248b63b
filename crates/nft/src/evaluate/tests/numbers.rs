//! Numbers that no kernel sends, in every expression that has lengths, offsets or registers: they
//! are decoded, encoded, printed and evaluated without a panic or memory without end.

use palisade_netlink::attribute::{self, Attribute};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::lift::lift;
use crate::wire;

/// Attributes by number, each of which may be missing.
type Attributes = Vec<(u16, Option<Content>)>;

#[derive(Debug, Clone)]
enum Content {
    Number(u32),
    Text(&'static str),
    /// Bytes, as a value.
    Data(Vec<u8>),
}

fn write(attributes: &Attributes) -> Vec<u8> {
    let mut buffer = Vec::new();
    for (number, content) in attributes {
        match content {
            None => {}
            Some(Content::Number(value)) => attribute::u32(&mut buffer, *number, *value),
            Some(Content::Text(text)) => attribute::text(&mut buffer, *number, text),
            Some(Content::Data(bytes)) => attribute::nest(&mut buffer, *number, |buffer| {
                attribute::bytes(buffer, 1, bytes);
            }),
        }
    }
    buffer
}

/// Small ones, where limits lie, and any.
fn number() -> impl Strategy<Value = u32> {
    prop_oneof![
        4 => 0..20_u32,
        2 => 50..70_u32,
        1 => 250..260_u32,
        1 => 65_530..65_540_u32,
        1 => u32::MAX - 5..,
        1 => any::<u32>(),
    ]
}

fn data() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..20),
        vec(any::<u8>(), 60..70),
        vec(any::<u8>(), 300),
    ]
}

/// An expression, with its attributes: numbers, and values.
fn expression(
    name: &'static str,
    numbers: &'static [u16],
    values: &'static [u16],
) -> impl Strategy<Value = (&'static str, Attributes)> {
    let content = (
        vec(
            prop_oneof![9 => number().prop_map(Some), 1 => Just(None)],
            numbers.len(),
        ),
        vec(data(), values.len()),
    );
    content.prop_map(move |(found, bytes)| {
        let found = found.into_iter().map(|number| number.map(Content::Number));
        let bytes = bytes.into_iter().map(|bytes| Some(Content::Data(bytes)));
        let numbers = numbers.iter().copied().zip(found);
        let mut attributes: Attributes = numbers.chain(values.iter().copied().zip(bytes)).collect();
        if name == "lookup" {
            attributes.push((1, Some(Content::Text("s"))));
        }
        (name, attributes)
    })
}

fn any_expression() -> impl Strategy<Value = (&'static str, Attributes)> {
    prop_oneof![
        expression("payload", &[1, 2, 3, 4], &[]),
        expression("payload", &[2, 3, 4, 5, 6, 7, 8], &[]), // It writes.
        expression("bitwise", &[1, 2, 3, 6], &[4, 5]),
        expression("bitwise", &[1, 2, 3, 6], &[7]), // A shift.
        expression("cmp", &[1, 2], &[3]),
        expression("range", &[1, 2], &[3, 4]),
        expression("immediate", &[1], &[2]),
        expression("lookup", &[2, 3, 4, 5], &[]),
        expression("meta", &[1, 2], &[]),
        expression("meta", &[2, 3], &[]), // It sets.
        expression("ct", &[1, 2], &[]),
        expression("nat", &[1, 2, 3, 4, 5, 6, 7], &[]),
        expression("masq", &[1, 2, 3], &[]),
        expression("redir", &[1, 2, 3], &[]),
        expression("exthdr", &[1, 2, 3, 4, 5, 6, 7], &[]),
        expression("byteorder", &[1, 2, 3, 4, 5], &[]),
        expression("hash", &[1, 2, 3, 4, 5, 6, 7], &[]),
        expression("numgen", &[1, 2, 3, 4], &[]),
        expression("fib", &[1, 2, 3], &[]),
        expression("socket", &[1, 2, 3], &[]),
        expression("osf", &[1, 2, 3], &[]),
        expression("reject", &[1, 2], &[]),
    ]
}

/// A rule as the kernel would send it.
fn sent(expressions: &[(&str, Attributes)]) -> Vec<u8> {
    let expressions = expressions.iter().map(|(name, attributes)| {
        let (name, data) = ((*name).to_owned(), write(attributes));
        Expression::Unknown { name, data }
    });
    let mut body = Vec::new();
    wire::rule::encode(&rule("forward", expressions.collect()), &mut body);
    body
}

/// A set whose key, or whose fields, have these lengths.
fn set_of(key_len: u32, fields: &[u32]) -> FilledSet {
    let mut keys = vec![Element::of_key(vec![0; 16])];
    keys[0].key_end = vec![255; 16];
    let mut filled = set(0x4, key_len, keys);
    let mut bytes = Vec::new();
    attribute::nest(&mut bytes, 2, |list| {
        for &field in fields {
            attribute::nest(list, 1, |item| attribute::u32(item, 1, field));
        }
    });
    let description = Attribute { kind: 9, bytes };
    filled
        .set
        .extra
        .extend((!fields.is_empty()).then_some(description));
    filled
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn numbers_that_no_kernel_sends(
        expressions in vec(any_expression(), 1..6),
        key_len in number(),
        fields in vec(number(), 0..3),
    ) {
        let body = sent(&expressions);
        let read = wire::rule::decode(Family::Inet, &body).unwrap();
        for (found, (name, attributes)) in read.expressions.iter().zip(&expressions) {
            if let Expression::Unknown { name: kept, data } = found {
                prop_assert_eq!((kept.as_str(), data), (*name, &write(attributes)));
            }
        }
        let mut again = Vec::new();
        wire::rule::encode(&read, &mut again);
        prop_assert_eq!(wire::rule::decode(Family::Inet, &again), Ok(read.clone()));

        let sets = vec![set_of(key_len, &fields)];
        let program = host(vec![forward(Policy::ACCEPT, vec![read.expressions])], sets);
        let _ = program.to_string();
        let _ = lift(&program);
        let _ = of(&program);
        let _ = ground([&program]).conditions(network::Family::Ipv4);
    }
}

/// What the kernel allows is understood; what is beyond is kept as it is.
#[test]
fn payloads_at_the_limit() {
    let payload = |register, offset, len| {
        let numbers = [(1, register), (2, 1), (3, offset), (4, len)];
        let attributes = numbers.map(|(number, value)| (number, Some(Content::Number(value))));
        let body = sent(&[("payload", attributes.to_vec())]);
        let read = wire::rule::decode(Family::Inet, &body).unwrap();
        matches!(read.expressions[0], Expression::Payload(_))
    };
    assert!(payload(1, 65_535, 64) && payload(23, 0, 4) && payload(4, 0, 16));
    let beyond = [
        (1, 0, 0),
        (1, 0, 65),
        (23, 0, 5),
        (4, 0, 17),
        (1, 65_536, 4),
        (1, u32::MAX, u32::MAX),
    ];
    for (register, offset, len) in beyond {
        assert!(!payload(register, offset, len), "{register} {offset} {len}");
    }
}
