//! The host's links, addresses, routes and traffic control: `linux/rtnetlink.h`.
//!
//! A file for each kind of object, in which its type stands beside the decoding of its messages.

pub(crate) mod address;
mod error;
mod host;
pub(crate) mod link;
mod lookup;
mod neighbour;
mod request;
mod route;
mod rule;
mod tc;

pub use address::Address;
pub use error::HostError;
pub use host::Host;
pub use link::{Link, PortState};
pub use lookup::{FoundRoute, NoRoute, RouteAnswer, RouteQuestion, Routes};
pub use neighbour::Neighbour;
pub use route::{Route, RouteKind};
pub use rule::RoutingRule;
pub use tc::{ChecksumFilter, Filter, Point, TcError, TrafficControl};
