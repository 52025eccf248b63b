//! Tables (`enum nft_table_attributes`).

use palisade_netlink::Malformed;

use super::attribute::{self, Attributes};
use crate::object::{Family, Table, Userdata};

/// `NFTA_TABLE_NAME`.
const NAME: u16 = 1;
/// `NFTA_TABLE_FLAGS`.
const FLAGS: u16 = 2;
/// `NFTA_TABLE_USE`.
const USE: u16 = 3;
/// `NFTA_TABLE_HANDLE`.
const HANDLE: u16 = 4;
/// `NFTA_TABLE_PAD`.
const PAD: u16 = 5;
/// `NFTA_TABLE_USERDATA`.
const USERDATA: u16 = 6;

/// Writes the body of a `NEW_TABLE`.
pub(crate) fn encode(table: &Table, buffer: &mut Vec<u8>) {
    encode_name(&table.name, buffer);
    if table.flags != 0 {
        attribute::u32(buffer, FLAGS, table.flags);
    }
    if let Some(handle) = table.handle {
        attribute::u64(buffer, HANDLE, handle);
    }
    attribute::userdata(buffer, USERDATA, &table.userdata);
    attribute::extra(buffer, &table.extra);
}

/// Writes the body of a `GET_TABLE` or a `DEL_TABLE`.
pub(crate) fn encode_name(table: &str, buffer: &mut Vec<u8>) {
    attribute::text(buffer, NAME, table);
}

/// Reads a body that describes a table.
///
/// # Errors
///
/// If its bytes are broken, or it has no name.
pub fn decode(family: Family, body: &[u8]) -> Result<Table, Malformed> {
    let mut name = None;
    let mut table = Table {
        family,
        name: String::new(),
        flags: 0,
        userdata: Userdata::default(),
        handle: None,
        extra: Vec::new(),
    };
    for attribute in Attributes::of("table", body) {
        let attribute = attribute?;
        match attribute.number() {
            NAME => name = Some(attribute.text()),
            FLAGS => table.flags = attribute.u32()?,
            HANDLE => table.handle = Some(attribute.u64()?),
            USERDATA => table.userdata = Userdata(attribute.bytes.to_vec()),
            // How many chains and sets are in it: the chains and sets say it themselves.
            USE | PAD => {}
            _ => table.extra.push(attribute.kept()),
        }
    }
    table.name = name.ok_or(Malformed::Missing {
        object: "table",
        attribute: NAME,
    })?;
    Ok(table)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::strategies;
    use super::*;

    proptest! {
        #[test]
        fn comes_back(table in strategies::table()) {
            let mut buffer = Vec::new();
            encode(&table, &mut buffer);
            prop_assert_eq!(decode(table.family, &buffer), Ok(table));
        }
    }

    #[test]
    fn what_a_dump_adds_is_left_out_and_what_is_new_kept() {
        let mut buffer = Vec::new();
        encode_name("filter", &mut buffer);
        attribute::u32(&mut buffer, USE, 7);
        attribute::bytes(&mut buffer, PAD, &[]);
        attribute::u32(&mut buffer, 7, 4711); // NFTA_TABLE_OWNER
        let table = decode(Family::Ip6, &buffer).unwrap();
        assert_eq!((table.family, table.name.as_str()), (Family::Ip6, "filter"));
        assert_eq!(table.extra.len(), 1);
        assert_eq!(table.extra[0].bytes, 4711_u32.to_be_bytes());
    }

    #[test]
    fn a_name_there_must_be() {
        let missing = Malformed::Missing {
            object: "table",
            attribute: NAME,
        };
        assert_eq!(decode(Family::Ip, &[]), Err(missing));
    }

    #[test]
    fn names_that_are_no_text_hide_nothing() {
        let mut buffer = Vec::new();
        attribute::bytes(&mut buffer, NAME, b"a\xffb\0c");
        assert_eq!(decode(Family::Ip, &buffer).unwrap().name, "a\u{fffd}b");
    }
}
