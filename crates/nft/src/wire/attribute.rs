//! Attributes that nf_tables has beside those of netlink.

use palisade_netlink::Malformed;

use crate::object::{Register, Userdata};

pub(super) use palisade_netlink::attribute::{
    Attributes, MAX_CONTENT, NUMBER, Raw, bytes, extra, holds, nest, text, u8, u16, u32, u64,
};

/// `NFTA_LIST_ELEM`, the only attribute of a list.
const LIST_ITEM: u16 = 1;

/// Appends an item of a list.
pub(super) fn item(buffer: &mut Vec<u8>, content: impl FnOnce(&mut Vec<u8>)) {
    nest(buffer, LIST_ITEM, content);
}

/// The attribute, if it is an item of a list.
pub(super) fn as_item(attribute: Raw<'_>) -> Result<Raw<'_>, Malformed> {
    attribute.only(LIST_ITEM)
}

/// Appends a register.
pub(super) fn register(buffer: &mut Vec<u8>, kind: u16, value: Register) {
    u32(buffer, kind, value.number());
}

/// Appends userdata, if there is any.
pub(super) fn userdata(buffer: &mut Vec<u8>, kind: u16, userdata: &Userdata) {
    if !userdata.is_empty() {
        bytes(buffer, kind, &userdata.0);
    }
}

/// The first three attributes as text, each at its place: of chains, sets, rules and elements the
/// table's name, and their own or their handle.
#[must_use]
pub(crate) fn names(body: &[u8]) -> [String; 3] {
    let mut names: [String; 3] = Default::default();
    for attribute in Attributes::of("object", body).flatten() {
        let place = usize::from(attribute.number()).checked_sub(1);
        if let Some(name) = place.and_then(|place| names.get_mut(place)) {
            *name = attribute.text();
        }
    }
    names
}
