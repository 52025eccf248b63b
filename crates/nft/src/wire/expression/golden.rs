//! Each expression in the numbers of the kernel's header (`linux/netfilter/nf_tables.h`).

use super::tests::known;
use super::*;
use crate::object::*;

/// An attribute of these bytes, by hand.
fn attribute(number: u16, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::from((4 + bytes.len() as u16).to_ne_bytes());
    out.extend(number.to_ne_bytes());
    out.extend(bytes);
    out.resize(out.len().next_multiple_of(4), 0);
    out
}

/// An attribute that holds a number of 32 bits.
fn word(number: u16, value: u8) -> Vec<u8> {
    attribute(number, &[0, 0, 0, value])
}

/// An attribute that holds an `NFTA_DATA_VALUE`.
fn value(number: u16, bytes: &[u8]) -> Vec<u8> {
    attribute(number | 0x8000, &attribute(1, bytes))
}

/// Whether both ways lead from one to the other.
fn same(name: &str, expression: Expression, data: &[Vec<u8>]) {
    let data = data.concat();
    let mut bytes = Vec::new();
    encode(&expression, &mut bytes);
    assert_eq!(decode_parts(&bytes), Some((name, data.as_slice())));
    assert_eq!(known(name, |buffer| buffer.extend(data)), Some(expression));
}

const SECOND: u8 = 2; // NFT_REG_2, the fifth word

fn second() -> Register {
    Register::FIRST.after(16).unwrap()
}

#[test]
fn those_that_load() {
    let meta = Meta {
        key: MetaKey::OIFNAME,
        destination: second(),
    };
    // NFTA_META_KEY: NFT_META_OIFNAME; NFTA_META_DREG
    same(
        "meta",
        Expression::Meta(meta),
        &[word(2, 7), word(1, SECOND)],
    );
    let conntrack = Conntrack {
        key: ConntrackKey::STATE,
        destination: second(),
    };
    // NFTA_CT_KEY: NFT_CT_STATE; NFTA_CT_DREG
    same(
        "ct",
        Expression::Conntrack(conntrack),
        &[word(2, 0), word(1, SECOND)],
    );
    let fib = Fib {
        flags: FibFlags::REVERSE_PATH,
        result: FibResult::OIF,
        destination: second(),
    };
    // NFTA_FIB_DREG, _RESULT: NFT_FIB_RESULT_OIF, _FLAGS: SADDR | MARK | IIF | PRESENT
    let data = [word(1, SECOND), word(2, 1), word(3, 45)];
    same("fib", Expression::Fib(fib), &data);
    let payload = Payload {
        base: PayloadBase::TRANSPORT,
        offset: 2,
        len: 4,
        destination: second(),
    };
    // NFTA_PAYLOAD_DREG, _BASE: NFT_PAYLOAD_TRANSPORT_HEADER, _OFFSET, _LEN
    let data = [word(1, SECOND), word(2, 2), word(3, 2), word(4, 4)];
    same("payload", Expression::Payload(payload), &data);
    let load = Load {
        destination: second(),
        value: vec![4, 0],
    };
    // NFTA_IMMEDIATE_DREG, NFTA_IMMEDIATE_DATA
    same(
        "immediate",
        Expression::Load(load),
        &[word(1, SECOND), value(2, &[4, 0])],
    );
}

#[test]
fn those_that_compare() {
    let compare = Compare {
        source: second(),
        operator: Comparison::Greater,
        value: vec![6],
    };
    // NFTA_CMP_SREG, NFTA_CMP_OP: NFT_CMP_GT, NFTA_CMP_DATA
    same(
        "cmp",
        Expression::Compare(compare),
        &[word(1, SECOND), word(2, 4), value(3, &[6])],
    );
    let range = Range {
        source: second(),
        inverted: true,
        first: vec![22],
        last: vec![80],
    };
    // NFTA_RANGE_SREG, NFTA_RANGE_OP: NFT_RANGE_NEQ, NFTA_RANGE_FROM_DATA, NFTA_RANGE_TO_DATA
    let numbers = [word(1, SECOND), word(2, 1)].concat();
    let data = [numbers, value(3, &[22]), value(4, &[80])];
    same("range", Expression::Range(range), &data);
    let bitwise = Bitwise {
        source: second(),
        destination: Register::FIRST,
        len: 1,
        mask: vec![0xf0],
        xor: vec![1],
    };
    // NFTA_BITWISE_SREG, _DREG, _LEN, _OP: NFT_BITWISE_MASK_XOR, _MASK, _XOR
    let numbers = [word(1, SECOND), word(2, 1), word(3, 1), word(6, 0)];
    let data = [numbers.concat(), value(4, &[0xf0]), value(5, &[1])];
    same("bitwise", Expression::Bitwise(bitwise), &data);
    let mut lookup = Lookup {
        set: "abc".to_owned(),
        set_id: Some(9),
        source: second(),
        target: LookupTarget::Register(Register::FIRST),
        inverted: false,
    };
    // NFTA_LOOKUP_SET, _SREG, _DREG, _SET_ID
    let named = [attribute(1, b"abc\0"), word(2, SECOND)].concat();
    let data = [named.clone(), word(3, 1), word(4, 9)];
    same("lookup", Expression::Lookup(lookup.clone()), &data);
    lookup.target = LookupTarget::None;
    lookup.set_id = None;
    lookup.inverted = true;
    // NFTA_LOOKUP_FLAGS: NFT_LOOKUP_F_INV
    same("lookup", Expression::Lookup(lookup), &[named, word(5, 1)]);
}

