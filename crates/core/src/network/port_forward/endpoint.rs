//! The two ends of a forward, and their texts.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::error::PortForwardError;
use crate::network::range::PortRange;

/// The ports of the host that lead to a guest: at one of its addresses, or at every address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Listen {
    address: Option<IpAddr>,
    ports: PortRange,
}

/// The guest's address and ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    address: IpAddr,
    ports: PortRange,
}

impl Listen {
    /// These ports, at one address or at every address.
    ///
    /// # Errors
    /// If the address cannot be one that the world sends to.
    pub fn new(address: Option<IpAddr>, ports: PortRange) -> Result<Self, PortForwardError> {
        match address {
            Some(address) if address.is_loopback() => Err(PortForwardError::Loopback(address)),
            Some(address) if !is_unicast(address) => Err(PortForwardError::NotOneAddress(address)),
            _ => Ok(Self { address, ports }),
        }
    }

    /// The address; `None` for every address of the host.
    #[must_use]
    pub fn address(self) -> Option<IpAddr> {
        self.address
    }

    /// The ports.
    #[must_use]
    pub fn ports(self) -> PortRange {
        self.ports
    }
}

impl Target {
    /// These ports of the guest with this address.
    #[must_use]
    pub fn new(address: IpAddr, ports: PortRange) -> Self {
        Self { address, ports }
    }

    /// The guest's address.
    #[must_use]
    pub fn address(self) -> IpAddr {
        self.address
    }

    /// The guest's ports.
    #[must_use]
    pub fn ports(self) -> PortRange {
        self.ports
    }
}

fn is_unicast(address: IpAddr) -> bool {
    let is_broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    !(address.is_unspecified() || address.is_multicast() || is_broadcast)
}

/// `PORTS`, `ADDRESS:PORTS` or `[ADDRESS]:PORTS`.
fn parts(text: &str) -> Result<(Option<IpAddr>, PortRange), PortForwardError> {
    let no_ports = || PortForwardError::NoPorts(text.to_owned());
    if let Some(rest) = text.strip_prefix('[') {
        let (address, ports) = rest.split_once("]:").ok_or_else(no_ports)?;
        return Ok((Some(self::address(address)?), self::ports(ports)?));
    }
    match text.rsplit_once(':') {
        Some((address, _)) if address.contains(':') => {
            Err(PortForwardError::NoBrackets(text.to_owned()))
        }
        Some((address, ports)) => Ok((Some(self::address(address)?), self::ports(ports)?)),
        None if text.parse::<IpAddr>().is_ok() => Err(no_ports()),
        None => Ok((None, ports(text)?)),
    }
}

fn address(text: &str) -> Result<IpAddr, PortForwardError> {
    let wrong = |_| PortForwardError::Address(text.to_owned());
    text.parse().map_err(wrong)
}

fn ports(text: &str) -> Result<PortRange, PortForwardError> {
    let port = |end: &str| {
        let digits = !end.is_empty() && end.bytes().all(|b| b.is_ascii_digit());
        let port = end.parse::<u16>().ok().filter(|_| digits);
        port.ok_or_else(|| PortForwardError::Ports(text.to_owned()))
    };
    let (start, end) = text.split_once('-').unwrap_or((text, text));
    let (start, end) = (port(start)?, port(end)?);
    if start == 0 || end == 0 {
        return Err(PortForwardError::PortZero(text.to_owned()));
    }
    Ok(PortRange::new(start, end)?)
}

impl FromStr for Listen {
    type Err = PortForwardError;

    fn from_str(text: &str) -> Result<Self, PortForwardError> {
        let (address, ports) = parts(text)?;
        Self::new(address, ports)
    }
}

impl FromStr for Target {
    type Err = PortForwardError;

    fn from_str(text: &str) -> Result<Self, PortForwardError> {
        match parts(text)? {
            (Some(address), ports) => Ok(Self::new(address, ports)),
            (None, _) => Err(PortForwardError::NoGuest(text.to_owned())),
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(address) => write_end(f, address, self.ports),
            None => write!(f, "{}", self.ports),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_end(f, self.address, self.ports)
    }
}

fn write_end(f: &mut fmt::Formatter<'_>, address: IpAddr, ports: PortRange) -> fmt::Result {
    match address {
        IpAddr::V4(address) => write!(f, "{address}:{ports}"),
        IpAddr::V6(address) => write!(f, "[{address}]:{ports}"),
    }
}
