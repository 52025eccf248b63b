//! Traffic control: classifiers and actions on what an interface sends (`linux/pkt_sched.h`).
//!
//! What palisade needs of it is one filter: it recomputes the checksums of DHCP answers that leave
//! by a bridge. [`TrafficControl`] adds, finds and deletes that filter, and the `clsact` queueing
//! discipline that filters hang from.

mod action;
mod client;
mod error;
mod filter;
mod head;
mod qdisc;

pub use client::TrafficControl;
pub use error::TcError;
pub use filter::{ChecksumFilter, Filter, Point};