#[test]
fn those_that_decide() {
    let counter = Counter {
        packets: 3,
        bytes: 258,
    };
    // NFTA_COUNTER_BYTES, NFTA_COUNTER_PACKETS
    let bytes = attribute(1, &[0, 0, 0, 0, 0, 0, 1, 2]);
    let packets = attribute(2, &[0, 0, 0, 0, 0, 0, 0, 3]);
    same("counter", Expression::Counter(counter), &[bytes, packets]);
    let reject = Reject {
        kind: RejectKind::ICMPX_UNREACHABLE,
        code: 3,
    };
    // NFTA_REJECT_TYPE: NFT_REJECT_ICMPX_UNREACH, NFTA_REJECT_ICMP_CODE
    same(
        "reject",
        Expression::Reject(reject),
        &[word(1, 2), attribute(2, &[3])],
    );
    // NFTA_IMMEDIATE_DREG: NFT_REG_VERDICT; NFTA_IMMEDIATE_DATA, in it NFTA_DATA_VERDICT, in it
    // NFTA_VERDICT_CODE: NFT_RETURN
    let code = attribute(1, &[255, 255, 255, 251]);
    let verdict = attribute(0x8002, &attribute(0x8002, &code));
    same(
        "immediate",
        Expression::Verdict(Verdict::Return),
        &[word(1, 0), verdict],
    );
}

#[test]
fn those_that_log() {
    let limit = Limit {
        rate: 10,
        seconds: 60,
        burst: 5,
    };
    // NFTA_LIMIT_RATE, _UNIT, _BURST, _TYPE: NFT_LIMIT_PKTS, _FLAGS
    let number = |kind, value| attribute(kind, &[0, 0, 0, 0, 0, 0, 0, value]);
    let data = [
        number(1, 10),
        number(2, 60),
        word(3, 5),
        word(4, 0),
        word(5, 0),
    ];
    same("limit", Expression::Limit(limit), &data);
    let mut log = Log {
        prefix: "ab: ".to_owned(),
        group: None,
    };
    // NFTA_LOG_PREFIX, NFTA_LOG_LEVEL: NFT_LOGLEVEL_WARNING
    let prefix = attribute(2, b"ab: \0");
    same(
        "log",
        Expression::Log(log.clone()),
        &[prefix.clone(), word(5, 4)],
    );
    log.group = Some(258);
    // NFTA_LOG_GROUP
    same(
        "log",
        Expression::Log(log),
        &[prefix, attribute(1, &[1, 2])],
    );
}

#[test]
fn those_that_translate() {
    let masquerade = Masquerade {
        flags: 2,
        min_port: Some(Register::FIRST),
        max_port: Some(second()),
    };
    // NFTA_MASQ_FLAGS, _REG_PROTO_MIN, _REG_PROTO_MAX
    let data = [word(1, 2), word(2, 1), word(3, SECOND)];
    same("masq", Expression::Masquerade(masquerade), &data);
    let nat = Nat {
        kind: NatKind::Destination,
        family: Family::Ip6,
        min_address: Some(Register::FIRST),
        max_address: Some(second()),
        min_port: second().after(16),
        max_port: second().after(32),
        flags: 3,
    };
    // NFTA_NAT_TYPE: NFT_NAT_DNAT, _FAMILY: NFPROTO_IPV6, _REG_ADDR_MIN, _REG_ADDR_MAX
    let ends = [word(1, 1), word(2, 10), word(3, 1), word(4, SECOND)].concat();
    // _REG_PROTO_MIN, _REG_PROTO_MAX, _FLAGS
    same(
        "nat",
        Expression::Nat(nat),
        &[ends, word(5, 3), word(6, 4), word(7, 3)],
    );
}
