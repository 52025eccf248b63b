use palisade_core::evaluate::examples::packet;
use palisade_core::evaluate::{
    Devices, DoubtKind, Fate, Flow, Ground, Meaning, Nat, Outcome, Packet, Reading, Verdict,
};
use palisade_core::network;

use super::ground;
use crate::layout::{Layout, TableName};
use crate::object::{
    BaseChain, Chain, Comparison, Element, Expression, Family, Hook, Policy, Range, Register, Rule,
    Set, Table, Userdata, Value, Verdict as Says,
};
use crate::object::{DataType, Lookup, LookupTarget, MetaKey, Payload, PayloadBase, SetData};
use crate::program::{FilledChain, FilledSet, Program};
use crate::statement::{
    Direction, End, Field, Match, Origin, Statement, Test, address, expressions, interface,
    known_flow,
};

mod changes;
mod doubts;
mod facts;
mod hooks;
mod numbers;
mod ours;
mod sets;
mod walk;

/// From a guest to a web server in the world.
fn web() -> Packet {
    let mut packet = packet(("br0", "eth0"), ("10.0.0.5", "198.51.100.1"), 6, Flow::New);
    packet.source_port = Some(40000);
    packet.destination_port = Some(80);
    packet
}

fn rule(chain: &str, expressions: Vec<Expression>) -> Rule {
    Rule {
        family: Family::Inet,
        table: "host".to_owned(),
        chain: chain.to_owned(),
        expressions,
        userdata: Userdata::default(),
        handle: None,
        position: None,
        extra: Vec::new(),
    }
}

fn chain(
    name: &str,
    base: Option<(Hook, i32, Policy)>,
    rules: Vec<Vec<Expression>>,
) -> FilledChain {
    let base = base.map(|(hook, priority, policy)| BaseChain {
        kind: "filter".to_owned(),
        hook,
        priority,
        policy,
        hook_extra: Vec::new(),
    });
    FilledChain {
        chain: Chain {
            family: Family::Inet,
            table: "host".to_owned(),
            name: name.to_owned(),
            base,
            flags: 0,
            userdata: Userdata::default(),
            handle: None,
            extra: Vec::new(),
        },
        rules: rules
            .into_iter()
            .map(|expressions| rule(name, expressions))
            .collect(),
    }
}

/// A base chain at the forward hook.
fn forward(policy: Policy, rules: Vec<Vec<Expression>>) -> FilledChain {
    chain("forward", Some((Hook::FORWARD, 0, policy)), rules)
}

fn host(chains: Vec<FilledChain>, sets: Vec<FilledSet>) -> Program {
    Program {
        table: Table {
            family: Family::Inet,
            name: "host".to_owned(),
            flags: 0,
            userdata: Userdata::default(),
            handle: None,
            extra: Vec::new(),
        },
        sets,
        chains,
    }
}

fn set(flags: u32, key_len: u32, elements: Vec<Element>) -> FilledSet {
    FilledSet {
        set: Set {
            family: Family::Inet,
            table: "host".to_owned(),
            name: "s".to_owned(),
            id: None,
            flags,
            key_type: DataType::default(),
            key_len,
            data: None,
            expressions: Vec::new(),
            userdata: Userdata::default(),
            handle: None,
            extra: Vec::new(),
        },
        elements,
    }
}

fn says(verdict: Says) -> Expression {
    Expression::Verdict(verdict)
}

fn entering(name: &str) -> Expressions {
    Expressions(expressions(&[interface(
        Direction::In,
        &name.parse().unwrap(),
    )]))
}

/// Expressions, to be followed by others.
struct Expressions(Vec<Expression>);

impl Expressions {
    fn then(mut self, expression: Expression) -> Vec<Expression> {
        self.0.push(expression);
        self.0
    }
}

/// `meta length 1`: nothing that is known of a packet.
fn sized() -> Expressions {
    let origin = Origin::Meta(MetaKey(0));
    Expressions(expressions(&[Statement::Match(Match {
        fields: vec![Field { origin, mask: None }],
        test: Test::Compare(Comparison::Equal, vec![1, 0, 0, 0]),
    })]))
}

fn of(program: &Program) -> Outcome {
    ground([program]).evaluate(&web())
}

fn verdict(program: &Program) -> Verdict {
    of(program).fate.verdict
}

/// `th dport` in register 1.
fn port() -> Expression {
    Expression::Payload(Payload {
        base: PayloadBase::TRANSPORT,
        offset: 2,
        len: 2,
        destination: Register::FIRST,
    })
}

fn look_up(target: LookupTarget, inverted: bool) -> Expression {
    Expression::Lookup(Lookup {
        set: "s".to_owned(),
        set_id: None,
        source: Register::FIRST,
        target,
        inverted,
    })
}
