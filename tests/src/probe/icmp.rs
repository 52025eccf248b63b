//! Echo requests and replies. The kernel of the other end answers; a raw socket there watches.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use socket2::{Protocol, Type};

use super::{End, Outcome, PATIENCE, wait};

/// The types of messages that matter, of ICMP and of ICMPv6.
struct Types {
    protocol: Protocol,
    request: u8,
    reply: u8,
    /// Type and code.
    port_unreachable: (u8, u8),
}

const ICMP: Types = Types {
    protocol: Protocol::ICMPV4,
    request: 8,
    reply: 0,
    port_unreachable: (3, 3),
};

const ICMPV6: Types = Types {
    protocol: Protocol::ICMPV6,
    request: 128,
    reply: 129,
    port_unreachable: (1, 4),
};

pub(super) fn ask(from: &End<'_>, to: &End<'_>) -> Outcome {
    let types = if from.address.is_ipv4() { ICMP } else { ICMPV6 };
    let raw = |end: &End<'_>| {
        let socket = end.at(0).socket(Type::RAW, Some(types.protocol));
        // As a datagram socket it tells the source of what it reads.
        UdpSocket::from(OwnedFd::from(socket))
    };
    let (client, watch) = (raw(from), raw(to));
    let token = token();
    let request = request(&types, &token);
    let address = SocketAddr::from((to.address, 0));
    client.send_to(&request, address).expect("send a request");
    let until = Instant::now() + PATIENCE;
    let mut seen = None;
    while let Some(readable) = wait([&watch, &client], until) {
        let socket = if readable == 0 { &watch } else { &client };
        let mut bytes = [0; 1500];
        let Ok((len, source)) = socket.recv_from(&mut bytes) else {
            continue;
        };
        let message = message(source.ip(), &bytes[..len]);
        let ([kind, code, ..], true) = (message, carries(message, &token)) else {
            continue;
        };
        if readable == 0 && *kind == types.request {
            seen = Some(source);
        } else if readable == 1 && *kind == types.reply {
            return seen.map_or(Outcome::Silent, Outcome::Answered);
        } else if readable == 1 && (*kind, *code) == types.port_unreachable {
            return Outcome::Refused;
        }
    }
    seen.map_or(Outcome::Silent, Outcome::Arrived)
}

/// What no other question carries.
fn token() -> [u8; 16] {
    static ASKED: AtomicU64 = AtomicU64::new(0);
    let number = ASKED.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    let mut token = *b"palisade--------";
    token[8..].copy_from_slice(&number);
    token
}

fn request(types: &Types, token: &[u8; 16]) -> Vec<u8> {
    let mut request = vec![types.request, 0, 0, 0];
    // Identifier and sequence.
    request.extend([token[14], token[15], 0, 1]);
    request.extend(token);
    // The kernel fills in ICMPv6's, which covers its pseudo header.
    if types.protocol == Protocol::ICMPV4 {
        let checksum = checksum(&request);
        request[2..4].copy_from_slice(&checksum.to_be_bytes());
    }
    request
}

/// The internet checksum of an even number of bytes.
fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    let sum = words.fold(0, |sum: u32, word| sum + u32::from(word));
    let folded = (sum & 0xffff) + (sum >> 16);
    !u16::try_from((folded & 0xffff) + (folded >> 16)).unwrap_or(0xffff)
}

/// A raw socket of IPv4 reads the IP header too.
fn message(source: IpAddr, packet: &[u8]) -> &[u8] {
    let header = match packet.first() {
        Some(first) if source.is_ipv4() => usize::from(first & 0xf) * 4,
        _ => 0,
    };
    packet.get(header..).unwrap_or_default()
}

fn carries(message: &[u8], token: &[u8; 16]) -> bool {
    message.windows(token.len()).any(|window| window == token)
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
