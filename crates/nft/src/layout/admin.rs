//! The administrator's place in palisade's tables: chains that every table has, whatever its layout.

use palisade_core::network::Family;
use palisade_core::rules::AdminChain;

use super::names::TableName;
use super::table_ref::TableRef;
use crate::object::Chain;

/// The beginning of the names of all that is the administrator's.
const PREFIX: &str = "admin_";

/// Whether an object of this name in a table of palisade's is the administrator's.
#[must_use]
pub(crate) fn is_administrators(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// Whether palisade creates a chain of this name for the administrator.
#[must_use]
pub fn is_admin_chain(name: &str) -> bool {
    AdminChain::ALL
        .into_iter()
        .any(|chain| self::name(chain) == name)
}

/// The chains that palisade creates for the administrator, and leaves alone from then on.
#[must_use]
pub(crate) fn admin_chains(table: &TableName, family: Family) -> [Chain; 3] {
    let table = TableRef { table, family };
    AdminChain::ALL.map(|chain| {
        let comment = match chain {
            AdminChain::FromGuest => "the administrator's rules: what guests send",
            AdminChain::ToGuest => "the administrator's rules: what guests get",
            AdminChain::Input => "the administrator's rules: what guests send to the host",
        };
        table.chain(name(chain), None, comment)
    })
}

/// The name of a chain for the administrator's rules.
pub(super) fn name(chain: AdminChain) -> &'static str {
    match chain {
        AdminChain::FromGuest => "admin_from_guest",
        AdminChain::ToGuest => "admin_to_guest",
        AdminChain::Input => "admin_input",
    }
}

/// The chain of this name.
pub(super) fn chain_named(name: &str) -> Option<AdminChain> {
    AdminChain::ALL
        .into_iter()
        .find(|chain| self::name(*chain) == name)
}
