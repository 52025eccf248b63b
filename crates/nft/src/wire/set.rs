//! Sets and maps (`enum nft_set_attributes`).

use palisade_netlink::Malformed;

use super::attribute::{self, Attributes, Raw};
use super::expression;
use super::known::{Known, read_u32};
use crate::object::{DataType, Family, Register, Set, SetData, Userdata};

/// `NFTA_SET_TABLE`.
const TABLE: u16 = 1;
/// `NFTA_SET_NAME`.
const NAME: u16 = 2;
/// `NFTA_SET_FLAGS`.
const FLAGS: u16 = 3;
/// `NFTA_SET_KEY_TYPE`.
const KEY_TYPE: u16 = 4;
/// `NFTA_SET_KEY_LEN`.
const KEY_LEN: u16 = 5;
/// `NFTA_SET_DATA_TYPE`.
const DATA_TYPE: u16 = 6;
/// `NFTA_SET_DATA_LEN`.
const DATA_LEN: u16 = 7;
/// `NFTA_SET_DESC`.
const DESCRIPTION: u16 = 9;
/// `NFTA_SET_ID`.
const ID: u16 = 10;
/// `NFTA_SET_USERDATA`.
const USERDATA: u16 = 13;
/// `NFTA_SET_PAD`.
const PAD: u16 = 14;
/// `NFTA_SET_HANDLE`.
const HANDLE: u16 = 16;
/// `NFTA_SET_EXPR`.
const EXPRESSION: u16 = 17;
/// `NFTA_SET_EXPRESSIONS`.
const EXPRESSIONS: u16 = 18;
/// `NFTA_SET_TYPE`: the kernel's name for the structure that it chose.
const BACKEND: u16 = 19;
/// `NFTA_SET_COUNT`: how many elements there are.
const COUNT: u16 = 20;

/// `NFTA_SET_DESC_CONCAT`, the one thing in a description that we say.
const CONCATENATION: u16 = 2;
/// `NFTA_SET_FIELD_LEN`.
const FIELD_LEN: u16 = 1;

/// `NFT_SET_INTERVAL`.
const FLAG_INTERVAL: u32 = 4;

/// Writes the body of a `NEW_SET`. Several expressions need flag 0x100 (`NFT_SET_EXPR`).
pub(crate) fn encode(set: &Set, buffer: &mut Vec<u8>) {
    encode_key(&set.table, &set.name, buffer);
    if let Some(handle) = set.handle {
        attribute::u64(buffer, HANDLE, handle);
    }
    if set.flags != 0 {
        attribute::u32(buffer, FLAGS, set.flags);
    }
    attribute::u32(buffer, KEY_TYPE, set.key_type.0);
    attribute::u32(buffer, KEY_LEN, set.key_len);
    if let Some(data) = set.data {
        attribute::u32(buffer, DATA_TYPE, data.data_type.0);
        if data.data_type != DataType::VERDICT {
            attribute::u32(buffer, DATA_LEN, data.len);
        }
    }
    let described = attribute::holds(&set.extra, DESCRIPTION);
    if set.flags & FLAG_INTERVAL != 0 && !described {
        encode_fields(set.key_type, buffer);
    }
    // The kernel makes no set without a number, and looks for the name first.
    attribute::u32(buffer, ID, set.id.unwrap_or(0));
    attribute::userdata(buffer, USERDATA, &set.userdata);
    expression::encode_one_or_list(buffer, (EXPRESSION, EXPRESSIONS), &set.expressions);
    attribute::extra(buffer, &set.extra);
}

/// Where each part of a key ends: intervals of concatenations cannot do without. Hash sets take
/// the key whole.
fn encode_fields(key: DataType, buffer: &mut Vec<u8>) {
    let Some(sizes) = field_sizes(key) else {
        return;
    };
    attribute::nest(buffer, DESCRIPTION, |buffer| {
        attribute::nest(buffer, CONCATENATION, |buffer| {
            for size in sizes {
                attribute::item(buffer, |buffer| {
                    attribute::u32(buffer, FIELD_LEN, size);
                });
            }
        });
    });
}

/// The sizes of a concatenation's parts, if they are known.
fn field_sizes(key: DataType) -> Option<Vec<u32>> {
    let parts: Vec<DataType> = key.parts().collect();
    let sizes = parts.iter().map(|part| part.size());
    sizes
        .collect::<Option<Vec<u32>>>()
        .filter(|sizes| sizes.len() > 1)
}

