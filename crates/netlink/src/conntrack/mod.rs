//! Connections that began before their NAT rules were installed, or go on after these are gone.
//!
//! Connection tracking decides on the first packet of a connection how it is translated. A
//! connection that began while no NAT rule was installed keeps its private address for as long as
//! it lives, whatever rules come later: it must end, so that its next packet begins another.
//! The same holds for connections to forwarded ports, whose destination is translated.
//! [`Conntrack`] finds such connections and ends them, over ctnetlink.

mod client;
mod error;
mod exchange;
mod flow;
mod forwarded;
mod natted;
mod wire;

pub use client::Conntrack;
pub use error::ConntrackError;
pub use forwarded::ForwardChange;
pub use natted::KeptFlows;
