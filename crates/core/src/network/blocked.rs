//! Guests that cannot be blocked.

use std::borrow::Cow;
use std::net::IpAddr;

use thiserror::Error;

use super::name::Name;
use crate::error_kind::ErrorKind;
use crate::hint::Hint;

/// Why a guest cannot be blocked, or not be let in again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BlockError {
    /// The address lies in none of the network's subnets.
    #[error("network `{network}` has no subnet with the address {guest}; nothing was changed")]
    NoGuest {
        /// The network.
        network: Name,
        /// The address.
        guest: IpAddr,
    },
    /// Palisade installs no rules for the network.
    #[error(
        "no rules are installed for network `{network}`, so nobody can be blocked; nothing was changed"
    )]
    NoRules {
        /// The network.
        network: Name,
    },
    /// The guest is not blocked.
    #[error("guest {guest} of network `{network}` is not blocked; nothing was changed")]
    NotBlocked {
        /// The network.
        network: Name,
        /// The address.
        guest: IpAddr,
    },
}

impl Hint for BlockError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoRules { .. } => ErrorKind::Unsupported,
            Self::NoGuest { .. } | Self::NotBlocked { .. } => ErrorKind::UnknownGuest,
        }
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::NoGuest { network, .. } => {
                format!("`palisade show {network}` prints its subnets").into()
            }
            Self::NoRules { .. } => "networks of mode nat, route and isolated have rules, with another backend than `none`"
                .into(),
            Self::NotBlocked { .. } => {
                "`palisade list -o name,blocked` shows who is blocked".into()
            }
        }
    }
}
