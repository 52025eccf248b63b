//! From statements to expressions.

use std::net::IpAddr;

use super::{
    Clamp, End, Field, Match, Origin, RANGE_ADDRESSES, RANGE_PORTS, Redirect, Statement, Test, To,
    Translate,
};
use crate::object::{
    Bitwise, Compare, Conntrack, Expression, Fib, Load, Lookup, LookupTarget, Masquerade, Meta,
    Nat, NatKind, Payload, Range, Register,
};

/// The expressions that mean the same as these statements.
#[must_use]
pub fn expressions(statements: &[Statement]) -> Vec<Expression> {
    let mut out = Vec::with_capacity(statements.len() * 2);
    for statement in statements {
        match statement {
            Statement::Match(matching) => lower_match(&mut out, matching),
            Statement::Counter(counter) => out.push(Expression::Counter(*counter)),
            Statement::Verdict(verdict) => out.push(Expression::Verdict(verdict.clone())),
            Statement::Reject(reject) => out.push(Expression::Reject(*reject)),
            Statement::Translate(translate) => lower_translate(&mut out, *translate),
            Statement::Redirect(redirect) => lower_redirect(&mut out, redirect),
            Statement::ClampMss(clamp) => lower_clamp(&mut out, *clamp),
            Statement::Limit(limit) => out.push(Expression::Limit(*limit)),
            Statement::Log(log) => out.push(Expression::Log(log.clone())),
            Statement::Other(expression) => out.push(expression.clone()),
        }
    }
    out
}

/// Each field goes to the registers behind the one before it.
fn load_fields(out: &mut Vec<Expression>, fields: &[Field]) {
    let mut register = Register::FIRST;
    for field in fields {
        out.push(load(field.origin, register));
        let len = field.origin.width();
        if let Some(mask) = &field.mask {
            out.push(Expression::Bitwise(Bitwise {
                source: register,
                destination: register,
                len,
                mask: mask.clone(),
                xor: vec![0; mask.len()],
            }));
        }
        // The longest concatenation of ours, two names, an IPv6 address, a protocol and a port, fills 14 of 16
        // words.
        register = register.after(len).unwrap_or(Register::FIRST);
    }
}

fn lower_match(out: &mut Vec<Expression>, matching: &Match) {
    load_fields(out, &matching.fields);
    let lookup = |set: &str, inverted| {
        Expression::Lookup(Lookup {
            set: set.to_owned(),
            set_id: None,
            source: Register::FIRST,
            target: LookupTarget::None,
            inverted,
        })
    };
    let range = |inverted, first: &[u8], last: &[u8]| {
        Expression::Range(Range {
            source: Register::FIRST,
            inverted,
            first: first.to_vec(),
            last: last.to_vec(),
        })
    };
    out.push(match &matching.test {
        Test::Compare(operator, value) => Expression::Compare(Compare {
            source: Register::FIRST,
            operator: *operator,
            value: value.clone(),
        }),
        Test::Between(first, last) => range(false, first, last),
        Test::NotBetween(first, last) => range(true, first, last),
        Test::In(set) => lookup(set, false),
        Test::NotIn(set) => lookup(set, true),
    });
}

fn load(origin: Origin, destination: Register) -> Expression {
    match origin {
        Origin::Meta(key) => Expression::Meta(Meta { key, destination }),
        Origin::Fib(flags, result) => Expression::Fib(Fib {
            flags,
            result,
            destination,
        }),
        Origin::Conntrack(key) => Expression::Conntrack(Conntrack { key, destination }),
        Origin::Payload { base, offset, len } => Expression::Payload(Payload {
            base,
            offset,
            len,
            destination,
        }),
    }
}

/// The address begins in the first register, the port is behind it.
fn lower_redirect(out: &mut Vec<Expression>, redirect: &Redirect) {
    load_fields(out, &redirect.fields);
    out.push(Expression::Lookup(Lookup {
        set: redirect.map.clone(),
        set_id: None,
        source: Register::FIRST,
        target: LookupTarget::Register(Register::FIRST),
        inverted: false,
    }));
    let address = Some(Register::FIRST);
    let port = Register::FIRST.after(Origin::address(redirect.family, End::Destination).width());
    out.push(Expression::Nat(Nat {
        kind: NatKind::Destination,
        family: redirect.family,
        min_address: address,
        max_address: address,
        min_port: port,
        max_port: port,
        flags: RANGE_ADDRESSES | RANGE_PORTS,
    }));
}

fn lower_translate(out: &mut Vec<Expression>, translate: Translate) {
    let mut registers = (0..Register::WORDS)
        .step_by(4)
        .filter_map(Register::at_word);
    // The kernel takes one register for both ends where they are equal.
    let mut range = |ends: Option<(Vec<u8>, Vec<u8>)>| {
        let Some((start, end)) = ends else {
            return (None, None);
        };
        let mut put = |value: &[u8]| {
            let destination = registers.next()?;
            let value = value.to_vec();
            out.push(Expression::Load(Load { destination, value }));
            Some(destination)
        };
        let first = put(&start);
        let last = if start == end { first } else { put(&end) };
        (first, last)
    };
    let port = |port: u16| port.to_be_bytes().to_vec();
    let ports = translate.ports.map(|(start, end)| (port(start), port(end)));
    let mut flags = translate.flags;
    if ports.is_some() {
        flags |= RANGE_PORTS;
    }
    let expression = match translate.to {
        To::OutgoingDevice => {
            let (min_port, max_port) = range(ports);
            Expression::Masquerade(Masquerade {
                flags,
                min_port,
                max_port,
            })
        }
        To::Addresses {
            kind,
            family,
            range: addresses,
        } => {
            if addresses.is_some() {
                flags |= RANGE_ADDRESSES;
            }
            let addresses = addresses.map(|(start, end)| (octets(start), octets(end)));
            let (min_address, max_address) = range(addresses);
            let (min_port, max_port) = range(ports);
            Expression::Nat(Nat {
                kind,
                family,
                min_address,
                max_address,
                min_port,
                max_port,
                flags,
            })
        }
    };
    out.push(expression);
}

fn lower_clamp(out: &mut Vec<Expression>, clamp: Clamp) {
    let register = Register::FIRST;
    match clamp {
        Clamp::RouteMtu => {
            let route = [
                Expression::RouteMss(register),
                Expression::NetworkOrder(register),
            ];
            out.extend(route);
        }
        Clamp::Size(bytes) => out.push(Expression::Load(Load {
            destination: register,
            value: bytes.to_be_bytes().to_vec(),
        })),
    }
    out.push(Expression::SetMss(register));
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}
