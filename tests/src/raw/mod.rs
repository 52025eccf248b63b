//! Packets with headers of our own, byte by byte.

mod payload;

use std::net::{IpAddr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};

pub use payload::{
    Payload, echo, error, error_about, of_no_connection, tcp_between, truncated, udp, udp_between,
    with_bad_checksum,
};

use crate::Namespace;

/// A packet with its whole header.
#[derive(Debug, Clone)]
pub struct Packet {
    /// Who claims to send it.
    pub source: IpAddr,
    /// To whom.
    pub destination: IpAddr,
    /// The TTL or hop limit.
    pub hops: u8,
    /// IPv4's identification, where 0 lets the kernel choose one, or IPv6's flow label.
    pub number: u16,
    /// What is behind the header.
    pub payload: Payload,
}

impl Packet {
    /// A packet with 64 hops to go.
    #[must_use]
    pub fn new(source: IpAddr, destination: IpAddr, payload: Payload) -> Self {
        Self {
            source,
            destination,
            hops: 64,
            number: 0,
            payload,
        }
    }

    /// One that the first router does not pass on.
    #[must_use]
    pub fn dying(self) -> Self {
        Self { hops: 1, ..self }
    }

    /// Sends it from a namespace, by its routes.
    ///
    /// # Panics
    /// If the kernel does not take it.
    #[track_caller]
    pub fn send(&self, from: &Namespace) {
        let domain = Domain::for_address(SocketAddr::from((self.destination, 0)));
        let sent = from.inside(|| {
            // `IPPROTO_RAW`.
            let socket = Socket::new(domain, Type::RAW, Some(Protocol::from(255)))?;
            match domain {
                Domain::IPV4 => socket.set_header_included_v4(true)?,
                _ => socket.set_header_included_v6(true)?,
            }
            socket.send_to(
                &self.bytes(),
                &SocketAddr::from((self.destination, 0)).into(),
            )
        });
        sent.unwrap_or_else(|error| panic!("cannot send {self:?}: {error}"));
    }

    /// All of it.
    ///
    /// # Panics
    /// If the ends are of two families, or it is too long for one packet.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut payload = self.payload.bytes.clone();
        if let Some(at) = self.payload.checksum_at {
            let sum = self.checksum(&payload).to_be_bytes();
            payload[at..at + 2].copy_from_slice(&sum);
        }
        let protocol = self.payload.protocol;
        let header = match (self.source, self.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                let length = u16::try_from(20 + payload.len()).expect("a short packet");
                let mut header = vec![0x45, 0];
                header.extend(length.to_be_bytes());
                header.extend(self.number.to_be_bytes());
                // The kernel fills in the checksum.
                header.extend([0, 0, self.hops, protocol, 0, 0]);
                header.extend(source.octets());
                header.extend(destination.octets());
                header
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                let length = u16::try_from(payload.len()).expect("a short packet");
                let mut header = vec![0x60, 0];
                header.extend(self.number.to_be_bytes());
                header.extend(length.to_be_bytes());
                header.extend([protocol, self.hops]);
                header.extend(source.octets());
                header.extend(destination.octets());
                header
            }
            _ => panic!("two families: {self:?}"),
        };
        [header, payload].concat()
    }

    /// Over the pseudo header too, which ICMP of IPv4 does not have.
    fn checksum(&self, payload: &[u8]) -> u16 {
        const ICMP: u8 = 1;
        let protocol = self.payload.protocol;
        let mut bytes = Vec::new();
        if protocol != ICMP {
            for address in [self.source, self.destination] {
                match address {
                    IpAddr::V4(address) => bytes.extend(address.octets()),
                    IpAddr::V6(address) => bytes.extend(address.octets()),
                }
            }
            let length = u16::try_from(payload.len()).expect("a short packet");
            bytes.extend([0, protocol]);
            bytes.extend(length.to_be_bytes());
        }
        bytes.extend(payload);
        checksum(&bytes)
    }
}

/// The internet checksum (RFC 1071).
pub(crate) fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|pair| {
        let low = pair.get(1).copied().unwrap_or(0);
        u32::from(u16::from_be_bytes([pair[0], low]))
    });
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0xffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 1071, section 3.
    #[test]
    fn the_checksum_of_the_rfc() {
        let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(checksum(&bytes), !0xddf2);
    }
}
