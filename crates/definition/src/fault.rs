//! What can be wrong with a definition.

use std::borrow::Cow;
use std::io;

use palisade_core::network::{InterfaceNameError, NameError, RangeError, SubnetError};
use palisade_core::words::in_words;
use thiserror::Error;

use super::clash::Clash;
use super::draft::Contradiction;
#[cfg(any(feature = "toml", feature = "json"))]
use super::fields::FieldFault;
use super::format::Format;
use super::repeated::Repeated;
use super::source::MAX_SIZE;
#[cfg(feature = "xml")]
use super::xml::{ElementFault, MarkupFault};

/// What is wrong with a definition.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Fault {
    /// There is no text to read.
    #[error(transparent)]
    Read(#[from] ReadFault),
    /// Several files define one network.
    #[error(transparent)]
    Repeated(#[from] Repeated),
    /// Two networks exclude one another.
    #[error(transparent)]
    Clash(#[from] Clash),
    /// The text is not well-formed XML.
    #[cfg(feature = "xml")]
    #[error(transparent)]
    Markup(#[from] MarkupFault),
    /// XML's elements and attributes describe no network.
    #[cfg(feature = "xml")]
    #[error(transparent)]
    Element(#[from] ElementFault),
    /// TOML's or JSON's fields describe no network.
    #[cfg(any(feature = "toml", feature = "json"))]
    #[error(transparent)]
    Field(#[from] FieldFault),
    /// A value is not what it should be.
    #[error(transparent)]
    Value(#[from] ValueFault),
    /// The values contradict one another.
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
}

impl Fault {
    /// The way out, in one line.
    #[must_use]
    pub fn hint(&self) -> Cow<'static, str> {
        match self {
            Self::Read(fault) => fault.hint().into(),
            Self::Repeated(fault) => fault.hint().into(),
            Self::Clash(fault) => fault.hint().into(),
            #[cfg(feature = "xml")]
            Self::Markup(fault) => fault.hint(),
            #[cfg(feature = "xml")]
            Self::Element(fault) => fault.hint(),
            #[cfg(any(feature = "toml", feature = "json"))]
            Self::Field(fault) => fault.hint(),
            Self::Value(fault) => fault.hint(),
            Self::Contradiction(fault) => fault.hint(),
        }
    }
}

/// Why there is no text.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadFault {
    /// The file cannot be opened or read.
    #[error("cannot be read: {}", in_words(.0))]
    Io(#[source] io::Error),
    /// Something in a directory that bears a definition's name.
    #[error("is not a file")]
    NotAFile,
    /// Standard input ends where it was read to.
    #[error("is named twice")]
    Twice,
    /// More than [`MAX_SIZE`].
    #[error("is larger than {MAX_SIZE} bytes")]
    TooLarge,
    /// White space at most.
    #[error("holds no network")]
    Nothing,
    /// As Windows' editors call "Unicode".
    #[error("the text is UTF-16, not UTF-8")]
    Utf16,
    /// A byte that is no part of a character.
    #[error("byte 0x{byte:02x} is not UTF-8")]
    NotUtf8 {
        /// The byte.
        byte: u8,
    },
    /// A format that this build leaves out.
    #[error("this program reads no {0}")]
    LeftOut(Format),
}

impl ReadFault {
    /// The way out, in one line.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Io(error) => match error.kind() {
                io::ErrorKind::NotFound => "check the path",
                io::ErrorKind::PermissionDenied => {
                    "check the permissions of the file and its folders"
                }
                io::ErrorKind::IsADirectory => "name the files in it",
                _ => "give a file that can be read, or - for standard input",
            },
            Self::NotAFile => "move it away, or name the files one by one",
            Self::Twice => "give - once, with all networks in one text",
            Self::TooLarge => "is this the right file? split it if it really holds networks",
            Self::Nothing => "write a network as libvirt's XML, as TOML or as JSON",
            Self::Utf16 | Self::NotUtf8 { .. } => "save the file as UTF-8",
            Self::LeftOut(_) => "write the definition in another format",
        }
    }
}

/// A value that is not what it should be, in any format.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ValueFault {
    /// No name of a network.
    #[error(transparent)]
    Name(#[from] NameError),
    /// No name of a firewalld zone.
    #[error("not a zone: {0}")]
    Zone(#[source] NameError),
    /// No name of a bridge or a device.
    #[error(transparent)]
    Interface(#[from] InterfaceNameError),
    /// No subnet of guests.
    #[error(transparent)]
    Subnet(#[from] SubnetError),
    /// No range.
    #[error(transparent)]
    Range(#[from] RangeError),
    /// No port.
    #[error("`{0}` is not a port")]
    Port(String),
    /// No IPv4 address.
    #[error("`{0}` is not an IPv4 address")]
    Ipv4(String),
    /// No IPv6 address.
    #[error("`{0}` is not an IPv6 address")]
    Ipv6(String),
    /// No forward mode.
    #[error("`{mode}` is not a forward mode")]
    Mode {
        /// What was written.
        mode: String,
        /// What is written instead.
        hint: Cow<'static, str>,
    },
}

impl ValueFault {
    /// The way out, in one line.
    #[must_use]
    pub fn hint(&self) -> Cow<'static, str> {
        match self {
            Self::Name(_) | Self::Zone(_) => {
                "names look like lab-1: one line of at most 80 bytes, no quotes, `/`, `\\`, `$` or \
                 spaces at an end"
                    .into()
            }
            Self::Interface(error) => error.hint().into(),
            Self::Subnet(error) => error.hint().into(),
            Self::Range(RangeError::Reversed { .. }) => "write the smaller end first".into(),
            Self::Range(RangeError::PortZero { .. }) => {
                "begin at port 1 or above; 0 to 0 stands for 1024 to 65535".into()
            }
            Self::Range(_) => "name addresses that the host has, or answers for".into(),
            Self::Port(_) => "ports are numbers from 1 to 65535".into(),
            Self::Ipv4(text) if text.parse::<std::net::Ipv6Addr>().is_ok() => {
                "this is an IPv6 address, which cannot stand here".into()
            }
            Self::Ipv4(text) | Self::Ipv6(text) if text.contains('/') => {
                "leave the prefix away; in XML it is an attribute beside, prefix='24'".into()
            }
            Self::Ipv4(_) => "IPv4 addresses look like 192.168.122.1, without leading zeros".into(),
            Self::Ipv6(_) => "IPv6 addresses look like 2001:db8:ca2:2::1".into(),
            Self::Mode { hint, .. } => hint.clone(),
        }
    }
}
