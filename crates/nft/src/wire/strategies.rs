//! Random objects, as decoding gives them: what the kernel reads alike is written in one way.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::object::*;

pub(super) fn family() -> impl Strategy<Value = Family> {
    any::<u8>().prop_map(Family::from_number)
}

/// Names, and more than the kernel would take; but no zeros, which end them.
pub(super) fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z_][a-z0-9_.-]{0,30}", "[^\0]{0,12}"]
}

fn userdata() -> impl Strategy<Value = Userdata> {
    vec(any::<u8>(), 0..40).prop_map(Userdata)
}

/// Attributes with numbers that no object has, with any flags.
fn extra() -> impl Strategy<Value = Vec<Attribute>> {
    let kind = (100..0x4000_u16, 0..4_u16).prop_map(|(number, flags)| flags << 14 | number);
    let attribute = (kind, vec(any::<u8>(), 0..20));
    vec(
        attribute.prop_map(|(kind, bytes)| Attribute { kind, bytes }),
        0..3,
    )
}

pub(super) fn table() -> impl Strategy<Value = Table> {
    let parts = (
        family(),
        name(),
        any::<u32>(),
        userdata(),
        any::<Option<u64>>(),
        extra(),
    );
    parts.prop_map(|(family, name, flags, userdata, handle, extra)| Table {
        family,
        name,
        flags,
        userdata,
        handle,
        extra,
    })
}

fn base_chain() -> impl Strategy<Value = BaseChain> {
    let parts = (name(), any::<u32>(), any::<i32>(), any::<u32>(), extra());
    parts.prop_map(|(kind, hook, priority, policy, hook_extra)| BaseChain {
        kind,
        hook: Hook(hook),
        priority,
        policy: Policy(policy),
        hook_extra,
    })
}

pub(super) fn chain() -> impl Strategy<Value = Chain> {
    let names = (family(), name(), name());
    let parts = (option::of(base_chain()), any::<u32>(), userdata());
    let more = (any::<Option<u64>>(), extra());
    (names, parts, more).prop_map(
        |((family, table, name), (base, flags, userdata), (handle, extra))| Chain {
            family,
            table,
            name,
            flags: if base.is_some() { flags & !1 } else { flags },
            base,
            userdata,
            handle,
            extra,
        },
    )
}

pub(super) fn rule() -> impl Strategy<Value = Rule> {
    let names = (family(), name(), name());
    let parts = (vec(expression(), 0..12), userdata());
    let more = (any::<Option<u64>>(), any::<Option<u64>>(), extra());
    (names, parts, more).prop_map(
        |((family, table, chain), (expressions, userdata), (handle, position, extra))| Rule {
            family,
            table,
            chain,
            expressions,
            userdata,
            handle,
            position,
            extra,
        },
    )
}

fn data_type() -> impl Strategy<Value = DataType> {
    let known = prop_oneof![
        Just(DataType::IPV4_ADDR),
        Just(DataType::IPV6_ADDR),
        Just(DataType::IFNAME),
    ];
    prop_oneof![
        vec(known, 1..4).prop_map(|parts| DataType::concatenation(&parts)),
        any::<u32>().prop_map(DataType),
    ]
}

fn set_data() -> impl Strategy<Value = SetData> {
    prop_oneof![
        Just((DataType::VERDICT, 0)),
        (data_type(), any::<u32>()).prop_filter("a verdict's length is not said", |(kind, _)| {
            *kind != DataType::VERDICT
        }),
    ]
    .prop_map(|(data_type, len)| SetData { data_type, len })
}

pub(super) fn set() -> impl Strategy<Value = Set> {
    let names = (family(), name(), name(), option::of(1..=u32::MAX));
    let kind = (
        any::<u32>(),
        data_type(),
        any::<u32>(),
        option::of(set_data()),
    );
    let parts = (
        vec(expression(), 0..3),
        userdata(),
        any::<Option<u64>>(),
        extra(),
    );
    (names, kind, parts).prop_map(
        |(
            (family, table, name, id),
            (flags, key_type, key_len, data),
            (expressions, userdata, handle, extra),
        )| Set {
            family,
            table,
            name,
            id,
            flags,
            key_type,
            key_len,
            data,
            expressions,
            userdata,
            handle,
            extra,
        },
    )
}

pub(super) fn element() -> impl Strategy<Value = Element> {
    let bytes = || vec(any::<u8>(), 0..50);
    let value = prop_oneof![
        bytes().prop_map(Value::Bytes),
        verdict().prop_map(Value::Verdict),
    ];
    let parts = (bytes(), bytes(), option::of(value), any::<u32>());
    let more = (vec(expression(), 0..3), userdata(), extra());
    (parts, more).prop_map(
        |((key, key_end, value, flags), (expressions, userdata, extra))| Element {
            key,
            key_end,
            value,
            flags,
            expressions,
            userdata,
            extra,
        },
    )
}

fn register() -> impl Strategy<Value = Register> {
    (0..Register::WORDS).prop_filter_map("there are 16", Register::at_word)
}

