//! Headers of packets that the kernel copies into messages: who sends to whom.

use std::net::IpAddr;

use palisade_core::evaluate::PROTOCOLS_WITH_PORTS;

/// Source, destination and protocol of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FiveTuple {
    /// The source.
    pub source: IpAddr,
    /// The destination, of the same family.
    pub destination: IpAddr,
    /// The protocol's number; in IPv6 that of the first header behind the fixed one.
    pub protocol: u8,
    /// Source and destination ports, where the protocol has them.
    pub ports: Option<(u16, u16)>,
}

impl FiveTuple {
    /// Reads a packet's network and transport headers; none if they are not of IPv4 or IPv6, or too
    /// short.
    #[must_use]
    pub fn decode(network: &[u8], transport: &[u8]) -> Option<Self> {
        let (source, destination, protocol, is_first) = match network.first()? >> 4 {
            4 => {
                let source: [u8; 4] = part(network, 12)?;
                let destination: [u8; 4] = part(network, 16)?;
                // A fragment other than the first has no transport header.
                let offset = u16::from_be_bytes(part(network, 6)?) & 0x1fff;
                (
                    IpAddr::from(source),
                    IpAddr::from(destination),
                    *network.get(9)?,
                    offset == 0,
                )
            }
            6 => {
                let source: [u8; 16] = part(network, 8)?;
                let destination: [u8; 16] = part(network, 24)?;
                (source.into(), destination.into(), *network.get(6)?, true)
            }
            _ => return None,
        };
        let port = |at| part(transport, at).map(u16::from_be_bytes);
        let ports = || Some((port(0)?, port(2)?));
        Some(Self {
            source,
            destination,
            protocol,
            ports: (is_first && PROTOCOLS_WITH_PORTS.contains(&protocol))
                .then(ports)
                .flatten(),
        })
    }
}

fn part<const N: usize>(header: &[u8], at: usize) -> Option<[u8; N]> {
    header.get(at..at + N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `struct iphdr` of a packet from 10.0.0.2 to 192.0.2.2.
    fn v4(protocol: u8, offset: u16) -> Vec<u8> {
        let mut header = vec![0x45, 0, 0, 60, 0, 1, 0, 0, 64, protocol, 0, 0];
        header[6..8].copy_from_slice(&offset.to_be_bytes());
        header.extend([10, 0, 0, 2, 192, 0, 2, 2]);
        header
    }

    #[test]
    fn ipv4_with_ports_without_and_in_fragments() {
        let transport = [0x80, 0, 0, 53, 9, 9];
        let udp = FiveTuple::decode(&v4(17, 0x4000), &transport).unwrap();
        assert_eq!(udp.source.to_string(), "10.0.0.2");
        assert_eq!(udp.destination.to_string(), "192.0.2.2");
        assert_eq!((udp.protocol, udp.ports), (17, Some((0x8000, 53))));
        assert_eq!(
            FiveTuple::decode(&v4(1, 0), &transport).unwrap().ports,
            None
        );
        assert_eq!(
            FiveTuple::decode(&v4(17, 7), &transport).unwrap().ports,
            None
        );
        assert_eq!(
            FiveTuple::decode(&v4(17, 0), &transport[..3])
                .unwrap()
                .ports,
            None
        );
    }

    #[test]
    fn ipv6() {
        let mut header = vec![0x60, 0, 0, 0, 0, 8, 6, 64];
        header.extend([0xfd; 16]);
        header.extend([0xfe; 16]);
        let tcp = FiveTuple::decode(&header, &[1, 2, 3, 4]).unwrap();
        assert!(tcp.source.is_ipv6() && tcp.source != tcp.destination);
        assert_eq!((tcp.protocol, tcp.ports), (6, Some((0x0102, 0x0304))));
    }

    #[test]
    fn what_is_too_short_or_strange_is_none() {
        for len in 0..20 {
            assert_eq!(FiveTuple::decode(&v4(6, 0)[..len], &[]), None, "{len}");
        }
        assert_eq!(FiveTuple::decode(&[0x50; 60], &[]), None);
        assert_eq!(FiveTuple::decode(&[0x60; 39], &[]), None);
    }
}
