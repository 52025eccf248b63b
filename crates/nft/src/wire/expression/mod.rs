//! Expressions: a name and attributes of its own (`enum nft_expr_attributes`).
//!
//! An expression that this build knows only in part, one attribute or one value beyond our types,
//! is not known: it is kept whole, so that nothing of it is lost or taken for something else.

mod bitwise;
mod compare;
mod conntrack;
mod counter;
mod immediate;
mod lookup;
mod masquerade;
mod meta;
mod nat;
mod payload;
mod reject;

use super::Malformed;
use super::attribute::{self, Raw};
use crate::object::Expression;

/// `NFTA_EXPR_NAME`.
const NAME: u16 = 1;
/// `NFTA_EXPR_DATA`.
const DATA: u16 = 2;

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
        Expression::Lookup(it) => put(buffer, lookup::NAME, lookup::encode, it),
        Expression::Load(it) => put(buffer, immediate::NAME, immediate::encode, it),
        Expression::Verdict(it) => put(buffer, immediate::NAME, immediate::encode_verdict, it),
        Expression::Conntrack(it) => put(buffer, conntrack::NAME, conntrack::encode, it),
        Expression::Counter(it) => put(buffer, counter::NAME, counter::encode, it),
        Expression::Reject(it) => put(buffer, reject::NAME, reject::encode, it),
        Expression::Masquerade(it) => put(buffer, masquerade::NAME, masquerade::encode, it),
        Expression::Nat(it) => put(buffer, nat::NAME, nat::encode, it),
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
        .map(|item| decode(item?.item()?))
        .collect()
}

/// Reads the expression that this attribute holds.
pub(super) fn decode(attribute: Raw<'_>) -> Result<Expression, Malformed> {
    let (mut name, mut data, mut more) = (None, &[][..], false);
    for attribute in attribute.nested("expression") {
        let attribute = attribute?;
        match attribute.number() {
            NAME => name = Some(attribute.text()),
            DATA => data = attribute.bytes,
            _ => more = true,
        }
    }
    let name = name.ok_or(Malformed::Missing {
        object: "expression",
        attribute: NAME,
    })?;
    let known = if more {
        None
    } else {
        decode_known(&name, data)
    };
    Ok(known.unwrap_or_else(|| Expression::Unknown {
        name,
        data: data.to_vec(),
    }))
}

fn decode_known(name: &str, data: &[u8]) -> Option<Expression> {
    match name {
        meta::NAME => meta::decode(data).map(Expression::Meta),
        payload::NAME => payload::decode(data).map(Expression::Payload),
        bitwise::NAME => bitwise::decode(data).map(Expression::Bitwise),
        compare::NAME => compare::decode(data).map(Expression::Compare),
        lookup::NAME => lookup::decode(data).map(Expression::Lookup),
        immediate::NAME => immediate::decode(data),
        conntrack::NAME => conntrack::decode(data).map(Expression::Conntrack),
        counter::NAME => counter::decode(data).map(Expression::Counter),
        reject::NAME => reject::decode(data).map(Expression::Reject),
        masquerade::NAME => masquerade::decode(data).map(Expression::Masquerade),
        nat::NAME => nat::decode(data).map(Expression::Nat),
        _ => None,
    }
}
