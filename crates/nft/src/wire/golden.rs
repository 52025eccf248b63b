//! Whole messages, byte by byte as the kernel's headers say (`linux/netlink.h`,
//! `linux/netfilter/nfnetlink.h`, `linux/netfilter/nf_tables.h`), on a little-endian machine.

use super::*;
use crate::object::{BaseChain, Chain, Hook, Payload, PayloadBase, Policy, Rule, Table, Verdict};
use crate::object::{Counter, DataType, Set};
use crate::object::{Element, Expression, Family, Register, Userdata};

/// The bytes of pieces, one behind another.
fn joined(pieces: &[&[u8]]) -> Vec<u8> {
    pieces.concat()
}

fn written(kind: Kind, flags: u16, body: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut buffer = Vec::new();
    message(&mut buffer, kind, flags, 7, Family::Ip, body);
    buffer
}

#[test]
fn a_table() {
    let table = Table {
        family: Family::Ip,
        name: "net".to_owned(),
        flags: 1,
        userdata: Userdata::comment("x"),
        handle: None,
        extra: Vec::new(),
    };
    let expected = joined(&[
        &[44, 0, 0, 0],   // nlmsg_len: 16 + 4 + 8 + 8 + 8
        &[0, 10],         // nlmsg_type: NFT_MSG_NEWTABLE of NFNL_SUBSYS_NFTABLES
        &[0x01, 0x04],    // nlmsg_flags: NLM_F_REQUEST, NLM_F_CREATE
        &[7, 0, 0, 0],    // nlmsg_seq
        &[0, 0, 0, 0],    // nlmsg_pid: the kernel
        &[2, 0, 0, 0],    // nfgen_family: NFPROTO_IPV4; version; res_id
        &[8, 0, 1, 0],    // NFTA_TABLE_NAME, 4 bytes
        b"net\0",         //
        &[8, 0, 2, 0],    // NFTA_TABLE_FLAGS, 4 bytes
        &[0, 0, 0, 1],    // NFT_TABLE_F_DORMANT
        &[8, 0, 6, 0],    // NFTA_TABLE_USERDATA, 4 bytes
        &[0, 2, b'x', 0], // a comment of 2 bytes
    ]);
    let bytes = written(Kind::NEW_TABLE, 0x401, |b| table::encode(&table, b));
    assert_eq!(bytes, expected);
    let read = messages(&expected).next().unwrap().unwrap();
    assert_eq!(table::decode(read.family, read.body), Ok(table));
}

#[test]
fn a_base_chain() {
    let chain = Chain {
        family: Family::Ip,
        table: "net".to_owned(),
        name: "nat".to_owned(),
        base: Some(BaseChain {
            kind: "nat".to_owned(),
            hook: Hook::POSTROUTING,
            priority: -2,
            policy: Policy::ACCEPT,
            hook_extra: Vec::new(),
        }),
        flags: 0,
        userdata: Userdata::default(),
        handle: None,
        extra: Vec::new(),
    };
    let expected = joined(&[
        &[72, 0, 0, 0],        // nlmsg_len: 16 + 4 + 8 + 8 + 20 + 8 + 8
        &[3, 10],              // NFT_MSG_NEWCHAIN
        &[0x01, 0x04],         // NLM_F_REQUEST, NLM_F_CREATE
        &[7, 0, 0, 0],         // nlmsg_seq
        &[0, 0, 0, 0],         // nlmsg_pid
        &[2, 0, 0, 0],         // NFPROTO_IPV4
        &[8, 0, 1, 0],         // NFTA_CHAIN_TABLE
        b"net\0",              //
        &[8, 0, 3, 0],         // NFTA_CHAIN_NAME
        b"nat\0",              //
        &[20, 0, 4, 0x80],     // NFTA_CHAIN_HOOK, NLA_F_NESTED
        &[8, 0, 1, 0],         //   NFTA_HOOK_HOOKNUM
        &[0, 0, 0, 4],         //   NF_INET_POST_ROUTING
        &[8, 0, 2, 0],         //   NFTA_HOOK_PRIORITY
        &[255, 255, 255, 254], //   -2
        &[8, 0, 5, 0],         // NFTA_CHAIN_POLICY
        &[0, 0, 0, 1],         // NF_ACCEPT
        &[8, 0, 7, 0],         // NFTA_CHAIN_TYPE
        b"nat\0",              //
    ]);
    let bytes = written(Kind::NEW_CHAIN, 0x401, |b| chain::encode(&chain, b));
    assert_eq!(bytes, expected);
    let read = messages(&expected).next().unwrap().unwrap();
    assert_eq!(chain::decode(read.family, read.body), Ok(chain));
}

