//! The wire format of nf_tables: messages, attributes and objects in netlink's bytes.
//!
//! The only place that knows byte offsets and the kernel's numbers for attributes
//! (`linux/netfilter/nf_tables.h`). Encode and decode stand side by side, a file for each object
//! and each expression.
//!
//! Encoding appends to one buffer that its caller keeps. Decoding takes whatever bytes there are:
//! what is broken is [`Malformed`](palisade_netlink::Malformed), what is only unknown is kept, in `extra` or as
//! [`Expression::Unknown`](crate::object::Expression::Unknown), and comes out again as it went in.
//! What the kernel adds to dumps for information alone is left out, so that an object that comes
//! back is equal to the one that was sent.

mod attribute;
#[cfg(test)]
mod broken;
mod data;
pub(crate) mod expression;
pub(crate) mod foreign;
#[cfg(all(test, target_endian = "little"))]
mod golden;
mod kind;
mod known;
mod message;
pub(crate) mod others;
#[cfg(test)]
mod strategies;

pub(crate) mod chain;
pub(crate) mod element;
pub(crate) mod generation;
pub(crate) mod rule;
pub(crate) mod set;
pub(crate) mod stranger;
pub(crate) mod table;
pub(crate) mod trace;

pub(crate) use attribute::names;
pub use kind::Kind;
#[cfg(test)]
pub(crate) use message::batch_generation;
pub use message::{Message, batch_begin, messages};
pub(crate) use message::{batch_end, message};
