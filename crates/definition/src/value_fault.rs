//! Values that are not what they must be, in any format.

use std::borrow::Cow;
use std::net::Ipv6Addr;

use palisade_core::network::{
    InterfaceNameError, LogError, NameError, PortForwardError, RangeError, SizeError, SubnetError,
};
use palisade_core::{ErrorKind, Hint};
use thiserror::Error;

/// A value that is not what it must be, in any format.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ValueFault {
    /// Not a name of a network.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Not a name of a firewalld zone.
    #[error("not a zone: {0}")]
    Zone(#[source] NameError),
    /// Not a name of a bridge or a device.
    #[error(transparent)]
    Interface(#[from] InterfaceNameError),
    /// Not a subnet of guests.
    #[error(transparent)]
    Subnet(#[from] SubnetError),
    /// Not a range.
    #[error(transparent)]
    Range(#[from] RangeError),
    /// Not a port.
    #[error("`{0}` is not a port")]
    Port(String),
    /// Not an IPv4 address.
    #[error("`{0}` is not an IPv4 address")]
    Ipv4(String),
    /// Not an IPv6 address.
    #[error("`{0}` is not an IPv6 address")]
    Ipv6(String),
    /// Not a port forward.
    #[error(transparent)]
    Forward(#[from] PortForwardError),
    /// Not a number of bytes.
    #[error("`{0}` is not a number of bytes")]
    Bytes(String),
    /// A number of bytes that is out of bounds.
    #[error(transparent)]
    Size(#[from] SizeError),
    /// Not a prefix or a rate of the log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Not an NFLOG group.
    #[error("`{0}` is not an NFLOG group")]
    Group(String),
    /// Not a forward mode.
    #[error("`{mode}` is not a forward mode")]
    Mode {
        /// The text found.
        mode: String,
        /// The modes of the text's format, or the one that was probably meant.
        hint: Cow<'static, str>,
    },
}

impl Hint for ValueFault {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Definition
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Name(_) | Self::Zone(_) => {
                "names look like lab-1: one line of at most 80 bytes, without `/`, `\\`, `$`, backquotes or \
                 spaces at an end"
            }
            Self::Interface(error) => return error.hint(),
            Self::Subnet(error) => return error.hint(),
            Self::Range(RangeError::Reversed { .. }) => "write the smaller end first",
            Self::Range(RangeError::PortZero { .. }) => {
                "begin at port 1 or above; 0 to 0 stands for 1024 to 65535"
            }
            Self::Range(_) => "name addresses that the host has, or answers for",
            Self::Port(_) => "ports are numbers from 1 to 65535",
            Self::Ipv4(text) if text.parse::<Ipv6Addr>().is_ok() => {
                "this is an IPv6 address, which cannot stand here"
            }
            Self::Ipv4(text) | Self::Ipv6(text) if text.contains('/') => {
                "leave the prefix away; in XML it is an attribute beside, prefix='24'"
            }
            Self::Ipv4(_) => "IPv4 addresses look like 192.168.122.1, without leading zeros",
            Self::Ipv6(_) => "IPv6 addresses look like 2001:db8:ca2:2::1",
            Self::Forward(error) => return error.hint(),
            Self::Bytes(_) => "write a number such as 1400",
            Self::Size(error) => {
                let (least, most) = error.bounds;
                return format!("write a number from {least} to {most}").into();
            }
            Self::Log(error) => return error.hint(),
            Self::Group(_) => "groups are numbers from 0 to 65535",
            Self::Mode { hint, .. } => hint,
        }
        .into()
    }
}
