//! Objects that no layout of ours has: stateful objects (`enum nft_object_attributes`) and
//! flowtables (`enum nft_flowtable_attributes`). Only what names them is read.

use std::fmt;

use palisade_netlink::Malformed;

use super::attribute::Attributes;
use super::{Kind, Message};

/// `NFTA_OBJ_TABLE`, and `NFTA_FLOWTABLE_TABLE`.
const TABLE: u16 = 1;
/// `NFTA_OBJ_NAME`, and `NFTA_FLOWTABLE_NAME`.
const NAME: u16 = 2;
/// `NFTA_OBJ_TYPE`.
const TYPE: u16 = 3;

/// An object that no layout has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stranger {
    /// Its table.
    pub(crate) table: String,
    /// Its name.
    pub(crate) name: String,
    /// What it is, in `nft`'s words.
    kind: &'static str,
}

impl fmt::Display for Stranger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.kind, self.name)
    }
}

/// The object that a message is about, if it is about one.
///
/// # Errors
///
/// If its bytes are broken, or it has no name.
pub(crate) fn decode(message: &Message<'_>) -> Result<Option<Stranger>, Malformed> {
    let is_flowtable = match message.kind {
        Some(Kind::NEW_OBJECT) => false,
        Some(Kind::NEW_FLOWTABLE) => true,
        _ => return Ok(None),
    };
    let (mut table, mut name, mut kind) = (None, None, "object");
    for attribute in Attributes::of("object", message.body) {
        let attribute = attribute?;
        match attribute.number() {
            TABLE => table = Some(attribute.text()),
            NAME => name = Some(attribute.text()),
            TYPE if !is_flowtable => kind = word(attribute.u32()?),
            _ => {}
        }
    }
    let missing = |attribute| Malformed::Missing {
        object: "object",
        attribute,
    };
    let kind = if is_flowtable { "flowtable" } else { kind };
    Ok(Some(Stranger {
        table: table.ok_or(missing(TABLE))?,
        name: name.ok_or(missing(NAME))?,
        kind,
    }))
}

/// `NFT_OBJECT_*`, as `nft` calls them.
fn word(number: u32) -> &'static str {
    match number {
        1 => "counter",
        2 => "quota",
        3 => "ct helper",
        4 => "limit",
        5 => "ct count",
        6 => "tunnel",
        7 => "ct timeout",
        8 => "secmark",
        9 => "ct expectation",
        10 => "synproxy",
        _ => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::super::{attribute, message, messages};
    use super::*;
    use crate::object::Family;

    /// What is told of an object of this kind, in bytes as the kernel gives them.
    fn told(kind: Kind, number: u32) -> Option<(String, String)> {
        let mut bytes = Vec::new();
        message(&mut bytes, kind, 0, 0, Family::Ip, |body| {
            attribute::text(body, TABLE, "palisade");
            attribute::text(body, NAME, "evilc");
            attribute::u32(body, TYPE, number);
        });
        let message = messages(&bytes).next().unwrap().unwrap();
        let found = decode(&message).unwrap();
        found.map(|stranger| (stranger.table.clone(), stranger.to_string()))
    }

    #[test]
    fn objects_are_named_by_kind() {
        let of = |text: &str| Some(("palisade".to_owned(), text.to_owned()));
        assert_eq!(told(Kind::NEW_OBJECT, 1), of("counter `evilc`"));
        assert_eq!(told(Kind::NEW_OBJECT, 99), of("object `evilc`"));
        assert_eq!(told(Kind::NEW_FLOWTABLE, 1), of("flowtable `evilc`"));
        assert_eq!(told(Kind::NEW_SET, 1), None);
    }
}
