//! Expressions: a name and attributes of its own (`enum nft_expr_attributes`).
//!
//! An expression that this build knows only in part, one attribute or one value beyond our types,
//! is not known: it is kept whole, so that nothing of it is lost or taken for something else. One
//! that is not even made of a name and attributes is kept under no name, and its bytes are all that
//! there was.

mod bitwise;
mod compare;
mod conntrack;
mod counter;
mod fib;
#[cfg(test)]
mod golden;
mod immediate;
mod limit;
mod log;
mod lookup;
mod masquerade;
mod meta;
mod nat;
mod payload;
mod range;
mod reject;
mod segment;

use palisade_netlink::Malformed;

use super::attribute::{self, Raw};
use super::known::{Known, read_text};
use crate::object::Expression;

/// `NFTA_EXPR_NAME`.
const NAME: u16 = 1;
/// `NFTA_EXPR_DATA`.
const DATA: u16 = 2;

/// Writes expressions one behind the other, each with its length, for those who compare the bytes.
pub(crate) fn encode_all(expressions: &[Expression], buffer: &mut Vec<u8>) {
    for expression in expressions {
        attribute::item(buffer, |buffer| encode(expression, buffer));
    }
}

/// Writes expressions as the list that a rule is made of.
pub(super) fn encode_list(buffer: &mut Vec<u8>, kind: u16, expressions: &[Expression]) {
    attribute::nest(buffer, kind, |buffer| {
        for expression in expressions {
            attribute::item(buffer, |buffer| encode(expression, buffer));
        }
    });
}

/// Writes the expressions of a set or an element: one has another attribute than several.
pub(super) fn encode_one_or_list(
    buffer: &mut Vec<u8>,
    (one, list): (u16, u16),
    expressions: &[Expression],
) {
    match expressions {
        [] => {}
        [expression] => attribute::nest(buffer, one, |buffer| encode(expression, buffer)),
        several => encode_list(buffer, list, several),
    }
}

fn encode(expression: &Expression, buffer: &mut Vec<u8>) {
    match expression {
        Expression::Meta(it) => put(buffer, meta::NAME, meta::encode, it),
        Expression::Payload(it) => put(buffer, payload::NAME, payload::encode, it),
        Expression::Bitwise(it) => put(buffer, bitwise::NAME, bitwise::encode, it),
        Expression::Compare(it) => put(buffer, compare::NAME, compare::encode, it),
        Expression::Range(it) => put(buffer, range::NAME, range::encode, it),
        Expression::Lookup(it) => put(buffer, lookup::NAME, lookup::encode, it),
        Expression::Load(it) => put(buffer, immediate::NAME, immediate::encode, it),
        Expression::Verdict(it) => put(buffer, immediate::NAME, immediate::encode_verdict, it),
        Expression::Conntrack(it) => put(buffer, conntrack::NAME, conntrack::encode, it),
        Expression::Fib(it) => put(buffer, fib::NAME, fib::encode, it),
        Expression::Counter(it) => put(buffer, counter::NAME, counter::encode, it),
        Expression::Reject(it) => put(buffer, reject::NAME, reject::encode, it),
        Expression::Masquerade(it) => put(buffer, masquerade::NAME, masquerade::encode, it),
        Expression::Nat(it) => put(buffer, nat::NAME, nat::encode, it),
        Expression::RouteMss(it) => put(buffer, segment::ROUTE, segment::encode_route, it),
        Expression::NetworkOrder(it) => put(buffer, segment::ORDER, segment::encode_order, it),
        Expression::SetMss(it) => put(buffer, segment::OPTION, segment::encode_option, it),
        Expression::Limit(it) => put(buffer, limit::NAME, limit::encode, it),
        Expression::Log(it) => put(buffer, log::NAME, log::encode, it),
        Expression::Unknown { name, data } if name.is_empty() => buffer.extend_from_slice(data),
        Expression::Unknown { name, data } => {
            attribute::text(buffer, NAME, name);
            // The kernel says nothing of those that have no attributes, such as `notrack`.
            if !data.is_empty() {
                attribute::nest(buffer, DATA, |buffer| buffer.extend_from_slice(data));
            }
        }
    }
}

fn put<T>(buffer: &mut Vec<u8>, name: &str, encode: fn(&T, &mut Vec<u8>), it: &T) {
    attribute::text(buffer, NAME, name);
    attribute::nest(buffer, DATA, |buffer| encode(it, buffer));
}

/// Reads a list of expressions.
pub(super) fn decode_list(list: Raw<'_>) -> Result<Vec<Expression>, Malformed> {
    list.nested("list of expressions")
        .map(|item| decode(attribute::as_item(item?)?))
        .collect()
}

/// Reads the expression that this attribute holds.
pub(super) fn decode(attribute: Raw<'_>) -> Result<Expression, Malformed> {
    attribute
        .nested("expression")
        .try_for_each(|inner| inner.map(drop))?;
    let unknown = |name: &str, data: &[u8]| Expression::Unknown {
        name: name.to_owned(),
        data: data.to_vec(),
    };
    let Some((name, data)) = decode_parts(attribute.bytes) else {
        return Ok(unknown("", attribute.bytes));
    };
    Ok(decode_known(name, data).unwrap_or_else(|| unknown(name, data)))
}

/// The name and the attributes, if there is nothing beside them.
fn decode_parts(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let said = Known::<3>::of(bytes)?;
    let name = said.required(NAME, read_text)?;
    let data = said.optional(DATA, Some)?.unwrap_or_default();
    (!name.is_empty()).then_some((name, data))
}

