use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::messages;

fn written(flow: &Flow) -> Vec<u8> {
    let mut body = Vec::new();
    encode(flow, &mut body);
    body
}

fn addresses() -> impl Strategy<Value = Addresses> {
    let v4 = any::<(Ipv4Addr, Ipv4Addr)>();
    let v6 = any::<(Ipv6Addr, Ipv6Addr)>();
    prop_oneof![
        v4.prop_map(|(source, destination)| Addresses::V4 {
            source,
            destination
        }),
        v6.prop_map(|(source, destination)| Addresses::V6 {
            source,
            destination
        }),
    ]
}

fn key() -> impl Strategy<Value = ProtocolKey> {
    prop_oneof![
        any::<(u16, u16)>().prop_map(|(source, destination)| ProtocolKey::Ports {
            source,
            destination
        }),
        any::<(u16, u8, u8)>().prop_map(|(id, kind, code)| ProtocolKey::Request { id, kind, code }),
        Just(ProtocolKey::Nothing),
    ]
}

fn tuple() -> impl Strategy<Value = Tuple> {
    let parts = (addresses(), any::<u8>(), key(), option::of(any::<u16>()));
    parts.prop_map(|(addresses, protocol, key, zone)| Tuple {
        addresses,
        protocol,
        key,
        zone,
    })
}

