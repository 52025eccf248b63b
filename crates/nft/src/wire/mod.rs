//! The wire format of nf_tables: messages, attributes and objects in netlink's bytes. Beside it that
//! of connection tracking, what tells of the host's interfaces, addresses and routes, and headers of
//! packets.
//!
//! The only place that knows byte offsets and the kernel's numbers for attributes
//! (`linux/netfilter/nf_tables.h`). Encode and decode stand side by side, a file for each object
//! and each expression.
//!
//! Encoding appends to one buffer that its caller keeps. Decoding takes whatever bytes there are:
//! what is broken is [`Malformed`], what is only unknown is kept, in `extra` or as
//! [`Expression::Unknown`](crate::object::Expression::Unknown), and comes out again as it went in.
//! What the kernel adds to dumps for information alone is left out, so that an object that comes
//! back is equal to the one that was sent.

mod ack;
mod attribute;
#[cfg(test)]
mod broken;
mod data;
mod expression;
pub(crate) mod foreign;
#[cfg(all(test, target_endian = "little"))]
mod golden;
mod kind;
mod malformed;
mod message;
pub(crate) mod others;
#[cfg(test)]
mod strategies;

pub mod address;
pub mod chain;
pub mod conntrack;
pub mod element;
pub mod generation;
pub mod header;
pub mod link;
pub mod route;
mod rtnetlink;
pub mod rule;
pub mod set;
pub(crate) mod stranger;
pub mod table;
pub mod trace;

pub use ack::{Ack, ack};
#[cfg(any(test, feature = "test-doubles"))]
pub use ack::{encode_ack, encode_done};
pub use attribute::names;
pub use attribute::u32 as put_number;
pub use kind::Kind;
pub use malformed::Malformed;
#[cfg(any(test, feature = "test-doubles"))]
pub use message::batch_generation;
pub use message::{Header, Message, Messages, batch_begin, batch_end, message, messages};
