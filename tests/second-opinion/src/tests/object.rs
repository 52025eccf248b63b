//! Each object, and each expression with all that rustables can say in it.

use palisade_nft::object::{
    BaseChain, Bitwise, Compare, Comparison, Conntrack, ConntrackKey, Counter, DataType, Element,
    Expression, Family, Hook, Load, Lookup, LookupTarget, Masquerade, Meta, MetaKey, Nat, NatKind,
    Payload, PayloadBase, Policy, Register, Reject, RejectKind, Rule, Set, Userdata, Verdict,
};
use palisade_nft::parts::wire::{self, Kind};
use rustables::MsgType;

use super::{chain, place, read_rule, sent_one, table};

const FAMILIES: [Family; 6] = [
    Family::Inet,
    Family::Ip,
    Family::Arp,
    Family::Netdev,
    Family::Bridge,
    Family::Ip6,
];

#[test]
fn tables() {
    for family in FAMILIES {
        let mut ours = table(family);
        for (flags, userdata) in [(0, Userdata::default()), (1, Userdata::comment("a table"))] {
            ours.flags = flags;
            ours.userdata = userdata;
            let theirs = crate::table(&ours).unwrap();
            let sent = sent_one(&theirs, MsgType::Add);
            assert_eq!(sent.kind, Kind::NEW_TABLE);
            assert_eq!(
                wire::table::decode(sent.family, &sent.body),
                Ok(ours.clone())
            );
            assert_eq!(sent_one(&theirs, MsgType::Del).kind, Kind::DEL_TABLE);
        }
    }
}

#[test]
fn chains() {
    let hooks = [
        Hook::PREROUTING,
        Hook::INPUT,
        Hook::FORWARD,
        Hook::OUTPUT,
        Hook::POSTROUTING,
    ];
    let (table, _) = place(Family::Ip6);
    let mut ours = chain(Family::Ip6);
    ours.userdata = Userdata::comment("a chain");
    let bases = hooks.into_iter().flat_map(|hook| {
        let policies = [Policy::ACCEPT, Policy::DROP];
        policies.map(|policy| {
            Some(BaseChain {
                kind: "nat".to_owned(),
                hook,
                priority: -150,
                policy,
                hook_extra: Vec::new(),
            })
        })
    });
    for base in bases.chain([None]) {
        ours.base = base;
        let theirs = crate::chain(&table, &ours).unwrap();
        let sent = sent_one(&theirs, MsgType::Add);
        assert_eq!(sent.kind, Kind::NEW_CHAIN);
        assert_eq!(
            wire::chain::decode(sent.family, &sent.body),
            Ok(ours.clone())
        );
        assert_eq!(sent_one(&theirs, MsgType::Del).kind, Kind::DEL_CHAIN);
    }
    for (kind, priority) in [("filter", 0), ("route", i32::MAX), ("nat", i32::MIN)] {
        ours.base = Some(BaseChain {
            kind: kind.to_owned(),
            hook: Hook::OUTPUT,
            priority,
            policy: Policy::ACCEPT,
            hook_extra: Vec::new(),
        });
        let sent = sent_one(&crate::chain(&table, &ours).unwrap(), MsgType::Add);
        assert_eq!(
            wire::chain::decode(sent.family, &sent.body),
            Ok(ours.clone())
        );
    }
}

#[test]
fn sets() {
    for (family, key_type, key_len) in [
        (Family::Ip, DataType::IPV4_ADDR, 4),
        (Family::Ip6, DataType::IPV6_ADDR, 16),
        (
            Family::Ip,
            DataType::concatenation(&[DataType::IFNAME, DataType::IPV4_ADDR]),
            20,
        ),
    ] {
        let ours = Set {
            family,
            table: "net".to_owned(),
            name: "guests".to_owned(),
            id: Some(7),
            flags: 2,
            key_type,
            key_len,
            data: None,
            expressions: Vec::new(),
            userdata: Userdata::of_set(Some(true), "a set"),
            handle: None,
            extra: Vec::new(),
        };
        let sent = sent_one(&crate::set(&ours).unwrap(), MsgType::Add);
        assert_eq!(sent.kind, Kind::NEW_SET);
        assert_eq!(wire::set::decode(sent.family, &sent.body), Ok(ours));
    }
}

#[test]
fn elements() {
    fn read<const LEN: usize>(family: Family) {
        let (table, _) = place(family);
        let ours: Vec<Element> = (0..200_u8)
            .map(|byte| Element {
                key: vec![byte; LEN],
                key_end: Vec::new(),
                value: None,
                flags: 0,
                expressions: Vec::new(),
                userdata: Userdata::default(),
                extra: Vec::new(),
            })
            .collect();
        let theirs = crate::elements::<LEN>(&table, "guests", &ours).unwrap();
        for (what, kind) in [
            (MsgType::Add, Kind::NEW_ELEMENT),
            (MsgType::Del, Kind::DEL_ELEMENT),
        ] {
            let sent = sent_one(&theirs, what);
            assert_eq!(sent.kind, kind);
            let read = wire::element::decode(sent.family, &sent.body).unwrap();
            assert_eq!((read.table.as_str(), read.set.as_str()), ("net", "guests"));
            assert_eq!((read.family, read.elements), (family, ours.clone()));
        }
    }
    read::<4>(Family::Ip);
    read::<16>(Family::Ip6);
    read::<20>(Family::Ip);
}