fn flow() -> impl Strategy<Value = Flow> {
    let numbers = any::<(u32, u32, u32, Option<u16>)>();
    (tuple(), tuple(), numbers).prop_map(|(original, reply, (status, id, mark, zone))| Flow {
        original,
        reply,
        status,
        id,
        mark,
        zone,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn what_is_written_is_read(flow in flow()) {
        prop_assert_eq!(decode(&written(&flow)), Ok(flow));
    }

    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..300)) {
        let _ = decode(&bytes);
        let _ = decode_count(&bytes);
    }

    /// Nothing in it that is broken passes for something else: it is as it was, or not read, or one
    /// of its numbers is another.
    #[test]
    fn bytes_changed(flow in flow(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut body = written(&flow);
        let at = at.index(body.len());
        body[at] = byte;
        if let Ok(read) = decode(&body) {
            prop_assert_eq!(decode(&written(&read)), Ok(read));
        }
    }

    /// The number stands last: without it there is no flow.
    #[test]
    fn cut_off(flow in flow(), at in any::<prop::sample::Index>()) {
        let body = written(&flow);
        prop_assert!(decode(&body[..at.index(body.len())]).is_err());
    }
}

/// A datagram from 127.0.0.1, port 4010, to port 10, in a zone of the original direction alone, as
/// Linux 6.18 told of it.
#[cfg(target_endian = "little")]
const TOLD: &[&[u8]] = &[
    b"\x3c\x00\x01\x80", // CTA_TUPLE_ORIG, nested
    b"\x14\x00\x01\x80\x08\x00\x01\x00\x7f\x00\x00\x01\x08\x00\x02\x00\x7f\x00\x00\x01",
    b"\x1c\x00\x02\x80\x05\x00\x01\x00\x11\x00\x00\x00",
    b"\x06\x00\x02\x00\x0f\xaa\x00\x00\x06\x00\x03\x00\x00\x0a\x00\x00",
    b"\x06\x00\x03\x00\x00\x08\x00\x00",
    b"\x34\x00\x02\x80", // CTA_TUPLE_REPLY, nested
    b"\x14\x00\x01\x80\x08\x00\x01\x00\x7f\x00\x00\x01\x08\x00\x02\x00\x7f\x00\x00\x01",
    b"\x1c\x00\x02\x80\x05\x00\x01\x00\x11\x00\x00\x00",
    b"\x06\x00\x02\x00\x00\x0a\x00\x00\x06\x00\x03\x00\x0f\xaa\x00\x00",
    b"\x08\x00\x03\x00\x00\x00\x00\x08", // CTA_STATUS: IPS_CONFIRMED
    b"\x08\x00\x08\x00\x00\x00\x00\x00", // CTA_MARK
    b"\x08\x00\x0c\x00\x57\xb3\x0e\xea", // CTA_ID
    b"\x08\x00\x0b\x00\x00\x00\x00\x01", // CTA_USE
    b"\x08\x00\x07\x00\x00\x00\x00\x1d", // CTA_TIMEOUT
];

#[cfg(target_endian = "little")]
fn told() -> Flow {
    let localhost = Addresses::V4 {
        source: Ipv4Addr::LOCALHOST,
        destination: Ipv4Addr::LOCALHOST,
    };
    let tuple = |source, destination, zone| Tuple {
        addresses: localhost,
        protocol: 17,
        key: ProtocolKey::Ports {
            source,
            destination,
        },
        zone,
    };
    Flow {
        original: tuple(4010, 10, Some(8)),
        reply: tuple(10, 4010, None),
        status: 8,
        id: 0x57b3_0eea,
        mark: 0,
        zone: None,
    }
}

#[cfg(target_endian = "little")]
#[test]
fn a_flow_of_the_kernel() {
    assert_eq!(decode(&TOLD.concat()), Ok(told()));
}

#[cfg(target_endian = "little")]
#[test]
fn a_deletion_names_the_flow() {
    let mut buffer = Vec::new();
    message(&mut buffer, DELETE, 5, 9, Family::Ip, |body| {
        encode_key(&told(), body);
    });
    let mut expected = vec![
        // The header, and AF_INET.
        &b"\x58\x00\x00\x00\x02\x01\x05\x00\x09\x00\x00\x00\x00\x00\x00\x00"[..],
        b"\x02\x00\x00\x00",
    ];
    // The tuple as it was told, then CTA_ID.
    expected.extend(&TOLD[..5]);
    expected.push(b"\x08\x00\x0c\x00\x57\xb3\x0e\xea");
    assert_eq!(buffer, expected.concat());
    // In a zone of both directions, that too.
    let flow = Flow {
        zone: Some(7),
        ..told()
    };
    let mut body = Vec::new();
    encode_key(&flow, &mut body);
    assert!(
        body.windows(6)
            .any(|bytes| bytes == b"\x06\x00\x12\x00\x00\x07")
    );
}

#[test]
fn requests_of_icmp_have_numbers_of_their_family() {
    let addresses = [
        Addresses::V4 {
            source: Ipv4Addr::LOCALHOST,
            destination: Ipv4Addr::LOCALHOST,
        },
        Addresses::V6 {
            source: Ipv6Addr::LOCALHOST,
            destination: Ipv6Addr::LOCALHOST,
        },
    ];
    for (addresses, expected) in addresses.into_iter().zip([[1, 4, 5, 6], [1, 7, 8, 9]]) {
        let tuple = Tuple {
            addresses,
            protocol: 1,
            key: ProtocolKey::Request {
                id: 7,
                kind: 8,
                code: 0,
            },
            zone: None,
        };
        let mut body = Vec::new();
        encode_tuple(&tuple, &mut body);
        let protocol = Attributes::of("test", &body).nth(1).unwrap().unwrap();
        let numbers: Vec<u16> = protocol
            .nested("test")
            .map(|attribute| attribute.unwrap().number())
            .collect();
        assert_eq!(numbers, expected);
    }
}

#[test]
fn a_flow_without_ends_is_none() {
    let mut body = Vec::new();
    attribute::nest(&mut body, ORIGINAL, |body| {
        attribute::nest(body, TUPLE_ADDRESSES, |body| {
            attribute::bytes(body, V4_SOURCE, &[10, 0, 0, 1]);
            attribute::bytes(body, V6_DESTINATION, &[0; 16]);
        });
    });
    let missing = Malformed::Missing {
        object: "flow's addresses",
        attribute: V4_SOURCE,
    };
    assert_eq!(decode(&body), Err(missing));
}

#[test]
fn the_count_of_flows() {
    let mut body = Vec::new();
    attribute::u32(&mut body, 2, 262_144); // CTA_STATS_GLOBAL_MAX_ENTRIES
    assert!(decode_count(&body).is_err());
    attribute::u32(&mut body, ENTRIES, 12);
    assert_eq!(decode_count(&body), Ok(12));
}

#[test]
fn a_dump_leaves_out_what_is_not_wanted() {
    let mut buffer = Vec::new();
    message(&mut buffer, GET, 0x301, 0, Family::Ip6, |body| {
        encode_without(Flow::SOURCE_NAT, body);
    });
    let read = messages(&buffer).next().unwrap().unwrap();
    let (family, body) = nfnetlink::split(&read).unwrap();
    assert_eq!((read.header.kind, family), (0x0101, Family::Ip6));
    let attributes = Attributes::of("test", body).map(|attribute| {
        let attribute = attribute.unwrap();
        (attribute.number(), attribute.u32().unwrap())
    });
    assert_eq!(attributes.collect::<Vec<_>>(), [(3, 0), (26, 16)]);
}
