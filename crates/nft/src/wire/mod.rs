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

pub mod chain;
pub mod element;
pub mod generation;
pub mod rule;
pub mod set;
pub(crate) mod stranger;
pub mod table;
pub mod trace;

pub use attribute::names;
pub use kind::Kind;
#[cfg(any(test, feature = "test-doubles"))]
pub use message::batch_generation;
pub use message::{Message, Messages, batch_begin, batch_end, message, messages};
