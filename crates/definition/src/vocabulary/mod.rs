//! The words of definitions: elements and attributes of libvirt's network XML, palisade's own
//! elements in its metadata, and the fields of TOML and JSON. Readers take known words from these
//! tables, and so does the search for words at the wrong place.

mod fields;
mod libvirt;
mod own;
mod place;

pub use fields::TableKind;
pub(crate) use fields::{LIST, field_in_xml};
pub(crate) use libvirt::{Content, Element, NETWORK};
pub(crate) use own::{NAMESPACE, OWN, OWN_PREFIX};
pub use place::Place;
pub(crate) use place::places;
