//! What rules say, as `nft` would put it: several expressions make one statement.
//!
//! The kernel runs expressions that pass values through registers; people and our layouts think in
//! statements such as `ip saddr 10.0.0.0/24`. [`expressions`] lowers statements to expressions, and
//! [`statements`] reads them back, whoever wrote the expressions; what it does not understand it
//! keeps as [`Statement::Other`]. [`text`](Statement::text) prints nft syntax.

mod build;
mod display;
mod foreign;
mod lower;
mod raw;
mod read;
mod value;

use std::net::IpAddr;

pub(crate) use raw::Raw;

use crate::object::{Comparison, ConntrackKey, Counter, Expression, Family, FibFlags, FibResult};
use crate::object::{Limit, Log, MetaKey, NatKind, PayloadBase, Reject, Verdict};

pub use build::{Direction, End, address, icmp, interface, known_flow, port, protocol};
pub(crate) use build::{address_field, in_set, interface_field};
pub(crate) use build::{goes_to_host, port_field, protocol_field, redirected, whole_address_field};
pub(crate) use build::{no_flow, no_reverse_path, opens_connection, port_unreachable};
pub(crate) use display::{Stateful, texts};
pub use lower::expressions;
pub use read::statements;
pub use value::concatenation;
pub(crate) use value::{interface_name, quoted};

/// One statement of a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Statement {
    /// The rule goes on only for packets for which this holds.
    Match(Match),
    /// `counter packets N bytes N`.
    Counter(Counter),
    /// `accept`, `return`, `jump CHAIN` and so on.
    Verdict(Verdict),
    /// `reject`, `reject with ...`.
    Reject(Reject),
    /// `masquerade`, `snat to ...`, `dnat to ...`.
    Translate(Translate),
    /// `dnat to FIELD . FIELD map @map`.
    Redirect(Redirect),
    /// `tcp option maxseg size set ...`.
    ClampMss(Clamp),
    /// `limit rate 10/second`.
    Limit(Limit),
    /// `log prefix "..." group 5`.
    Log(Log),
    /// An expression that this build does not understand, or not where it stands.
    Other(Expression),
}

/// A test of some fields of a packet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Match {
    /// The fields; several make a concatenation, one value behind the other.
    pub fields: Vec<Field>,
    /// What must hold for them.
    pub test: Test,
}

/// A field of a packet, or of what is known beside it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Field {
    /// Where the value comes from.
    pub origin: Origin,
    /// The bits that count, as long as the value; none if all do.
    pub mask: Option<Vec<u8>>,
}

/// Where a field's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// `meta KEY`.
    Meta(MetaKey),
    /// `ct KEY`.
    Conntrack(ConntrackKey),
    /// `fib FLAGS RESULT`: what the host's routes say.
    Fib(FibFlags, FibResult),
    /// Bytes of the packet.
    Payload {
        /// From where to count.
        base: PayloadBase,
        /// The first byte.
        offset: u32,
        /// How many bytes.
        len: u32,
    },
}

/// What must hold for the fields of a [`Match`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Test {
    /// The value compares so with this one.
    Compare(Comparison, Vec<u8>),
    /// The value lies between these, both ends included.
    Between(Vec<u8>, Vec<u8>),
    /// The value does not lie between them.
    NotBetween(Vec<u8>, Vec<u8>),
    /// The value is in the set.
    In(String),
    /// The value is not in the set.
    NotIn(String),
}

/// The segment size that a tcp connection may announce at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Clamp {
    /// What the packet's route allows.
    RouteMtu,
    /// This number of bytes.
    Size(u16),
}

/// A translation of the destination to an address and a port that a map holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Redirect {
    /// The family of the address.
    pub family: Family,
    /// The fields that are looked up.
    pub fields: Vec<Field>,
    /// The map.
    pub map: String,
}

/// A translation of addresses or ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Translate {
    /// To where.
    pub to: To,
    /// The ports to use, both ends included.
    pub ports: Option<(u16, u16)>,
    /// `NF_NAT_RANGE_*` beside those that addresses and ports bring with them.
    pub flags: u32,
}

/// Where a translation leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum To {
    /// The source becomes an address of the outgoing device.
    OutgoingDevice,
    /// One end of the flow becomes one of these addresses, both ends included.
    Addresses {
        /// Which end.
        kind: NatKind,
        /// The family of the addresses.
        family: Family,
        /// The addresses; none to change the port alone.
        range: Option<(IpAddr, IpAddr)>,
    },
}

/// `NF_NAT_RANGE_MAP_IPS`: addresses are given.
const RANGE_ADDRESSES: u32 = 1;
/// `NF_NAT_RANGE_PROTO_SPECIFIED`: ports are given.
const RANGE_PORTS: u32 = 2;
