//! Guests of networks, as people name them.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use thiserror::Error;

use super::name::Name;
use crate::error_kind::ErrorKind;
use crate::hint::Hint;
use crate::words::shown;

/// A guest of a network, written `NETWORK/ADDRESS`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guest {
    /// The network.
    pub network: Name,
    /// The guest's address.
    pub address: IpAddr,
}

/// Not a network and an address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{}` is not a network and the address of a guest", shown(.0))]
pub struct GuestError(String);

impl FromStr for Guest {
    type Err = GuestError;

    fn from_str(text: &str) -> Result<Self, GuestError> {
        let wrong = || GuestError(text.to_owned());
        let (network, address) = text.rsplit_once('/').ok_or_else(wrong)?;
        Ok(Self {
            network: network.parse().map_err(|_| wrong())?,
            // A socket that takes both families writes IPv4 addresses as IPv6.
            address: address
                .parse::<IpAddr>()
                .map_err(|_| wrong())?
                .to_canonical(),
        })
    }
}

impl fmt::Display for Guest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.address)
    }
}

impl Hint for GuestError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Usage
    }

    fn hint(&self) -> Cow<'_, str> {
        "guests are written NETWORK/ADDRESS, such as default/192.168.122.11".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guests_are_read_as_they_are_written() {
        for text in ["default/192.168.122.11", "my lab/fd00::11"] {
            assert_eq!(text.parse::<Guest>().unwrap().to_string(), text);
        }
        let bad = [
            "",
            "default",
            "default/",
            "/10.0.0.2",
            "default/10.0.0.2/24",
            "a/b/10.0.0.2",
        ];
        for text in bad {
            assert!(text.parse::<Guest>().is_err(), "{text}");
        }
    }
}