/// The registers that rustables knows.
fn registers() -> impl Iterator<Item = Register> {
    [0, 4, 8, 12].into_iter().filter_map(Register::at_word)
}

/// Every expression that rustables can say, with every value that its types have.
fn expressions() -> Vec<Expression> {
    let mut all = Vec::new();
    for register in registers() {
        let meta = [1, 3, 4, 5, 6, 7, 10, 15, 16].map(|key| Meta {
            key: MetaKey(key),
            destination: register,
        });
        all.extend(meta.map(Expression::Meta));
        let payload = [0, 1, 2].map(|base| Payload {
            base: PayloadBase(base),
            offset: 12,
            len: 3 + base,
            destination: register,
        });
        all.extend(payload.map(Expression::Payload));
        let conntrack = [ConntrackKey::STATE, ConntrackKey(3)].map(|key| Conntrack {
            key,
            destination: register,
        });
        all.extend(conntrack.map(Expression::Conntrack));
        all.push(Expression::Bitwise(Bitwise {
            source: register,
            destination: Register::FIRST,
            len: 6,
            mask: vec![255, 255, 255, 255, 240, 0],
            xor: vec![0, 0, 0, 0, 0, 1],
        }));
        all.push(Expression::Load(Load {
            destination: register,
            value: vec![203, 0, 113, 5],
        }));
        let targets = [
            LookupTarget::None,
            LookupTarget::Verdict,
            LookupTarget::Register(register),
        ];
        all.extend(targets.map(|target| {
            Expression::Lookup(Lookup {
                set: "guests".to_owned(),
                set_id: (target == LookupTarget::None).then_some(9),
                source: register,
                target,
                inverted: false,
            })
        }));
    }
    all.extend(compares());
    all.extend(translations());
    all.extend(decisions());
    all
}

fn compares() -> impl Iterator<Item = Expression> {
    let operators = [
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
    ];
    operators.into_iter().zip(1..).map(|(operator, len)| {
        Expression::Compare(Compare {
            source: Register::FIRST,
            operator,
            value: vec![0x11; len],
        })
    })
}

fn translations() -> impl Iterator<Item = Expression> {
    let nats = [
        (NatKind::Source, Family::Ip, true, false),
        (NatKind::Destination, Family::Ip6, true, true),
        (NatKind::Destination, Family::Ip, false, true),
    ];
    let nat = |(kind, family, address, port): (NatKind, Family, bool, bool)| {
        Expression::Nat(Nat {
            kind,
            family,
            min_address: address.then_some(Register::FIRST),
            max_address: None,
            min_port: port.then(|| Register::at_word(4)).flatten(),
            max_port: None,
            flags: 0,
        })
    };
    let masquerade = Expression::Masquerade(Masquerade::default());
    nats.into_iter().map(nat).chain([masquerade])
}

fn decisions() -> impl Iterator<Item = Expression> {
    let verdicts = [
        Verdict::Drop,
        Verdict::Accept,
        Verdict::Continue,
        Verdict::Return,
        Verdict::Jump("guests".to_owned()),
        Verdict::Goto("elsewhere".to_owned()),
        Verdict::Other(3),
        Verdict::Other(-2),
    ];
    let kinds = [
        RejectKind::ICMP_UNREACHABLE,
        RejectKind::TCP_RESET,
        RejectKind::ICMPX_UNREACHABLE,
    ];
    let rejects = kinds
        .into_iter()
        .flat_map(|kind| [0, 1, 2, 3].map(|code| Expression::Reject(Reject { kind, code })));
    let counter = Expression::Counter(Counter {
        packets: 3,
        bytes: u64::MAX - 1,
    });
    verdicts
        .into_iter()
        .map(Expression::Verdict)
        .chain(rejects)
        .chain([counter])
}

fn rule(expressions: Vec<Expression>) -> Rule {
    Rule {
        family: Family::Ip,
        table: "net".to_owned(),
        chain: "guests".to_owned(),
        expressions,
        userdata: Userdata::comment("a rule"),
        handle: None,
        position: None,
        extra: Vec::new(),
    }
}

#[test]
fn each_expression() {
    let (_, chain) = place(Family::Ip);
    for expression in expressions() {
        let ours = rule(vec![expression]);
        let theirs = crate::rule(&chain, &ours).unwrap();
        assert_eq!(read_rule(&theirs), ours);
    }
}

#[test]
fn all_expressions_in_one_rule() {
    let (_, chain) = place(Family::Ip);
    let ours = rule(expressions());
    assert_eq!(read_rule(&crate::rule(&chain, &ours).unwrap()), ours);
}

#[test]
fn a_rule_is_deleted_by_its_handle() {
    let (_, chain) = place(Family::Ip);
    let mut ours = rule(Vec::new());
    let theirs = crate::rule(&chain, &ours).unwrap().with_handle(4711_u64);
    let sent = sent_one(&theirs, MsgType::Del);
    assert_eq!(sent.kind, Kind::DEL_RULE);
    ours.handle = Some(4711);
    assert_eq!(wire::rule::decode(sent.family, &sent.body), Ok(ours));
}