#[test]
fn a_rule() {
    let payload = Payload {
        base: PayloadBase::NETWORK,
        offset: 12,
        len: 3,
        destination: Register::at_word(1).unwrap(),
    };
    let rule = Rule {
        family: Family::Ip,
        table: "t".to_owned(),
        chain: "c".to_owned(),
        expressions: vec![
            Expression::Payload(payload),
            Expression::Verdict(Verdict::Jump("c".to_owned())),
        ],
        userdata: Userdata::default(),
        handle: None,
        position: Some(9),
        extra: Vec::new(),
    };
    let expected = joined(&[
        &[160, 0, 0, 0], // nlmsg_len: 16 + 4 + 8 + 8 + 12 + 112
        &[6, 10],        // NFT_MSG_NEWRULE
        &[0x01, 0x0c],   // NLM_F_REQUEST, NLM_F_CREATE, NLM_F_APPEND
        &[7, 0, 0, 0],   // nlmsg_seq
        &[0, 0, 0, 0],   // nlmsg_pid
        &[2, 0, 0, 0],   // NFPROTO_IPV4
        &[6, 0, 1, 0],   // NFTA_RULE_TABLE, 2 bytes
        b"t\0\0\0",      // and two zeros
        &[6, 0, 2, 0],   // NFTA_RULE_CHAIN
        b"c\0\0\0",      //
        &[12, 0, 6, 0],  // NFTA_RULE_POSITION
        &[0, 0, 0, 0, 0, 0, 0, 9],
        &[112, 0, 4, 0x80],    // NFTA_RULE_EXPRESSIONS: 4 + 52 + 56
        &[52, 0, 1, 0x80],     //   NFTA_LIST_ELEM: 4 + 12 + 36
        &[12, 0, 1, 0],        //     NFTA_EXPR_NAME, 8 bytes
        b"payload\0",          //
        &[36, 0, 2, 0x80],     //     NFTA_EXPR_DATA: 4 + 4 * 8
        &[8, 0, 1, 0],         //       NFTA_PAYLOAD_DREG
        &[0, 0, 0, 9],         //       NFT_REG32_01
        &[8, 0, 2, 0],         //       NFTA_PAYLOAD_BASE
        &[0, 0, 0, 1],         //       NFT_PAYLOAD_NETWORK_HEADER
        &[8, 0, 3, 0],         //       NFTA_PAYLOAD_OFFSET
        &[0, 0, 0, 12],        //
        &[8, 0, 4, 0],         //       NFTA_PAYLOAD_LEN
        &[0, 0, 0, 3],         //
        &[56, 0, 1, 0x80],     //   NFTA_LIST_ELEM: 4 + 16 + 36, the name filled up to 12
        &[14, 0, 1, 0],        //     NFTA_EXPR_NAME, 10 bytes
        b"immediate\0\0\0",    //
        &[36, 0, 2, 0x80],     //     NFTA_EXPR_DATA: 4 + 8 + 24
        &[8, 0, 1, 0],         //       NFTA_IMMEDIATE_DREG
        &[0, 0, 0, 0],         //       NFT_REG_VERDICT
        &[24, 0, 2, 0x80],     //       NFTA_IMMEDIATE_DATA: 4 + 20
        &[20, 0, 2, 0x80],     //         NFTA_DATA_VERDICT: 4 + 8 + 8
        &[8, 0, 1, 0],         //           NFTA_VERDICT_CODE
        &[255, 255, 255, 253], //           NFT_JUMP
        &[6, 0, 2, 0],         //           NFTA_VERDICT_CHAIN
        b"c\0\0\0",            //
    ]);
    let bytes = written(Kind::NEW_RULE, 0xc01, |b| rule::encode(&rule, b));
    assert_eq!(bytes, expected);
    let read = messages(&expected).next().unwrap().unwrap();
    assert_eq!(rule::decode(read.family, read.body), Ok(rule));
}

