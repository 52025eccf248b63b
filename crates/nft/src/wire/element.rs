//! Elements of sets (`enum nft_set_elem_attributes`, `enum nft_set_elem_list_attributes`).

use std::iter::Peekable;

use palisade_netlink::Malformed;

use super::attribute::{self, Attributes, Raw};
use super::{data, expression};
use crate::object::{Element, ElementRef, Elements, Family, Userdata, Value};

/// `NFTA_SET_ELEM_LIST_TABLE`.
const TABLE: u16 = 1;
/// `NFTA_SET_ELEM_LIST_SET`.
const SET: u16 = 2;
/// `NFTA_SET_ELEM_LIST_ELEMENTS`.
const ELEMENTS: u16 = 3;
/// `NFTA_SET_ELEM_LIST_SET_ID`.
const SET_ID: u16 = 4;

/// `NFTA_SET_ELEM_KEY`.
const KEY: u16 = 1;
/// `NFTA_SET_ELEM_DATA`.
const DATA: u16 = 2;
/// `NFTA_SET_ELEM_FLAGS`.
const FLAGS: u16 = 3;
/// `NFTA_SET_ELEM_USERDATA`.
const USERDATA: u16 = 6;
/// `NFTA_SET_ELEM_EXPR`.
const EXPRESSION: u16 = 7;
/// `NFTA_SET_ELEM_PAD`.
const PAD: u16 = 8;
/// `NFTA_SET_ELEM_KEY_END`.
const KEY_END: u16 = 10;
/// `NFTA_SET_ELEM_EXPRESSIONS`.
const EXPRESSIONS: u16 = 11;

/// Writes the body of a `NEW_ELEMENT` with as many elements as one list holds, takes them from
/// the iterator, and tells how many they were: 0 only if there were none. What is left needs
/// another message.
pub fn encode<'a>(
    table: &str,
    set: &str,
    elements: &mut Peekable<impl Iterator<Item = &'a Element>>,
    buffer: &mut Vec<u8>,
) -> usize {
    encode_list(table, set, elements, buffer, encode_element)
}

/// Writes the body of a `DEL_ELEMENT` or a `GET_ELEMENT`, as [`encode`] does: of each element
/// only what tells it from others.
pub(crate) fn encode_keys<'a>(
    table: &str,
    set: &str,
    elements: &mut Peekable<impl Iterator<Item = &'a Element>>,
    buffer: &mut Vec<u8>,
) -> usize {
    encode_list(table, set, elements, buffer, encode_key)
}

/// Writes the body of a `GET_ELEMENT` for all elements of a set.
pub(crate) fn encode_set(table: &str, set: &str, buffer: &mut Vec<u8>) {
    attribute::text(buffer, TABLE, table);
    attribute::text(buffer, SET, set);
}

fn encode_list<'a>(
    table: &str,
    set: &str,
    elements: &mut Peekable<impl Iterator<Item = &'a Element>>,
    buffer: &mut Vec<u8>,
    encode: impl Fn(&Element, &mut Vec<u8>),
) -> usize {
    encode_set(table, set, buffer);
    let mut taken = 0;
    attribute::nest(buffer, ELEMENTS, |buffer| {
        let first = buffer.len();
        while let Some(element) = elements.peek() {
            let start = buffer.len();
            attribute::item(buffer, |buffer| encode(element, buffer));
            // One that is too long for a list of its own is written, and spoils the message.
            if taken > 0 && buffer.len() - first > attribute::MAX_CONTENT {
                buffer.truncate(start);
                break;
            }
            elements.next();
            taken += 1;
        }
    });
    taken
}

fn encode_element(element: &Element, buffer: &mut Vec<u8>) {
    encode_key(element, buffer);
    match &element.value {
        Some(Value::Bytes(bytes)) => data::encode_bytes(buffer, DATA, bytes),
        Some(Value::Verdict(verdict)) => data::encode_verdict(buffer, DATA, verdict),
        None => {}
    }
    expression::encode_one_or_list(buffer, (EXPRESSION, EXPRESSIONS), &element.expressions);
    attribute::userdata(buffer, USERDATA, &element.userdata);
    attribute::extra(buffer, &element.extra);
}

fn encode_key(element: &Element, buffer: &mut Vec<u8>) {
    if !element.key.is_empty() {
        data::encode_bytes(buffer, KEY, &element.key);
    }
    if !element.key_end.is_empty() {
        data::encode_bytes(buffer, KEY_END, &element.key_end);
    }
    if element.flags != 0 {
        attribute::u32(buffer, FLAGS, element.flags);
    }
}

