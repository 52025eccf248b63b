//! Packets with headers of our own, byte by byte.

use std::net::{IpAddr, SocketAddr};

use palisade_tests::Namespace;
use socket2::{Domain, Protocol, Socket, Type};

/// What is behind the header of IP.
#[derive(Debug, Clone)]
pub(crate) struct Payload {
    pub(crate) protocol: u8,
    pub(crate) bytes: Vec<u8>,
    /// Where the checksum stands that is to be filled in, if it shall be right.
    pub(crate) checksum_at: Option<usize>,
}

/// A packet with its whole header.
#[derive(Debug, Clone)]
pub(crate) struct Packet {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) hops: u8,
    pub(crate) payload: Payload,
}

impl Packet {
    pub(crate) fn new(source: IpAddr, destination: IpAddr, payload: Payload) -> Self {
        Self {
            source,
            destination,
            hops: 64,
            payload,
        }
    }

    /// One that the first router does not pass on.
    pub(crate) fn dying(self) -> Self {
        Self { hops: 1, ..self }
    }

    /// Sends it from a namespace, by its routes.
    #[track_caller]
    pub(crate) fn send(&self, from: &Namespace) {
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

    fn bytes(&self) -> Vec<u8> {
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
                // The kernel fills in identification and checksum.
                header.extend([0, 0, 0, 0, self.hops, protocol, 0, 0]);
                header.extend(source.octets());
                header.extend(destination.octets());
                header
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                let length = u16::try_from(payload.len()).expect("a short packet");
                let mut header = vec![0x60, 0, 0, 0];
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

    /// RFC 1071, over the pseudo header too, which ICMP of IPv4 does not have.
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
        let words = bytes.chunks(2).map(|pair| {
            let low = pair.get(1).copied().unwrap_or(0);
            u32::from(u16::from_be_bytes([pair[0], low]))
        });
        let mut sum: u32 = words.sum();
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !u16::try_from(sum).expect("folded")
    }
}
