//! Where NAT sends packets instead.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use serde::{Serialize, Serializer};

/// The destination that a rule gives a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Destination {
    /// The address; none for the host's own (`redirect`): that of the interface where the packet came in,
    /// and a loopback address for what the host sends itself.
    pub address: Option<IpAddr>,
    /// The port; none if the packet keeps its own.
    pub port: Option<u16>,
}

impl From<SocketAddr> for Destination {
    fn from(to: SocketAddr) -> Self {
        Self {
            address: Some(to.ip()),
            port: Some(to.port()),
        }
    }
}

/// `192.168.122.10:80`, `[fd00::10]:80`, `192.168.122.10`, `the host, port 3128`.
impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.address, self.port) {
            (Some(address), Some(port)) => SocketAddr::new(address, port).fmt(f),
            (Some(address), None) => address.fmt(f),
            (None, Some(port)) => write!(f, "the host, port {port}"),
            (None, None) => f.write_str("the host"),
        }
    }
}

impl Serialize for Destination {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_text() {
        let text = |address: Option<&str>, port| {
            let address = address.map(|address| address.parse().unwrap());
            Destination { address, port }.to_string()
        };
        assert_eq!(text(Some("10.0.0.1"), Some(80)), "10.0.0.1:80");
        assert_eq!(text(Some("fd00::1"), Some(80)), "[fd00::1]:80");
        assert_eq!(text(Some("fd00::1"), None), "fd00::1");
        assert_eq!(text(None, Some(80)), "the host, port 80");
        assert_eq!(text(None, None), "the host");
    }
}