/// Reads a body that describes elements of a set.
///
/// # Errors
///
/// If its bytes are broken, or it names no table or no set.
pub fn decode(family: Family, body: &[u8]) -> Result<Elements, Malformed> {
    let (mut table, mut set, mut set_id) = (None, None, None);
    for attribute in Attributes::of(LIST, body) {
        let attribute = attribute?;
        match attribute.number() {
            TABLE => table = Some(attribute.text()),
            SET => set = Some(attribute.text()),
            SET_ID => set_id = Some(attribute.u32()?),
            // The list itself has nothing that could be lost.
            _ => {}
        }
    }
    let missing = |attribute| Malformed::Missing {
        object: LIST,
        attribute,
    };
    Ok(Elements {
        family,
        table: table.ok_or(missing(TABLE))?,
        set: set.ok_or(missing(SET))?,
        set_id,
        elements: each(body)
            .map(|listed| listed?.decode())
            .collect::<Result<_, _>>()?,
    })
}

/// The elements of a body that describes elements of a set, where they stand; an error ends them.
pub fn each<'a>(body: &'a [u8]) -> impl Iterator<Item = Result<Listed<'a>, Malformed>> {
    let is_list = |attribute: &Result<Raw<'_>, Malformed>| !matches!(attribute, Ok(attribute) if attribute.number() != ELEMENTS);
    let lists = Attributes::of(LIST, body).filter(is_list);
    lists.flat_map(|list| {
        let (items, broken) = match list {
            Ok(list) => (list.nested(LIST), None),
            Err(error) => (Attributes::of(LIST, &[]), Some(Err(error))),
        };
        let read = |item: Result<Raw<'a>, Malformed>| Listed::read(attribute::as_item(item?)?);
        items.map(read).chain(broken)
    })
}

/// What holds elements, for errors.
const LIST: &str = "list of elements";

/// An element where it stands in a body: nothing of it is copied before somebody asks for it.
#[derive(Debug, Clone, Copy)]
pub struct Listed<'a> {
    /// What tells elements apart, and whose they are.
    pub seen: ElementRef<'a>,
    item: Raw<'a>,
}

impl<'a> Listed<'a> {
    fn read(item: Raw<'a>) -> Result<Self, Malformed> {
        let mut seen = ElementRef::default();
        for attribute in item.nested("element") {
            let attribute = attribute?;
            match attribute.number() {
                KEY => seen.key = data::bytes_in(attribute.bytes).unwrap_or_default(),
                KEY_END => seen.key_end = data::bytes_in(attribute.bytes).unwrap_or_default(),
                DATA => seen.value = Some(data::bytes_in(attribute.bytes).unwrap_or_default()),
                FLAGS => seen.flags = attribute.u32()?,
                USERDATA => seen.userdata = attribute.bytes,
                _ => {}
            }
        }
        Ok(Self { seen, item })
    }

    /// All of it.
    ///
    /// # Errors
    /// If its expressions are broken.
    pub fn decode(self) -> Result<Element, Malformed> {
        decode_element(self.item)
    }
}

