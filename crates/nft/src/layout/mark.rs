//! Palisade's tables: the mark that says that a table is one, and the marker of the last change.

use palisade_core::network::Family;

use super::names::TableName;
use crate::object::{DataType, Element, Set, Table, Userdata};
use crate::statement::interface_name;

/// The version of what the layouts below put into a table. It goes up with every change of a
/// name, a rule or a set, so that a later build knows what it meets.
pub(crate) const VERSION: u32 = 4;

/// Our table of a family, with the mark that says whose it is and which version of the layouts
/// it holds. The mark is a comment, so that `nft` shows it, and keeps it when it saves and loads.
#[must_use]
pub fn table(name: &TableName, family: Family) -> Table {
    Table {
        family: family.into(),
        name: name.to_string(),
        flags: 0,
        userdata: Userdata::comment(&format!("{MARK}{VERSION}")),
        handle: None,
        extra: Vec::new(),
    }
}

/// The beginning of the comments of rules that are for no network alone.
pub(super) const SKELETON: &str = "palisade: ";

const MARK: &str = "made by palisade, layout version ";

/// The version of the layouts in a table of ours; none if the table is somebody else's.
#[must_use]
pub fn version(table: &Table) -> Option<u32> {
    table.userdata.text()?.strip_prefix(MARK)?.parse().ok()
}

/// The set in each of our tables that holds the marker of the last batch that changed it: the name
/// of its transaction. Whether a batch landed is seen from it.
#[must_use]
pub(crate) fn transaction_set(table: &TableName, family: Family) -> Set {
    let key_type = DataType::IFNAME; // Fifteen characters that `nft` can show.
    Set {
        family: family.into(),
        table: table.to_string(),
        name: TRANSACTION.to_owned(),
        id: None,
        flags: 0,
        key_type,
        key_len: 16,
        data: None,
        expressions: Vec::new(),
        userdata: Userdata::of_set(Some(true), "the last transaction"),
        handle: None,
        extra: Vec::new(),
    }
}

/// The name of that set.
pub const TRANSACTION: &str = "transaction";

/// The marker of a transaction.
#[must_use]
pub(crate) fn marker(transaction: &str) -> Element {
    Element::of_key(interface_name(transaction))
}

/// Whether a key in that set is the marker of a transaction of ours.
#[must_use]
pub(crate) fn is_marker(key: &[u8]) -> bool {
    let end = key.iter().position(|&byte| byte == 0).unwrap_or(key.len());
    let (name, rest) = key.split_at(end);
    let is_hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    name.len() == 15 && name.iter().all(is_hex) && rest.iter().all(|&byte| byte == 0)
}
