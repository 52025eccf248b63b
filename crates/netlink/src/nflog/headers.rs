//! The headers of a packet, as far as they tell packets apart.

use std::net::IpAddr;

use crate::Family;

/// Where a packet goes. Packets may be cut off anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PacketHeaders {
    /// The source.
    pub source: IpAddr,
    /// The destination.
    pub destination: IpAddr,
    /// The protocol, behind the extension headers of IPv6; none if the packet ends before it.
    pub protocol: Option<u8>,
    /// The source and the destination port; none if the protocol has none, or they are missing: in all
    /// fragments but the first, and in packets that end before them.
    pub ports: Option<(u16, u16)>,
}

/// Protocols that begin with two ports: TCP, UDP, DCCP, SCTP, UDP-Lite.
const WITH_PORTS: [u8; 5] = [6, 17, 33, 132, 136];

impl PacketHeaders {
    /// Reads the beginning of a packet of this family; none if it ends before the addresses, or is of
    /// another.
    #[must_use]
    pub fn read(family: Family, packet: &[u8]) -> Option<Self> {
        match family {
            Family::Ip => ipv4(packet),
            Family::Ip6 => ipv6(packet),
            _ => None,
        }
    }
}

fn ipv4(packet: &[u8]) -> Option<PacketHeaders> {
    let (header, _) = packet.split_first_chunk::<20>()?;
    if header[0] >> 4 != 4 {
        return None;
    }
    let address = |at: usize| <[u8; 4]>::try_from(header.get(at..at + 4)?).ok();
    let protocol = header[9];
    let offset = u16::from_be_bytes([header[6] & 0x1f, header[7]]);
    let behind = packet.get(usize::from(header[0] & 0xf) * 4..);
    Some(PacketHeaders {
        source: address(12)?.into(),
        destination: address(16)?.into(),
        protocol: Some(protocol),
        ports: behind.and_then(|behind| ports(protocol, offset, behind)),
    })
}

fn ipv6(packet: &[u8]) -> Option<PacketHeaders> {
    let (header, mut rest) = packet.split_first_chunk::<40>()?;
    if header[0] >> 4 != 6 {
        return None;
    }
    let address = |at: usize| <[u8; 16]>::try_from(header.get(at..at + 16)?).ok();
    let mut read = PacketHeaders {
        source: address(8)?.into(),
        destination: address(24)?.into(),
        protocol: None,
        ports: None,
    };
    let (mut next, mut offset) = (header[6], 0);
    // Each step leaves at least eight bytes fewer.
    while let Some(len) = extension(next, rest) {
        /// The header of a fragment.
        const FRAGMENT: u8 = 44;
        if let (FRAGMENT, &[_, _, high, low, ..]) = (next, rest) {
            offset = u16::from_be_bytes([high, low]) >> 3;
        }
        let (Some(&following), Some(behind)) = (rest.first(), rest.get(len..)) else {
            return Some(read);
        };
        (next, rest) = (following, behind);
    }
    read.protocol = Some(next);
    read.ports = ports(next, offset, rest);
    Some(read)
}

/// The length of an extension header, if this is one.
fn extension(kind: u8, header: &[u8]) -> Option<usize> {
    let len = header.get(1).map_or(0, |len| usize::from(*len));
    match kind {
        // Hop-by-hop, routing, destination options, mobility.
        0 | 43 | 60 | 135 => Some((len + 1) * 8),
        44 => Some(8),
        // Authentication.
        51 => Some((len + 2) * 4),
        _ => None,
    }
}

fn ports(protocol: u8, offset: u16, behind: &[u8]) -> Option<(u16, u16)> {
    let (&[a, b, c, d], _) = behind.split_first_chunk::<4>()?;
    let has_ports = WITH_PORTS.contains(&protocol) && offset == 0;
    has_ports.then(|| (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// From 10.0.0.1 to 10.0.0.2.
    fn ipv4(protocol: u8, fragment: [u8; 2], behind: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x45, 0, 0, 0, 0, 0, fragment[0], fragment[1], 64, protocol];
        packet.extend([0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        packet.extend(behind);
        packet
    }

    /// From ::1 to ::2.
    fn ipv6(next: u8, behind: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x60, 0, 0, 0, 0, 0, next, 64];
        for last in [1, 2] {
            packet.extend([0; 15]);
            packet.push(last);
        }
        packet.extend(behind);
        packet
    }

    const PORTS: [u8; 4] = [0x9c, 0x40, 0, 22];

    #[test]
    fn addresses_and_ports() {
        let read = PacketHeaders::read(Family::Ip, &ipv4(6, [0, 0], &PORTS)).unwrap();
        assert_eq!(read.source.to_string(), "10.0.0.1");
        assert_eq!(read.destination.to_string(), "10.0.0.2");
        assert_eq!((read.protocol, read.ports), (Some(6), Some((40000, 22))));
        let read = PacketHeaders::read(Family::Ip6, &ipv6(17, &PORTS)).unwrap();
        assert_eq!(read.destination.to_string(), "::2");
        assert_eq!((read.protocol, read.ports), (Some(17), Some((40000, 22))));
    }

    #[test]
    fn no_ports_of_icmp_and_of_fragments_behind_the_first() {
        let ports = |packet: &[u8]| PacketHeaders::read(Family::Ip, packet).unwrap().ports;
        assert_eq!(ports(&ipv4(1, [0, 0], &PORTS)), None);
        assert_eq!(ports(&ipv4(6, [0x20, 0], &PORTS)), Some((40000, 22)));
        assert_eq!(ports(&ipv4(6, [0x20, 1], &PORTS)), None);
        let fragment = |offset: u8| {
            let header = [6, 0, 0, offset << 3 | 1, 0, 0, 0, 0];
            let packet = ipv6(44, &[&header[..], &PORTS].concat());
            PacketHeaders::read(Family::Ip6, &packet).unwrap()
        };
        assert_eq!(fragment(0).ports, Some((40000, 22)));
        assert_eq!((fragment(1).protocol, fragment(1).ports), (Some(6), None));
    }

    #[test]
    fn extension_headers_are_skipped() {
        let hop_by_hop = [60, 0, 0, 0, 0, 0, 0, 0];
        let options = [6, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let behind = [&hop_by_hop[..], &options, &PORTS].concat();
        let packet = ipv6(0, &behind);
        let read = PacketHeaders::read(Family::Ip6, &packet).unwrap();
        assert_eq!((read.protocol, read.ports), (Some(6), Some((40000, 22))));
        // Within the options, it is not known what follows.
        let cut = PacketHeaders::read(Family::Ip6, &packet[..50]).unwrap();
        assert_eq!((cut.protocol, cut.ports), (None, None));
    }

    #[test]
    fn packets_may_be_cut_off() {
        let packet = ipv4(6, [0, 0], &PORTS);
        for end in 0..packet.len() {
            let read = PacketHeaders::read(Family::Ip, &packet[..end]);
            assert_eq!(read.is_some(), end >= 20, "{end}");
            assert_eq!(read.and_then(|read| read.ports), None, "{end}");
        }
        assert_eq!(PacketHeaders::read(Family::Ip6, &packet), None);
        assert_eq!(PacketHeaders::read(Family::Bridge, &packet), None);
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200), first in 0..2_usize) {
            let mut bytes = bytes;
            if let Some(byte) = bytes.first_mut() {
                *byte = [0x45, 0x60][first];
            }
            for family in [Family::Ip, Family::Ip6] {
                let _ = PacketHeaders::read(family, &bytes);
            }
        }
    }
}