/// The sizes of the parts of a set's key, as it was described or as its type has it.
pub(crate) fn part_sizes(set: &Set) -> Option<Vec<u32>> {
    let told = set
        .extra
        .iter()
        .find(|extra| extra.kind & attribute::NUMBER == DESCRIPTION);
    let described = told.and_then(|told| {
        let fields = Known::<3>::of(&told.bytes)?.required(CONCATENATION, decode_fields);
        // The kernel takes no key that the registers do not hold.
        let fits = |fields: &[u32]| {
            let mut sizes = fields.iter().map(|&size| size as usize);
            sizes.all(|size| Register::FIRST.fits(size))
        };
        fields.filter(|fields| !fields.is_empty() && fits(fields))
    });
    described.or_else(|| field_sizes(set.key_type))
}

/// Writes the body of a `GET_SET` or a `DEL_SET`.
pub(crate) fn encode_key(table: &str, name: &str, buffer: &mut Vec<u8>) {
    attribute::text(buffer, TABLE, table);
    attribute::text(buffer, NAME, name);
}

/// Reads a body that describes a set.
///
/// # Errors
///
/// If its bytes are broken, or it has no table or no name.
pub fn decode(family: Family, body: &[u8]) -> Result<Set, Malformed> {
    let (mut table, mut name) = (None, None);
    let (mut data_type, mut data_len, mut description) = (None, None, None);
    let mut set = Set {
        family,
        table: String::new(),
        name: String::new(),
        id: None,
        flags: 0,
        key_type: DataType::default(),
        key_len: 0,
        data: None,
        expressions: Vec::new(),
        userdata: Userdata::default(),
        handle: None,
        extra: Vec::new(),
    };
    for attribute in Attributes::of("set", body) {
        let attribute = attribute?;
        match attribute.number() {
            TABLE => table = Some(attribute.text()),
            NAME => name = Some(attribute.text()),
            FLAGS => set.flags = attribute.u32()?,
            KEY_TYPE => set.key_type = DataType(attribute.u32()?),
            KEY_LEN => set.key_len = attribute.u32()?,
            DATA_TYPE => data_type = Some(DataType(attribute.u32()?)),
            DATA_LEN => data_len = Some(attribute),
            DESCRIPTION => description = Some(attribute),
            ID => set.id = Some(attribute.u32()?).filter(|&id| id != 0),
            USERDATA => set.userdata = Userdata(attribute.bytes.to_vec()),
            HANDLE => set.handle = Some(attribute.u64()?),
            EXPRESSION => set.expressions = vec![expression::decode(attribute)?],
            EXPRESSIONS => set.expressions = expression::decode_list(attribute)?,
            // What the kernel chose, and how full it is: no part of what the set is.
            BACKEND | COUNT | PAD => {}
            _ => set.extra.push(attribute.kept()),
        }
    }
    match (data_type, data_len) {
        // The size of the kernel's own structure for verdicts.
        (Some(DataType::VERDICT), _) => set.data = Some(verdicts()),
        (Some(data_type), Some(len)) => {
            let len = len.u32()?;
            set.data = Some(SetData { data_type, len });
        }
        (Some(data_type), None) => set.data = Some(SetData { data_type, len: 0 }),
        (None, len) => set.extra.extend(len.map(Raw::kept)),
    }
    // What follows from the key is not said again.
    let news = description.filter(|&description| !follows(set.key_type, description));
    set.extra.extend(news.map(Raw::kept));
    let missing = |attribute| Malformed::Missing {
        object: "set",
        attribute,
    };
    set.table = table.ok_or(missing(TABLE))?;
    set.name = name.ok_or(missing(NAME))?;
    Ok(set)
}

fn verdicts() -> SetData {
    SetData {
        data_type: DataType::VERDICT,
        len: 0,
    }
}

/// Whether a description says nothing, or only where the parts of the key end.
fn follows(key: DataType, description: Raw<'_>) -> bool {
    if description.bytes.is_empty() {
        return true;
    }
    let Some(told) = Known::<3>::of(description.bytes) else {
        return false;
    };
    let fields = told.required(CONCATENATION, decode_fields);
    told.lacks(1) && fields.is_some() && fields == field_sizes(key)
}

