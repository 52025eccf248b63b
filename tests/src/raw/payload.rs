//! What packets carry behind their header of IP.

use std::net::IpAddr;

const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP: u8 = 1;
const ICMPV6: u8 = 58;

/// What is behind the header of IP.
#[derive(Debug, Clone)]
pub struct Payload {
    /// Its number, as in the header of IP.
    pub protocol: u8,
    /// From the header of the protocol on.
    pub bytes: Vec<u8>,
    /// Where the checksum stands that is to be filled in, if it shall be right.
    pub checksum_at: Option<usize>,
}

/// The kinds that conntrack calls invalid or untracked where no connection is, each with its name.
#[must_use]
pub fn of_no_connection(to: IpAddr) -> Vec<(&'static str, Payload)> {
    let mut kinds = vec![
        ("a lone RST", tcp(0x04)),
        ("RST and ACK", tcp(0x14)),
        ("a lone FIN", tcp(0x01)),
        ("SYN and ACK", tcp(0x12)),
        ("no flags", tcp(0)),
        ("SYN and FIN", tcp(0x03)),
        ("a bad checksum", with_bad_checksum(udp(9))),
        ("a truncated header", truncated(tcp(0x02), 10)),
        ("an echo reply that nobody asked for", echo(to, false)),
        ("an ICMP error of no connection", error(to)),
    ];
    if to.is_ipv6() {
        kinds.push(("a neighbour solicitation", solicitation(to)));
        kinds.push(("a report of multicast listeners", report()));
    }
    kinds
}

fn tcp(flags: u8) -> Payload {
    tcp_between(40_000, 80, flags)
}

/// A segment of TCP from a port to a port, with these flags.
#[must_use]
pub fn tcp_between(from: u16, port: u16, flags: u8) -> Payload {
    let mut bytes: Vec<u8> = [from, port]
        .into_iter()
        .flat_map(u16::to_be_bytes)
        .collect();
    bytes.extend([0, 0, 0, 7, 0, 0, 0, 7, 0x50, flags, 0x10, 0, 0, 0, 0, 0]);
    Payload {
        protocol: TCP,
        bytes,
        checksum_at: Some(16),
    }
}

/// A datagram to a port.
#[must_use]
pub fn udp(port: u16) -> Payload {
    udp_between(40_000, port)
}

/// A datagram from a port to a port.
///
/// # Panics
/// Never: it is short.
#[must_use]
pub fn udp_between(from: u16, port: u16) -> Payload {
    let data = b"forged!!";
    let length = u16::try_from(8 + data.len()).expect("a short packet");
    let words = [from, port, length, 0];
    let mut bytes: Vec<u8> = words.into_iter().flat_map(u16::to_be_bytes).collect();
    bytes.extend(data);
    Payload {
        protocol: UDP,
        bytes,
        checksum_at: Some(6),
    }
}

/// The same with a checksum that is wrong.
///
/// # Panics
/// If its checksum is not to be filled in.
#[must_use]
pub fn with_bad_checksum(payload: Payload) -> Payload {
    let at = payload.checksum_at.expect("it has one");
    let mut bytes = payload.bytes;
    bytes[at..at + 2].copy_from_slice(&[0xba, 0xd1]);
    Payload {
        bytes,
        checksum_at: None,
        ..payload
    }
}

/// The first bytes of the same.
#[must_use]
pub fn truncated(payload: Payload, length: usize) -> Payload {
    let mut bytes = payload.bytes;
    bytes.truncate(length);
    Payload {
        bytes,
        checksum_at: None,
        ..payload
    }
}

/// An echo request, or a reply.
#[must_use]
pub fn echo(to: IpAddr, is_request: bool) -> Payload {
    let kind = match (to, is_request) {
        (IpAddr::V4(_), true) => 8,
        (IpAddr::V4(_), false) => 0,
        (IpAddr::V6(_), true) => 128,
        (IpAddr::V6(_), false) => 129,
    };
    icmp(to, vec![kind, 0, 0, 0, 0, 7, 0, 1])
}

/// Port unreachable, about a datagram that nobody sent.
#[must_use]
pub fn error(to: IpAddr) -> Payload {
    let nobody = match to {
        IpAddr::V4(_) => [10, 0, 0, 2].into(),
        IpAddr::V6(_) => [0xfd00, 0, 0, 0, 0, 0, 0, 2].into(),
    };
    error_about(to, nobody)
}

/// Port unreachable, about a datagram between the ports 9 of these.
///
/// # Panics
/// If they are of two families.
#[must_use]
pub fn error_about(source: IpAddr, destination: IpAddr) -> Payload {
    let mut bytes = vec![3, 3, 0, 0, 0, 0, 0, 0];
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            bytes.extend([0x45, 0, 0, 28, 0, 1, 0, 0, 64, UDP, 0, 0]);
            bytes.extend(source.octets());
            bytes.extend(destination.octets());
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            bytes[..2].copy_from_slice(&[1, 4]);
            bytes.extend([0x60, 0, 0, 0, 0, 8, UDP, 64]);
            bytes.extend(source.octets());
            bytes.extend(destination.octets());
        }
        _ => panic!("two families: {source}, {destination}"),
    }
    bytes.extend([0, 9, 0, 9, 0, 8, 0, 0]);
    icmp(source, bytes)
}

fn solicitation(to: IpAddr) -> Payload {
    let mut bytes = vec![135, 0, 0, 0, 0, 0, 0, 0];
    if let IpAddr::V6(to) = to {
        bytes.extend(to.octets());
    }
    icmp(to, bytes)
}

fn report() -> Payload {
    let group = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
    let bytes = [vec![131, 0, 0, 0, 0, 0, 0, 0], group.to_vec()].concat();
    Payload {
        protocol: ICMPV6,
        bytes,
        checksum_at: Some(2),
    }
}

fn icmp(to: IpAddr, bytes: Vec<u8>) -> Payload {
    Payload {
        protocol: if to.is_ipv4() { ICMP } else { ICMPV6 },
        bytes,
        checksum_at: Some(2),
    }
}
