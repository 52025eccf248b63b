//! Why a question describes no packet.

use std::borrow::Cow;
use std::net::IpAddr;

use palisade_core::evaluate::{PacketError, protocol_name};
use palisade_core::network::{Family, Name};
use palisade_core::{ErrorKind, Hint};
use thiserror::Error;

/// Why there is no such packet.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// No such network.
    #[error("there is no network named `{name}`{}", among(.known))]
    Unknown {
        /// The name.
        name: Name,
        /// Those that there are.
        known: Vec<Name>,
    },
    /// A network without a bridge of its own.
    #[error("network `{0}` has no bridge whose packets can be told")]
    NoBridge(Name),
    /// Neither said nor to be found out.
    #[error("it is not said {0} the packet goes")]
    Missing(&'static str),
    /// From the host to the host.
    #[error("a packet from the host to itself meets none of these rules")]
    Within,
    /// Source and destination of two families.
    #[error(transparent)]
    Packet(#[from] PacketError),
    /// A protocol that its family does not have.
    #[error("{} is of {of}, and a packet from {source_address} to {destination} is not", protocol_name(*.number))]
    Protocol {
        /// The protocol.
        number: u8,
        /// The family that has it.
        of: Family,
        /// Where the packet would come from.
        source_address: IpAddr,
        /// Where it would go.
        destination: IpAddr,
    },
    /// Ports of a protocol without any.
    #[error("{} has no ports", protocol_name(*.0))]
    Ports(u8),
}

fn among(known: &[Name]) -> String {
    let names: Vec<&str> = known.iter().map(Name::as_str).collect();
    if names.is_empty() {
        return String::new();
    }
    format!(" among {}", names.join(", "))
}

impl Hint for ResolveError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unknown { .. } => ErrorKind::UnknownNetwork,
            Self::NoBridge(_) => ErrorKind::Unsupported,
            Self::Missing(_)
            | Self::Within
            | Self::Packet(_)
            | Self::Protocol { .. }
            | Self::Ports(_) => ErrorKind::Usage,
        }
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Unknown { .. } => {
                "`palisade list` names those that run; --definitions FILE asks about others"
            }
            Self::NoBridge(_) => "describe the packet with --in, --out, --src and --dst",
            Self::Missing(_) => "write --src and --dst, or --from and --to",
            Self::Within => "write a network or `world` at one end",
            Self::Packet(error) => return error.hint(),
            Self::Protocol {
                of: Family::Ipv6, ..
            } => "write --proto icmp, or two IPv6 addresses",
            Self::Protocol {
                of: Family::Ipv4, ..
            } => "write --proto icmpv6, or two IPv4 addresses",
            Self::Ports(_) => "leave --sport and --dport out, or write --proto tcp or udp",
        }
        .into()
    }
}
