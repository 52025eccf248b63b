//! Forwards that cannot be.

use std::borrow::Cow;
use std::net::IpAddr;

use thiserror::Error;

use crate::error_kind::ErrorKind;
use crate::hint::Hint;
use crate::network::range::{PortRange, RangeError};
use crate::network::subnet::{Subnet, SubnetError};
use crate::words::shown;

/// Why something is not a port forward.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PortForwardError {
    /// Not `PROTOCOL [ADDRESS:]PORTS -> ADDRESS:PORTS`.
    #[error("`{}` is not a forward", shown(.0))]
    Syntax(String),
    /// An unknown protocol, or one without ports.
    #[error("`{}` is not a protocol with ports", shown(.0))]
    Protocol(String),
    /// Not an address.
    #[error("`{}` is not an address", shown(.0))]
    Address(String),
    /// Not a port or a range of ports.
    #[error("`{}` is not a port or a range of ports", shown(.0))]
    Ports(String),
    /// Port 0, alone or in a range.
    #[error("`{0}` holds port 0")]
    PortZero(String),
    /// A range that ends before it starts.
    #[error(transparent)]
    Range(#[from] RangeError),
    /// An IPv6 address and a port without brackets around the address.
    #[error("`{}` is ambiguous: an IPv6 address, or one and a port", shown(.0))]
    NoBrackets(String),
    /// An address alone.
    #[error("`{}` names no port", shown(.0))]
    NoPorts(String),
    /// A target without an address.
    #[error("`{}` names no guest", shown(.0))]
    NoGuest(String),
    /// An address that only the host itself can send to.
    #[error("forwards at {0} are not offered")]
    Loopback(IpAddr),
    /// 0.0.0.0, ::, or an address of many hosts.
    #[error("{0} is not one address of the host")]
    NotOneAddress(IpAddr),
    /// More ports at one end than at the other.
    #[error("ports {listen} lead to ports {target}: the ranges are not equally long")]
    UnequalRanges {
        /// The ports of the host.
        listen: PortRange,
        /// The ports of the guest.
        target: PortRange,
    },
    /// Ends of different families.
    #[error("{listen} and {target} are of different families")]
    Families {
        /// The host's address.
        listen: IpAddr,
        /// The guest's address.
        target: IpAddr,
    },
    /// Not a source.
    #[error("not a source: {0}")]
    Source(#[source] SubnetError),
    /// An empty list of sources.
    #[error("the list of sources is empty")]
    NoSources,
    /// A source that cannot reach the target.
    #[error("the source {from} and the target {target} are of different families")]
    SourceFamily {
        /// The source.
        from: Subnet,
        /// The guest's address.
        target: IpAddr,
    },
    /// Two sources share addresses.
    #[error("the sources {first} and {second} overlap")]
    SourcesOverlap {
        /// The source that was named first.
        first: Subnet,
        /// The other one.
        second: Subnet,
    },
}

impl Hint for PortForwardError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Definition
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Syntax(_) => {
                "forwards look like `tcp 8080 -> 192.168.122.10:80`, with an address of the host \
                 `tcp 203.0.113.7:8080 -> 192.168.122.10:80`"
            }
            Self::Protocol(_) => "protocols are tcp, udp and sctp",
            Self::Address(_) => {
                "addresses look like 192.168.122.10, or [fd00:122::11] before a port"
            }
            Self::Ports(_) | Self::PortZero(_) => {
                "ports are numbers from 1 to 65535, ranges look like 30000-30010"
            }
            Self::Range(_) => "write the smaller end first",
            Self::NoBrackets(_) => "write brackets around IPv6 addresses: [fd00:122::11]:443",
            Self::NoPorts(_) => "add the port behind a colon: 192.168.122.10:80, [fd00::11]:443",
            Self::NoGuest(_) => "write the guest's address before the port: 192.168.122.10:80",
            Self::Loopback(_) => {
                "leave the address out: the host itself reaches the guest by its other addresses"
            }
            Self::NotOneAddress(_) => {
                "leave the address out to forward at every address of the host"
            }
            Self::UnequalRanges { .. } => {
                "each port leads to one port: give both ends equally many"
            }
            Self::Families { .. } | Self::SourceFamily { .. } => {
                "write one forward for IPv4 and one for IPv6"
            }
            Self::Source(SubnetError::Everything(_)) | Self::NoSources => {
                "leave `from` out to forward for every source"
            }
            Self::Source(_) => "sources are addresses and subnets, such as 198.51.100.0/24",
            Self::SourcesOverlap { .. } => "keep the wider one",
        }
        .into()
    }
}
