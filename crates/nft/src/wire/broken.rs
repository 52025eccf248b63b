//! Any bytes into every decoder: it ends, it does not panic, and what it reads it writes so that
//! it reads the same again.

use palisade_netlink::ack;
use proptest::collection::vec;
use proptest::prelude::*;

use super::strategies::{chain, element, rule, set, table};
use super::*;
use crate::object::{Elements, Family};

fn written(body: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut buffer = Vec::new();
    body(&mut buffer);
    buffer
}

fn elements(read: &Elements) -> Vec<u8> {
    written(|buffer| {
        let mut elements = read.elements.iter().peekable();
        element::encode(&read.table, &read.set, &mut elements, buffer);
        assert_eq!(elements.next(), None);
    })
}

/// Into every decoder; what one of them takes comes out the same.
fn read_body(bytes: &[u8]) {
    let family = Family::Ip;
    if let Ok(read) = table::decode(family, bytes) {
        let again = written(|buffer| table::encode(&read, buffer));
        assert_eq!(table::decode(family, &again), Ok(read));
    }
    if let Ok(read) = chain::decode(family, bytes) {
        let again = written(|buffer| chain::encode(&read, buffer));
        assert_eq!(chain::decode(family, &again), Ok(read));
    }
    if let Ok(read) = rule::decode(family, bytes) {
        let again = written(|buffer| rule::encode(&read, buffer));
        assert_eq!(rule::decode(family, &again), Ok(read));
    }
    if let Ok(read) = set::decode(family, bytes) {
        let again = written(|buffer| set::encode(&read, buffer));
        assert_eq!(set::decode(family, &again), Ok(read));
    }
    if let Ok(mut read) = element::decode(family, bytes) {
        read.set_id = None; // The list says it, no element does.
        assert_eq!(element::decode(family, &elements(&read)), Ok(read));
    }
    let _ = generation::decode(bytes);
}

/// As messages, and what they hold. None is longer than what there is.
fn read_messages(bytes: &[u8]) {
    let mut len = 0;
    for message in palisade_netlink::messages(bytes).flatten() {
        let _ = ack(&message);
    }
    for message in messages(bytes).flatten() {
        len += message.bytes.len();
        read_body(message.body);
    }
    assert!(len <= bytes.len());
}

/// Bodies of every kind.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let list = ("[a-z]{1,8}", "[a-z]{1,8}", vec(element(), 0..4));
    prop_oneof![
        table().prop_map(|table| written(|buffer| table::encode(&table, buffer))),
        chain().prop_map(|chain| written(|buffer| chain::encode(&chain, buffer))),
        rule().prop_map(|rule| written(|buffer| rule::encode(&rule, buffer))),
        set().prop_map(|set| written(|buffer| set::encode(&set, buffer))),
        list.prop_map(|(table, set, elements)| {
            let mut elements = elements.iter().peekable();
            written(|buffer| {
                element::encode(&table, &set, &mut elements, buffer);
            })
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..300)) {
        read_body(&bytes);
        read_messages(&bytes);
    }

    /// Small lengths and numbers, as attributes have them: more of it is read.
    #[test]
    fn nearly_attributes(words in vec((0..40_u16, 0..25_u16), 0..40)) {
        let bytes: Vec<u8> = words
            .iter()
            .flat_map(|(len, kind)| [len.to_ne_bytes(), kind.to_ne_bytes()])
            .flatten()
            .collect();
        read_body(&bytes);
    }

    #[test]
    fn bytes_changed(
        body in bodies(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut body = body;
        for (at, byte) in changes {
            if !body.is_empty() {
                let at = at.index(body.len());
                body[at] = byte;
            }
        }
        read_body(&body);
    }

    #[test]
    fn cut_off(body in bodies(), at in any::<prop::sample::Index>()) {
        read_body(&body[..at.index(body.len() + 1)]);
    }

    #[test]
    fn messages_changed(
        bodies in vec(bodies(), 1..4),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        kind in 0..20_u16,
    ) {
        let mut buffer = Vec::new();
        batch_begin(&mut buffer, 0, Some(1));
        for body in bodies {
            message(&mut buffer, Kind::NEW_RULE, 1, 1, Family::Ip, |buffer| buffer.extend(body));
        }
        // Also as replies, with attributes and without.
        buffer[4..6].copy_from_slice(&kind.to_ne_bytes());
        buffer[7] = byte;
        batch_end(&mut buffer, 0, 2);
        let at = at.index(buffer.len());
        buffer[at] = byte;
        read_messages(&buffer);
    }
}