#[test]
fn a_set_and_its_elements() {
    let set = Set {
        family: Family::Ip,
        table: "t".to_owned(),
        name: "s".to_owned(),
        id: Some(3),
        flags: 0,
        key_type: DataType::IPV4_ADDR,
        key_len: 4,
        data: None,
        expressions: vec![Expression::Counter(Counter {
            packets: 1,
            bytes: 2,
        })],
        userdata: Userdata::default(),
        handle: None,
        extra: Vec::new(),
    };
    let names = joined(&[
        &[6, 0, 1, 0], // NFTA_SET_TABLE, and NFTA_SET_ELEM_LIST_TABLE
        b"t\0\0\0",    //
        &[6, 0, 2, 0], // NFTA_SET_NAME, and NFTA_SET_ELEM_LIST_SET
        b"s\0\0\0",    //
    ]);
    let counter = joined(&[
        &[12, 0, 1, 0],    // NFTA_EXPR_NAME
        b"counter\0",      //
        &[28, 0, 2, 0x80], // NFTA_EXPR_DATA: 4 + 12 + 12
        &[12, 0, 1, 0],    //   NFTA_COUNTER_BYTES
        &[0, 0, 0, 0, 0, 0, 0, 2],
        &[12, 0, 2, 0], //   NFTA_COUNTER_PACKETS
        &[0, 0, 0, 0, 0, 0, 0, 1],
    ]);
    let expected = joined(&[
        &names,
        &[8, 0, 4, 0],      // NFTA_SET_KEY_TYPE
        &[0, 0, 0, 7],      // nft's ipv4_addr
        &[8, 0, 5, 0],      // NFTA_SET_KEY_LEN
        &[0, 0, 0, 4],      //
        &[8, 0, 10, 0],     // NFTA_SET_ID
        &[0, 0, 0, 3],      //
        &[44, 0, 17, 0x80], // NFTA_SET_EXPR: 4 + 40
        &counter,
    ]);
    let mut body = Vec::new();
    set::encode(&set, &mut body);
    assert_eq!(body, expected);
    assert_eq!(set::decode(Family::Ip, &expected), Ok(set.clone()));

    let element = Element {
        key: vec![10, 0, 0, 1],
        key_end: Vec::new(),
        value: None,
        flags: 1,
        expressions: set.expressions,
        userdata: Userdata::comment("x"),
        extra: Vec::new(),
    };
    let expected = joined(&[
        &names,
        &[80, 0, 3, 0x80], // NFTA_SET_ELEM_LIST_ELEMENTS: 4 + 76
        &[76, 0, 1, 0x80], //   NFTA_LIST_ELEM: 4 + 12 + 8 + 44 + 8
        &[12, 0, 1, 0x80], //     NFTA_SET_ELEM_KEY: 4 + 8
        &[8, 0, 1, 0],     //       NFTA_DATA_VALUE
        &[10, 0, 0, 1],    //
        &[8, 0, 3, 0],     //     NFTA_SET_ELEM_FLAGS
        &[0, 0, 0, 1],     //     NFT_SET_ELEM_INTERVAL_END
        &[44, 0, 7, 0x80], //     NFTA_SET_ELEM_EXPR
        &counter,
        &[8, 0, 6, 0],    //     NFTA_SET_ELEM_USERDATA
        &[0, 2, b'x', 0], //
    ]);
    let elements = [element];
    let mut body = Vec::new();
    element::encode("t", "s", &mut elements.iter().peekable(), &mut body);
    assert_eq!(body, expected);
    let read = element::decode(Family::Ip, &expected).unwrap();
    assert_eq!((read.table.as_str(), read.set.as_str()), ("t", "s"));
    assert_eq!(read.elements, elements);
}
