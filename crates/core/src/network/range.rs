//! Ranges of ports and of addresses that NAT may use.

use std::fmt;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Ports, both ends included, never port 0. The default is what NAT may give to tcp and udp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Ends<u16>", into = "Ends<u16>")]
pub struct PortRange {
    start: u16,
    end: u16,
}

/// Source addresses that NAT may use, both ends included. IPv4 only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Ends<Ipv4Addr>", into = "Ends<Ipv4Addr>")]
pub struct AddressRange {
    start: Ipv4Addr,
    end: Ipv4Addr,
}

/// Why two ends are not a range.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RangeError {
    /// The end lies before the start.
    #[error("the range {start} to {end} ends before it starts")]
    Reversed {
        /// The start, as text.
        start: String,
        /// The end, as text.
        end: String,
    },
    /// Port 0 is no port that a packet can come from.
    #[error("the port range 0 to {end} holds port 0")]
    PortZero {
        /// The end of the range.
        end: u16,
    },
    /// An address that no packet can come from.
    #[error("{0} cannot be a packet's source address")]
    NoSource(Ipv4Addr),
}

/// How a range is written in JSON and TOML.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ends<T> {
    start: T,
    end: T,
}

impl PortRange {
    /// The ports from `start` to `end`; `0` and `0` stand for the default.
    ///
    /// # Errors
    /// If the end lies before the start, or only the start is 0.
    pub fn new(start: u16, end: u16) -> Result<Self, RangeError> {
        match (start, end) {
            (0, 0) => Ok(Self::default()),
            _ if start > end => Err(RangeError::Reversed {
                start: start.to_string(),
                end: end.to_string(),
            }),
            (0, end) => Err(RangeError::PortZero { end }),
            _ => Ok(Self { start, end }),
        }
    }

    /// The first port.
    #[must_use]
    pub fn start(self) -> u16 {
        self.start
    }

    /// The last port.
    #[must_use]
    pub fn end(self) -> u16 {
        self.end
    }

    /// The number of ports.
    #[must_use]
    pub fn count(self) -> u32 {
        u32::from(self.end - self.start) + 1
    }

    /// Whether a port lies in both.
    pub(super) fn overlaps(self, other: Self) -> bool {
        self.start <= other.end && other.start <= self.end
    }
}

/// 1024 to 65535: guests shall not appear at a privileged port.
impl Default for PortRange {
    fn default() -> Self {
        Self {
            start: 1024,
            end: 65535,
        }
    }
}

impl AddressRange {
    /// The addresses from `start` to `end`.
    ///
    /// # Errors
    /// If the end lies before the start, or an end is no unicast address.
    pub fn new(start: Ipv4Addr, end: Ipv4Addr) -> Result<Self, RangeError> {
        for address in [start, end] {
            if address.is_unspecified() || address.is_multicast() || address.is_broadcast() {
                return Err(RangeError::NoSource(address));
            }
        }
        if start > end {
            return Err(RangeError::Reversed {
                start: start.to_string(),
                end: end.to_string(),
            });
        }
        Ok(Self { start, end })
    }

    /// The first address.
    #[must_use]
    pub fn start(self) -> Ipv4Addr {
        self.start
    }

    /// The last address.
    #[must_use]
    pub fn end(self) -> Ipv4Addr {
        self.end
    }
}

/// One end if both are equal, else `start-end`, as nft and iptables write it.
fn write_range<T: PartialEq + fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    start: &T,
    end: &T,
) -> fmt::Result {
    if start == end {
        write!(f, "{start}")
    } else {
        write!(f, "{start}-{end}")
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_range(f, &self.start, &self.end)
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_range(f, &self.start, &self.end)
    }
}

impl TryFrom<Ends<u16>> for PortRange {
    type Error = RangeError;

    fn try_from(ends: Ends<u16>) -> Result<Self, RangeError> {
        Self::new(ends.start, ends.end)
    }
}

impl From<PortRange> for Ends<u16> {
    fn from(range: PortRange) -> Self {
        Self {
            start: range.start,
            end: range.end,
        }
    }
}

impl TryFrom<Ends<Ipv4Addr>> for AddressRange {
    type Error = RangeError;

    fn try_from(ends: Ends<Ipv4Addr>) -> Result<Self, RangeError> {
        Self::new(ends.start, ends.end)
    }
}

impl From<AddressRange> for Ends<Ipv4Addr> {
    fn from(range: AddressRange) -> Self {
        Self {
            start: range.start,
            end: range.end,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports() {
        assert_eq!(PortRange::new(0, 0).unwrap(), PortRange::default());
        assert_eq!(PortRange::new(500, 500).unwrap().to_string(), "500");
        assert_eq!(PortRange::new(500, 1000).unwrap().to_string(), "500-1000");
        assert!(PortRange::new(2, 1).is_err());
        assert!(PortRange::new(0, 1).is_err());
    }

    #[test]
    fn addresses() {
        let at = |n| Ipv4Addr::new(203, 0, 113, n);
        assert_eq!(
            AddressRange::new(at(1), at(1)).unwrap().to_string(),
            "203.0.113.1"
        );
        assert!(AddressRange::new(at(2), at(1)).is_err());
        assert!(AddressRange::new(Ipv4Addr::UNSPECIFIED, at(1)).is_err());
    }
}
