//! Netlink beside nf_tables: sockets, messages and attributes, rtnetlink, connection tracking, and NFLOG.
//!
//! A [`Transport`] carries requests to the kernel and brings back its replies; [`Socket`] is the
//! real one. [`messages`] splits replies, [`ack`] reads an acknowledgement, [`attribute`] reads and
//! writes attributes. Above them is a module for each protocol: [`rtnetlink`] reads the host's
//! links, addresses and routes; [`conntrack`] ends connections that began before their NAT rules
//! were installed; [`nflog`] reads what rules log to a group; [`nfnetlink`] is the part that netfilter's subsystems share, from which
//! `palisade-nft` speaks nf_tables.
//!
//! ```no_run
//! use palisade_netlink::rtnetlink::Host;
//!
//! let host = Host::read(None)?;
//! for (bridge, ports) in host.bridges() {
//!     println!("{bridge}: {}", ports.join(", "));
//! }
//! # Ok::<(), palisade_netlink::rtnetlink::HostError>(())
//! ```
//!
//! # Limits
//!
//! Reading blocks for as long as the kernel takes to answer. Of rtnetlink's and conntrack's
//! attributes, only those that palisade needs are read; others are skipped.
#![deny(unsafe_code)]

mod ack;
mod family;
mod header;
mod malformed;
mod message;
mod packet;
mod reply;
mod socket;
mod transport;

pub mod attribute;
pub mod conntrack;
pub mod flags;
pub mod nflog;
pub mod nfnetlink;
pub mod rtnetlink;

pub use ack::{Ack, ack};
#[cfg(any(test, feature = "test-doubles"))]
pub use ack::{encode_ack, encode_done};
pub use family::Family;
pub use header::Header;
pub use malformed::Malformed;
pub use message::{Message, Messages, messages};
pub use packet::FiveTuple;
pub use reply::{Replies, ReplyError};
pub use socket::{Socket, SocketError, Waited, within};
pub use transport::{Transport, TransportError};
