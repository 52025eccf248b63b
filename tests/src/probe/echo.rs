//! Echo requests, replies and refusals as they are on the wire.

use std::net::IpAddr;

use socket2::Protocol;

use crate::raw::checksum;

/// The types of messages that matter, of ICMP or of ICMPv6.
#[derive(Debug)]
pub struct Types {
    /// What a raw socket for them is made with.
    pub protocol: Protocol,
    request: u8,
    reply: u8,
    /// Type and code.
    port_unreachable: [u8; 2],
}

const ICMP: Types = Types {
    protocol: Protocol::ICMPV4,
    request: 8,
    reply: 0,
    port_unreachable: [3, 3],
};

const ICMPV6: Types = Types {
    protocol: Protocol::ICMPV6,
    request: 128,
    reply: 129,
    port_unreachable: [1, 4],
};

impl Types {
    /// Those of the family of an address.
    #[must_use]
    pub fn of(address: IpAddr) -> &'static Self {
        if address.is_ipv4() { &ICMP } else { &ICMPV6 }
    }

    /// An echo request that carries this mark.
    #[must_use]
    pub fn request(&self, identifier: u16, mark: &[u8; 16]) -> Vec<u8> {
        let mut request = vec![self.request, 0, 0, 0];
        request.extend(identifier.to_be_bytes());
        // The sequence.
        request.extend([0, 1]);
        request.extend(mark);
        // The kernel fills in ICMPv6's, which covers its pseudo header.
        if self.protocol == Protocol::ICMPV4 {
            let checksum = checksum(&request);
            request[2..4].copy_from_slice(&checksum.to_be_bytes());
        }
        request
    }
}

/// What a raw socket read.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    types: &'static Types,
    bytes: &'a [u8],
}

impl<'a> Message<'a> {
    /// What came from this address. A raw socket of IPv4 reads the IP header too.
    #[must_use]
    pub fn of(source: IpAddr, packet: &'a [u8]) -> Self {
        let header = match packet.first() {
            Some(first) if source.is_ipv4() => usize::from(first & 0xf) * 4,
            _ => 0,
        };
        Self {
            types: Types::of(source),
            bytes: packet.get(header..).unwrap_or_default(),
        }
    }

    /// Whether it asks for an echo.
    #[must_use]
    pub fn is_request(&self) -> bool {
        self.bytes.first() == Some(&self.types.request)
    }

    /// Whether it is an echo.
    #[must_use]
    pub fn is_reply(&self) -> bool {
        self.bytes.first() == Some(&self.types.reply)
    }

    /// Whether somebody says that a port is unreachable.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        self.bytes.starts_with(&self.types.port_unreachable)
    }

    /// What follows this part of a mark in it, or in the message that it refuses.
    #[must_use]
    pub fn behind(&self, mark: &[u8]) -> Option<&'a [u8]> {
        let mut places = 0..=self.bytes.len().checked_sub(mark.len())?;
        let place = places.find(|&place| self.bytes[place..].starts_with(mark))?;
        Some(&self.bytes[place + mark.len()..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_behind_a_header() {
        let source = IpAddr::from([192, 0, 2, 1]);
        let request = Types::of(source).request(7, b"0123456789abcdef");
        let packet = [&[0x45][..], &[0; 19], &request].concat();
        let message = Message::of(source, &packet);
        assert!(message.is_request() && !message.is_reply());
        assert_eq!(message.behind(b"0123456789ab"), Some(&b"cdef"[..]));
        assert_eq!(message.behind(b"0123456789xx"), None);
    }
}