fn decode_element(item: Raw<'_>) -> Result<Element, Malformed> {
    let mut element = Element {
        key: Vec::new(),
        key_end: Vec::new(),
        value: None,
        flags: 0,
        expressions: Vec::new(),
        userdata: Userdata::default(),
        extra: Vec::new(),
    };
    for attribute in item.nested("element") {
        let attribute = attribute?;
        // What our types do not hold is kept as it is.
        let understood = match attribute.number() {
            KEY => data::decode_bytes(attribute.bytes).map(|key| element.key = key),
            KEY_END => data::decode_bytes(attribute.bytes).map(|key| element.key_end = key),
            DATA => data::decode(attribute.bytes).map(|value| element.value = Some(value)),
            FLAGS => {
                element.flags = attribute.u32()?;
                Some(())
            }
            EXPRESSION => {
                element.expressions = vec![expression::decode(attribute)?];
                Some(())
            }
            EXPRESSIONS => {
                element.expressions = expression::decode_list(attribute)?;
                Some(())
            }
            USERDATA => {
                element.userdata = Userdata(attribute.bytes.to_vec());
                Some(())
            }
            PAD => Some(()),
            _ => None,
        };
        if understood.is_none() {
            element.extra.push(attribute.kept());
        }
    }
    Ok(element)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::{Kind, message, messages, strategies};
    use super::*;

    /// As messages, as many as it takes: how many elements each took, and their bytes.
    fn split(
        elements: &[Element],
        encode: impl Fn(&mut Peekable<std::slice::Iter<'_, Element>>, &mut Vec<u8>) -> usize,
    ) -> (Vec<usize>, Vec<u8>) {
        let (mut taken, mut buffer) = (Vec::new(), Vec::new());
        let mut left = elements.iter().peekable();
        while left.peek().is_some() {
            message(&mut buffer, Kind::NEW_ELEMENT, 0, 0, Family::Ip, |buffer| {
                taken.push(encode(&mut left, buffer));
            });
            assert_ne!(taken.last(), Some(&0));
        }
        (taken, buffer)
    }

    fn read(bytes: &[u8]) -> Vec<Elements> {
        messages(bytes)
            .map(|message| {
                let message = message.unwrap();
                assert_eq!(message.kind, Some(Kind::NEW_ELEMENT));
                decode(message.family, message.body).unwrap()
            })
            .collect()
    }

    fn numbered(number: u32, comment: usize) -> Element {
        Element {
            key: number.to_be_bytes().to_vec(),
            key_end: Vec::new(),
            value: None,
            flags: 0,
            expressions: Vec::new(),
            userdata: Userdata(vec![1; comment]),
            extra: Vec::new(),
        }
    }

    proptest! {
        #[test]
        fn come_back(
            table in strategies::name(),
            set in strategies::name(),
            elements in vec(strategies::element(), 0..8),
        ) {
            let mut buffer = Vec::new();
            let taken = encode(&table, &set, &mut elements.iter().peekable(), &mut buffer);
            prop_assert_eq!(taken, elements.len());
            let expected = Elements {
                family: Family::Ip6,
                table,
                set,
                set_id: None,
                elements,
            };
            prop_assert_eq!(decode(Family::Ip6, &buffer), Ok(expected));
        }

        #[test]
        fn lists_are_split_at_their_limit(sizes in vec(0..3000_usize, 1..200)) {
            let elements: Vec<Element> = sizes
                .iter()
                .zip(0..)
                .map(|(&size, number)| numbered(number, size))
                .collect();
            let (taken, buffer) = split(&elements, |e, b| encode("t", "s", e, b));
            let lists = read(&buffer);
            prop_assert_eq!(lists.iter().map(|l| l.elements.len()).collect::<Vec<_>>(), taken);
            let back: Vec<Element> = lists.into_iter().flat_map(|l| l.elements).collect();
            prop_assert_eq!(back, elements);
        }
    }

    #[test]
    fn lists_are_filled() {
        // 4 for the item, 4 + 8 for the key, 4 + 45 (48) for the rest: 64 bytes.
        let elements: Vec<Element> = (0..3000).map(|number| numbered(number, 42)).collect();
        let (taken, _) = split(&elements, |e, b| encode("t", "s", e, b));
        assert_eq!(taken, [1023, 1023, 954]);
    }

    #[test]
    fn one_too_long_for_any_list_is_refused_whole() {
        for len in [65_500, 70_000] {
            let elements = [numbered(1, 4), numbered(2, len), numbered(3, 4)];
            let (taken, buffer) = split(&elements, |e, b| encode("t", "s", e, b));
            assert_eq!(taken, [1, 1, 1]);
            let kinds: Vec<Option<Kind>> = messages(&buffer).map(|m| m.unwrap().kind).collect();
            let refused = (len == 70_000).then_some(Kind(0xff));
            assert_eq!(kinds[1], refused.or(Some(Kind::NEW_ELEMENT)), "{len}");
        }
    }

    #[test]
    fn a_key_is_all_that_tells_elements_apart() {
        let mut element = numbered(7, 9);
        element.key_end = vec![9; 4];
        element.flags = 1;
        element.value = Some(Value::Bytes(vec![1]));
        let elements = [element.clone(), numbered(8, 0)];
        let (_, buffer) = split(&elements, |e, b| encode_keys("t", "s", e, b));
        element.userdata = Userdata::default();
        element.value = None;
        assert_eq!(read(&buffer)[0].elements, [element, numbered(8, 0)]);
    }

    #[test]
    fn what_our_types_do_not_hold_is_kept() {
        let mut buffer = Vec::new();
        encode_set("t", "s", &mut buffer);
        attribute::u32(&mut buffer, SET_ID, 5);
        attribute::nest(&mut buffer, ELEMENTS, |buffer| {
            attribute::item(buffer, |buffer| {
                data::encode_bytes(buffer, KEY, &[1]);
                attribute::nest(buffer, DATA, |buffer| attribute::u32(buffer, 9, 9));
                attribute::bytes(buffer, PAD, &[]);
                attribute::u64(buffer, 4, 60_000); // NFTA_SET_ELEM_TIMEOUT
            });
        });
        let read = decode(Family::Ip, &buffer).unwrap();
        assert_eq!(read.set_id, Some(5));
        let element = &read.elements[0];
        assert_eq!(
            (element.key.as_slice(), &element.value),
            (&[1_u8][..], &None)
        );
        let kinds: Vec<u16> = element.extra.iter().map(|a| a.kind & 0xff).collect();
        assert_eq!(kinds, [DATA, 4]);
    }
}
