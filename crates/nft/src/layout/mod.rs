//! Where rules live in nf_tables: which tables, chains and sets, and what a network is in them.
//!
//! A layout says two things. Its [`Skeleton`] is what stands once for all networks: chains, sets,
//! and the rules that lead to networks. Its [`Item`]s are what one network adds: rules in `flat`,
//! elements of sets in `mapped`. Both are made from the same [rules](palisade_core::rules), so
//! that they mean the same, and both can stand in one table, since no chain of one has the name of
//! a chain of the other. The chains for the administrator's own rules belong to the table, and to no layout.

mod action;
mod admin;
mod flat;
mod laid_out;
mod log;
mod mapped;
mod mark;
mod names;
mod omission;
mod read;
mod skeleton;
mod table_ref;

pub use admin::is_admin_chain;
pub(crate) use admin::{admin_chains, is_administrators};
pub(crate) use flat::Extras;
pub use laid_out::{Layout, UnknownLayout};
pub use mapped::SetId;
pub use mark::{TRANSACTION, table, version};
pub(crate) use mark::{VERSION, is_marker, marker, transaction_set};
pub use names::{KEYWORDS, OF_IPTABLES, TableName, TableNameError};
pub use omission::omission;
pub use read::key_text;
pub(crate) use read::{
    exemption, is_of_skeleton, key_matches, kind_of_skeleton, read_element, read_rule, tag_of_rule,
    untag,
};
pub use skeleton::{Item, Skeleton};