fn decode_fields(bytes: &[u8]) -> Option<Vec<u32>> {
    let field = |field: Result<Raw<'_>, Malformed>| {
        let field = field.and_then(attribute::as_item).ok()?;
        Known::<2>::of(field.bytes)?.required(FIELD_LEN, read_u32)
    };
    Attributes::of("set", bytes).map(field).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::strategies;
    use super::*;

    proptest! {
        #[test]
        fn comes_back(set in strategies::set()) {
            let mut buffer = Vec::new();
            encode(&set, &mut buffer);
            prop_assert_eq!(decode(set.family, &buffer), Ok(set));
        }
    }

    fn set(parts: &[DataType], flags: u32) -> Set {
        let mut buffer = Vec::new();
        encode_key("t", "s", &mut buffer);
        Set {
            key_type: DataType::concatenation(parts),
            key_len: 20,
            flags,
            ..decode(Family::Ip, &buffer).unwrap()
        }
    }

    fn encoded(set: &Set) -> Vec<u8> {
        let mut buffer = Vec::new();
        encode(set, &mut buffer);
        buffer
    }

    fn has_description(body: &[u8]) -> bool {
        Attributes::of("set", body).any(|a| a.unwrap().number() == DESCRIPTION)
    }

    const PARTS: [DataType; 2] = [DataType::IFNAME, DataType::IPV4_ADDR];

    #[test]
    fn only_intervals_of_concatenations_say_where_their_parts_end() {
        assert!(has_description(&encoded(&set(&PARTS, FLAG_INTERVAL))));
        assert!(!has_description(&encoded(&set(&PARTS, 0))));
        assert!(!has_description(&encoded(&set(&PARTS[..1], FLAG_INTERVAL))));
    }

    #[test]
    fn what_a_dump_adds_is_left_out() {
        let plain = set(&PARTS, 0);
        let mut buffer = encoded(&plain);
        encode_fields(plain.key_type, &mut buffer);
        attribute::text(&mut buffer, BACKEND, "rhash");
        attribute::u32(&mut buffer, COUNT, 5);
        attribute::bytes(&mut buffer, PAD, &[]);
        assert_eq!(decode(Family::Ip, &buffer), Ok(plain.clone()));
        let mut buffer = encoded(&plain);
        attribute::nest(&mut buffer, DESCRIPTION, |_| {});
        assert_eq!(decode(Family::Ip, &buffer), Ok(plain));
    }

    #[test]
    fn a_size_or_other_parts_are_kept() {
        let plain = set(&PARTS, FLAG_INTERVAL);
        let mut buffer = encoded(&set(&PARTS, 0));
        attribute::nest(&mut buffer, DESCRIPTION, |buffer| {
            attribute::u32(buffer, 1, 99);
        });
        let mut expected = decode(Family::Ip, &buffer).unwrap();
        assert_eq!(expected.extra.len(), 1);
        // Said once, and not beside what follows from the key.
        expected.flags = plain.flags;
        let again = encoded(&expected);
        assert_eq!(decode(Family::Ip, &again), Ok(expected));
        let descriptions = Attributes::of("set", &again)
            .filter(|a| a.unwrap().number() == DESCRIPTION)
            .count();
        assert_eq!(descriptions, 1);
        let mut buffer = encoded(&plain);
        let mut both = Vec::new();
        encode_fields(plain.key_type, &mut both);
        attribute::nest(&mut buffer, DESCRIPTION, |buffer| {
            buffer.extend_from_slice(&both[4..]);
            attribute::u32(buffer, 1, 99);
        });
        assert_eq!(decode(Family::Ip, &buffer).unwrap().extra.len(), 1);
        let mut buffer = encoded(&set(&PARTS, 0));
        encode_fields(
            DataType::concatenation(&[DataType::IPV4_ADDR; 2]),
            &mut buffer,
        );
        assert_eq!(decode(Family::Ip, &buffer).unwrap().extra.len(), 1);
    }

    #[test]
    fn a_verdict_has_no_length_of_its_own() {
        let mut buffer = encoded(&set(&PARTS, 8));
        attribute::u32(&mut buffer, DATA_TYPE, DataType::VERDICT.0);
        attribute::u32(&mut buffer, DATA_LEN, 16);
        let read = decode(Family::Ip, &buffer).unwrap();
        assert_eq!(read.data, Some(verdicts()));
        assert_eq!(decode(Family::Ip, &encoded(&read)), Ok(read));
    }
}
