//! The objects of nf_tables, as the kernel keeps them.
//!
//! These types know what nf_tables can say, not how it is written in bytes (that is `wire`) nor
//! which objects palisade installs (that is `layout`). What the kernel may say beyond them is kept
//! as it came: unknown attributes in `extra`, unknown expressions as [`Expression::Unknown`].

mod chain;
mod expression;
mod register;
mod set;
mod table;
mod userdata;

pub use palisade_netlink::Family;
pub use palisade_netlink::attribute::Attribute;

pub use chain::{BaseChain, Chain, Hook, Policy};
pub use expression::{
    Bitwise, Compare, Comparison, Conntrack, ConntrackKey, Counter, Expression, Fib, FibFlags,
    FibResult, Limit, Load, Log, Lookup, LookupTarget, Masquerade, Meta, MetaKey, Nat, NatKind,
    Payload, PayloadBase, Range, Reject, RejectKind, Verdict,
};
pub use register::Register;
pub use set::{DataType, Element, ElementRef, Elements, Set, SetData, Value};
pub use table::{Rule, Table};
pub use userdata::Userdata;