/// A register, and a value that fits into it.
fn value() -> impl Strategy<Value = (Register, Vec<u8>)> {
    register().prop_flat_map(|register| {
        let room = Register::BYTES - usize::from(register.word()) * 4;
        (Just(register), vec(any::<u8>(), 1..=room))
    })
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        Just(Verdict::Drop),
        Just(Verdict::Accept),
        Just(Verdict::Continue),
        Just(Verdict::Return),
        name().prop_map(Verdict::Jump),
        name().prop_map(Verdict::Goto),
        any::<i32>()
            .prop_filter("those have names", |code| !matches!(code, -5..=-3 | -1..=1))
            .prop_map(Verdict::Other),
    ]
}

fn bitwise() -> impl Strategy<Value = Bitwise> {
    (value(), register(), any::<u8>()).prop_filter_map(
        "both registers hold it",
        |((source, mask), destination, xor)| {
            destination.fits(mask.len()).then(|| Bitwise {
                source,
                destination,
                len: mask.len() as u32,
                xor: vec![xor; mask.len()],
                mask,
            })
        },
    )
}

fn compare() -> impl Strategy<Value = Compare> {
    let operator = prop_oneof![
        Just(Comparison::Equal),
        Just(Comparison::NotEqual),
        Just(Comparison::Less),
        Just(Comparison::LessOrEqual),
        Just(Comparison::Greater),
        Just(Comparison::GreaterOrEqual),
    ];
    (value(), operator).prop_map(|((source, value), operator)| Compare {
        source,
        operator,
        value,
    })
}

fn range() -> impl Strategy<Value = Range> {
    (value(), any::<bool>(), any::<u8>()).prop_map(|((source, first), inverted, last)| Range {
        source,
        inverted,
        last: vec![last; first.len()],
        first,
    })
}

fn lookup() -> impl Strategy<Value = Lookup> {
    let target = prop_oneof![
        Just(LookupTarget::None),
        Just(LookupTarget::Verdict),
        register().prop_map(LookupTarget::Register),
    ];
    let parts = (
        name(),
        any::<Option<u32>>(),
        register(),
        target,
        any::<bool>(),
    );
    parts.prop_map(|(set, set_id, source, target, inverted)| Lookup {
        set,
        set_id,
        source,
        target,
        inverted,
    })
}

fn nat() -> impl Strategy<Value = Nat> {
    let kind = prop_oneof![Just(NatKind::Source), Just(NatKind::Destination)];
    let end = || option::of(register());
    let parts = (kind, family(), (end(), end()), (end(), end()), any::<u32>());
    parts.prop_map(
        |(kind, family, (min_address, max_address), (min_port, max_port), flags)| Nat {
            kind,
            family,
            min_address,
            max_address,
            min_port,
            max_port,
            flags,
        },
    )
}

fn masquerade() -> impl Strategy<Value = Masquerade> {
    let end = || option::of(register());
    (any::<u32>(), end(), end()).prop_map(|(flags, min_port, max_port)| Masquerade {
        flags,
        min_port,
        max_port,
    })
}

fn payload() -> impl Strategy<Value = Payload> {
    let parts = (any::<u32>(), any::<u16>(), value());
    parts.prop_map(|(base, offset, (destination, value))| Payload {
        base: PayloadBase(base),
        offset: offset.into(),
        len: value.len() as u32,
        destination,
    })
}

pub(super) fn expression() -> impl Strategy<Value = Expression> {
    let unknown = (
        "(log|limit|xt|notrack|[^\0]{1,8}!)",
        vec(any::<u8>(), 0..40),
    );
    let reject = (0..4_u32, any::<u8>());
    prop_oneof![
        (any::<u32>(), register()).prop_map(|(key, destination)| {
            let key = MetaKey(key);
            Expression::Meta(Meta { key, destination })
        }),
        payload().prop_map(Expression::Payload),
        bitwise().prop_map(Expression::Bitwise),
        compare().prop_map(Expression::Compare),
        range().prop_map(Expression::Range),
        lookup().prop_map(Expression::Lookup),
        value().prop_map(|(destination, value)| Expression::Load(Load { destination, value })),
        verdict().prop_map(Expression::Verdict),
        (any::<u32>(), register()).prop_map(|(key, destination)| {
            let key = ConntrackKey(key);
            Expression::Conntrack(Conntrack { key, destination })
        }),
        (any::<[u32; 2]>(), register()).prop_map(|([flags, result], destination)| {
            Expression::Fib(Fib {
                flags: FibFlags(flags),
                result: FibResult(result),
                destination,
            })
        }),
        any::<(u64, u64)>()
            .prop_map(|(packets, bytes)| Expression::Counter(Counter { packets, bytes })),
        reject.prop_map(|(kind, code)| {
            let kind = RejectKind(kind);
            Expression::Reject(Reject { kind, code })
        }),
        masquerade().prop_map(Expression::Masquerade),
        nat().prop_map(Expression::Nat),
        (any::<[u64; 2]>(), any::<u32>()).prop_map(|([rate, seconds], burst)| {
            Expression::Limit(Limit {
                rate,
                seconds,
                burst,
            })
        }),
        (name(), any::<Option<u16>>())
            .prop_map(|(prefix, group)| Expression::Log(Log { prefix, group })),
        register().prop_map(Expression::RouteMss),
        register().prop_map(Expression::NetworkOrder),
        register().prop_map(Expression::SetMss),
        unknown.prop_map(|(name, data)| Expression::Unknown { name, data }),
    ]
}
