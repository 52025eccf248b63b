//! `mapped`: rules stand for kinds of networks, elements of sets for networks.
//!
//! A packet that is forwarded is looked up by the bridge it comes from and the first bits of its
//! source, then by the bridge it goes to and the first bits of its destination: both must agree.
//! There is a [kind of set](SetKind) for each place where packets are looked up, and the table of
//! these kinds (`set_kind.rs`) says all that is particular about one. Which [sets](SetId) there are
//! depends on the networks: one for each length of prefix in use, and one for each translation. A
//! network is a few elements of these sets.

mod clamp;
mod element;
mod log;
mod nat;
mod redirection;
mod set_id;
mod set_kind;
mod skeleton;
mod sources;

pub(super) use element::{exemption, items, matches, read};
pub use set_id::SetId;
pub(super) use skeleton::{has_chain, skeleton, skeleton_of};
