//! What records say of rules and elements: nft syntax, from which a build that knows no layout of
//! that name can still tell what to take away.

use std::fmt::Write;
use std::net::IpAddr;
use std::ops::Deref;

use palisade_core::backend::Installed;
use palisade_core::network::Family;

use crate::layout::{Item, SetId};
use crate::object::Rule;
use crate::statement::concatenation;

/// Most keys in words are no longer, and need memory once.
const TEXT: usize = 48;

/// A rule or element of a network, and what its record says of it.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) item: Item,
    pub(super) installed: Installed,
}

impl Wanted {
    pub(super) fn new(family: Family, table: &str, item: Item) -> Self {
        let (place, text) = match &item {
            Item::Rule(rule) => (rule.chain.clone(), rule_text(rule)),
            Item::Element { set, element } => {
                let key = concatenation(set.key_type(family), &element.key);
                let mut text = String::with_capacity(TEXT);
                // Writing into memory does not fail.
                let _ = write!(text, "{key}");
                (set.name(), text)
            }
        };
        let installed = Installed {
            family,
            table: table.to_owned(),
            place,
            item: text,
            handle: None,
        };
        Self { item, installed }
    }
}

/// The set that a record names as an element's place; none if the place is a chain.
pub(super) fn set_of(place: &str) -> Option<SetId> {
    SetId::from_name(place)
}

/// A rule without what its counter says: what it means, and its comment.
pub(super) fn rule_text(rule: &Rule) -> String {
    format!("{rule:#}")
}

/// Whether both are the same thing, whatever number the kernel gave it.
pub(super) fn is_same(a: &Installed, b: &Installed) -> bool {
    (a.family, &a.table, &a.place, &a.item) == (b.family, &b.table, &b.place, &b.item)
}

/// The bytes of a key in nft syntax: names in quotes and addresses, with dots between them.
pub(super) fn key(text: &str) -> Option<Vec<u8>> {
    Key::read(text).map(|key| key.to_vec())
}

/// The same, without memory of its own, for who reads a great many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// Zeros beyond its length.
    bytes: [u8; Self::LONGEST],
    len: usize,
}

impl Key {
    /// The keys of our sets have three parts, of 16 bytes each, and no more.
    const LONGEST: usize = 48;

    pub(super) fn read(text: &str) -> Option<Self> {
        let mut key = Self {
            bytes: [0; Self::LONGEST],
            len: 0,
        };
        for part in text.split(" . ") {
            match part
                .strip_prefix('"')
                .and_then(|part| part.strip_suffix('"'))
            {
                Some(name) => key.push(name.as_bytes(), name.len().max(INTERFACE_NAME))?,
                None => match part.parse().ok()? {
                    IpAddr::V4(address) => key.push(&address.octets(), 4)?,
                    IpAddr::V6(address) => key.push(&address.octets(), 16)?,
                },
            }
        }
        Some(key)
    }

    /// Appends a part, and zeros up to its length.
    fn push(&mut self, part: &[u8], len: usize) -> Option<()> {
        let place = self.bytes.get_mut(self.len..self.len + len)?;
        place.get_mut(..part.len())?.copy_from_slice(part);
        self.len += len;
        Some(())
    }
}

impl Deref for Key {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// The length of an interface's name in a key.
const INTERFACE_NAME: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::DataType;

    #[test]
    fn keys_are_read_as_they_are_written() {
        use DataType as T;
        for (parts, text) in [
            (&[T::IFNAME][..], "\"virbr0\""),
            (&[T::IFNAME, T::IPV4_ADDR], "\"virbr0\" . 10.0.0.0"),
            (
                &[T::IFNAME, T::IFNAME, T::IPV6_ADDR],
                "\"br-0123456789ab\" . \"eth0.7\" . fd00:122::",
            ),
            (&[T::IPV4_ADDR, T::IPV4_ADDR], "10.0.0.0 . 10.0.0.0"),
        ] {
            let kind = T::concatenation(parts);
            let bytes = key(text).unwrap();
            assert_eq!(concatenation(kind, &bytes).to_string(), text);
        }
        assert_eq!(key("0x0a00"), None);
        let four = "fd00:: . fd00:: . fd00:: . fd00::";
        assert_eq!(
            (key(&four[..24]).map(|k| k.len()), key(four)),
            (Some(48), None)
        );
    }
}
