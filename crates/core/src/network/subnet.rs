//! Subnets of guests.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::error_kind::ErrorKind;
use crate::hint::Hint;
use crate::words::shown;

/// IPv4 or IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

impl Family {
    /// Both, IPv4 first.
    pub const BOTH: [Self; 2] = [Self::Ipv4, Self::Ipv6];

    /// The family's addresses that are never translated: link-local multicast.
    #[must_use]
    pub fn link_local_multicast(self) -> IpNet {
        match self {
            Self::Ipv4 => IpNet::V4(ipnet::Ipv4Net::new_assert([224, 0, 0, 0].into(), 24)),
            Self::Ipv6 => IpNet::V6(ipnet::Ipv6Net::new_assert(
                [0xff02, 0, 0, 0, 0, 0, 0, 0].into(),
                16,
            )),
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
        })
    }
}

/// A subnet of unicast addresses in CIDR form, its host bits zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subnet(IpNet);

/// Why an address and a prefix are not a subnet of guests.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SubnetError {
    /// Not `ADDRESS/PREFIX`.
    #[error("`{}` is not a subnet", shown(.0))]
    Syntax(String),
    /// A prefix longer than the address.
    #[error("prefix {prefix} is longer than an address of {family} ({bits} bits)",
            bits = if *.family == Family::Ipv4 { 32 } else { 128 })]
    Prefix {
        /// The prefix length.
        prefix: u8,
        /// The address's family.
        family: Family,
    },
    /// A prefix of 0: every address there is.
    #[error("prefix 0 of {0} would cover every address")]
    Everything(IpAddr),
    /// An address that no guest can have.
    #[error("{0} is no unicast address")]
    NotUnicast(IpAddr),
}

impl Hint for SubnetError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Definition
    }

    fn hint(&self) -> Cow<'_, str> {
        "write the host's address on the bridge and the prefix, such as 192.168.122.1/24".into()
    }
}

impl From<IpAddr> for Family {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::Ipv4,
            IpAddr::V6(_) => Self::Ipv6,
        }
    }
}

impl Subnet {
    /// The subnet that `address` lies in.
    ///
    /// # Errors
    /// If the prefix is 0 or longer than the address, or the addresses are not unicast.
    pub fn new(address: IpAddr, prefix: u8) -> Result<Self, SubnetError> {
        let family = Family::from(address);
        let net = IpNet::new(address, prefix)
            .map_err(|_| SubnetError::Prefix { prefix, family })?
            .trunc();
        let broadcast = IpAddr::V4(std::net::Ipv4Addr::BROADCAST);
        // Masked, short prefixes begin at 0.0.0.0 or ::, and hold unicast addresses all the same;
        // from 8 bits on there are none but this host's (RFC 1122, RFC 4291).
        let is_this_host = net.network().is_unspecified() && prefix >= 8;
        if prefix == 0 {
            Err(SubnetError::Everything(address))
        } else if [address, net.network()].iter().any(IpAddr::is_multicast)
            || address == broadcast
            || is_this_host
        {
            Err(SubnetError::NotUnicast(address))
        } else {
            Ok(Self(net))
        }
    }

    /// The subnet of one address; none if it is no address of a host.
    #[must_use]
    pub fn of_host(address: IpAddr) -> Option<Self> {
        Self::new(address, if address.is_ipv4() { 32 } else { 128 }).ok()
    }

    /// The subnet's first address.
    #[must_use]
    pub fn network(self) -> IpAddr {
        self.0.network()
    }

    /// The length of the prefix in bits, at least 1.
    #[must_use]
    pub fn prefix(self) -> u8 {
        self.0.prefix_len()
    }

    /// IPv4 or IPv6.
    #[must_use]
    pub fn family(self) -> Family {
        if self.network().is_ipv4() {
            Family::Ipv4
        } else {
            Family::Ipv6
        }
    }

    /// The same as `ipnet` has it.
    #[must_use]
    pub fn net(self) -> IpNet {
        self.0
    }

    /// Whether an address lies in both. Subnets either hold one another or share nothing.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.0.contains(&other.0) || other.0.contains(&self.0)
    }
}

impl FromStr for Subnet {
    type Err = SubnetError;

    fn from_str(text: &str) -> Result<Self, SubnetError> {
        let syntax = || SubnetError::Syntax(text.to_owned());
        let (address, prefix) = text.split_once('/').ok_or_else(syntax)?;
        // `u8::from_str` takes a sign; a prefix has none.
        if !prefix.bytes().all(|b| b.is_ascii_digit()) {
            return Err(syntax());
        }
        let prefix = prefix.parse().map_err(|_| syntax())?;
        Self::new(address.parse().map_err(|_| syntax())?, prefix)
    }
}

impl TryFrom<String> for Subnet {
    type Error = SubnetError;

    fn try_from(text: String) -> Result<Self, SubnetError> {
        text.parse()
    }
}

impl From<Subnet> for String {
    fn from(subnet: Subnet) -> Self {
        subnet.to_string()
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_bits_are_masked_off() {
        let subnet: Subnet = "192.168.122.1/24".parse().unwrap();
        assert_eq!(subnet.to_string(), "192.168.122.0/24");
        let subnet: Subnet = "2001:db8:ca2:2::1/64".parse().unwrap();
        assert_eq!(subnet.to_string(), "2001:db8:ca2:2::/64");
    }

    #[test]
    fn what_is_written_is_read_again() {
        for text in [
            "1.2.3.4/7",
            "10.0.0.1/1",
            "fd00::1/1",
            "10.0.0.1/32",
            "2001:db8::1/7",
        ] {
            let subnet: Subnet = text.parse().unwrap();
            assert_eq!(
                subnet.to_string().parse::<Subnet>().unwrap(),
                subnet,
                "{text}"
            );
        }
    }

    #[test]
    fn the_rest_is_refused() {
        let bad = [
            "",
            "10.0.0.1",
            "10.0.0.1/33",
            "10.0.0.1/0",
            "224.0.0.1/24",
            "0.0.0.0/8",
            "0.0.0.5/24",
            "::5/64",
            "ff02::1/64",
            "::/64",
            "10.0.0.1/+8",
            "10.0.0.1/",
            "255.255.255.255/32",
            // It would be written as 224.0.0.0/3.
            "241.0.0.1/3",
            "::1/129",
        ];
        for text in bad {
            assert!(text.parse::<Subnet>().is_err(), "{text}");
        }
    }
}