fn decode_known(name: &str, data: &[u8]) -> Option<Expression> {
    match name {
        meta::NAME => meta::decode(data).map(Expression::Meta),
        payload::NAME => payload::decode(data).map(Expression::Payload),
        bitwise::NAME => bitwise::decode(data).map(Expression::Bitwise),
        compare::NAME => compare::decode(data).map(Expression::Compare),
        range::NAME => range::decode(data).map(Expression::Range),
        lookup::NAME => lookup::decode(data).map(Expression::Lookup),
        immediate::NAME => immediate::decode(data),
        conntrack::NAME => conntrack::decode(data).map(Expression::Conntrack),
        fib::NAME => fib::decode(data).map(Expression::Fib),
        counter::NAME => counter::decode(data).map(Expression::Counter),
        reject::NAME => reject::decode(data).map(Expression::Reject),
        masquerade::NAME => masquerade::decode(data).map(Expression::Masquerade),
        nat::NAME => nat::decode(data).map(Expression::Nat),
        limit::NAME => limit::decode(data).map(Expression::Limit),
        log::NAME => log::decode(data).map(Expression::Log),
        segment::ROUTE => segment::decode_route(data).map(Expression::RouteMss),
        segment::ORDER => segment::decode_order(data).map(Expression::NetworkOrder),
        segment::OPTION => segment::decode_option(data).map(Expression::SetMss),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::attribute::Attributes;
    use super::super::strategies;
    use super::*;

    /// The inside of an expression, read.
    fn read(bytes: &[u8]) -> Result<Expression, Malformed> {
        let mut buffer = Vec::new();
        attribute::nest(&mut buffer, 1, |buffer| buffer.extend_from_slice(bytes));
        decode(Attributes::of("list", &buffer).next().unwrap()?)
    }

    fn written(expression: &Expression) -> Vec<u8> {
        let mut buffer = Vec::new();
        encode(expression, &mut buffer);
        buffer
    }

    /// What an expression of these attributes is read as; if unknown, with the same bytes as
    /// written.
    pub(super) fn known(name: &str, content: impl FnOnce(&mut Vec<u8>)) -> Option<Expression> {
        let mut bytes = Vec::new();
        attribute::text(&mut bytes, NAME, name);
        attribute::nest(&mut bytes, DATA, content);
        let read = read(&bytes).unwrap();
        if !matches!(read, Expression::Unknown { .. }) {
            return Some(read);
        }
        assert_eq!(written(&read), bytes);
        None
    }

    proptest! {
        #[test]
        fn comes_back(expression in strategies::expression()) {
            prop_assert_eq!(read(&written(&expression)), Ok(expression));
        }

        /// With one attribute more than our types hold, or one twice, nothing is known.
        #[test]
        fn with_more_it_is_unknown(expression in strategies::expression(), number in 9..99_u16) {
            let bytes = written(&expression);
            let parts = decode_parts(&bytes).unwrap();
            let more = known(parts.0, |buffer| {
                buffer.extend_from_slice(parts.1);
                attribute::u32(buffer, number, 1);
            });
            prop_assert_eq!(more, None);
            if !matches!(expression, Expression::Unknown { .. }) && !parts.1.is_empty() {
                let twice = known(parts.0, |buffer| buffer.extend(parts.1.repeat(2)));
                prop_assert_eq!(twice, None);
            }
        }
    }

    #[test]
    fn one_without_attributes_keeps_its_name() {
        let mut bytes = Vec::new();
        attribute::text(&mut bytes, NAME, "notrack");
        let unknown = Expression::Unknown {
            name: "notrack".to_owned(),
            data: Vec::new(),
        };
        assert_eq!(read(&bytes), Ok(unknown.clone()));
        assert_eq!(written(&unknown), bytes);
    }

    #[test]
    fn what_is_no_name_and_attributes_is_kept_whole() {
        let counter = written(&Expression::Counter(Default::default()));
        let mut with_more = counter.clone();
        attribute::u32(&mut with_more, 3, 3);
        let mut odd_name = Vec::new();
        attribute::bytes(&mut odd_name, NAME, b"counter\0\0");
        let nameless = counter[12..].to_vec();
        let mut empty_name = Vec::new();
        attribute::text(&mut empty_name, NAME, "");
        empty_name.extend_from_slice(&nameless);
        for data in [with_more, odd_name, nameless, empty_name, Vec::new()] {
            let name = String::new();
            let unknown = Expression::Unknown { name, data };
            let Expression::Unknown { data, .. } = &unknown else {
                unreachable!()
            };
            assert_eq!(read(data), Ok(unknown.clone()));
            assert_eq!(written(&unknown), *data);
        }
    }

    #[test]
    fn broken_ones_are_malformed() {
        let bytes = written(&Expression::Counter(Default::default()));
        let told = Malformed::Attribute {
            object: "expression",
            told: 28,
            there: 20,
        };
        assert_eq!(read(&bytes[..32]), Err(told));
    }

    #[test]
    fn one_and_several_have_attributes_of_their_own() {
        let counter = Expression::Counter(Default::default());
        let kind = |expressions: &[Expression]| {
            let mut buffer = Vec::new();
            encode_one_or_list(&mut buffer, (17, 18), expressions);
            Attributes::of("set", &buffer)
                .next()
                .map(|a| a.unwrap().number())
        };
        assert_eq!(kind(&[]), None);
        assert_eq!(kind(std::slice::from_ref(&counter)), Some(17));
        assert_eq!(kind(&[counter.clone(), counter]), Some(18));
    }
}
