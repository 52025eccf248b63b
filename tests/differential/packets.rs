//! Random packets, of few addresses and ports, so that rules apply and flows meet again.

use std::net::IpAddr;

use palisade_tests::Chance;
use palisade_tests::raw::{self, Packet, Payload};

use crate::way_out::way_out;

/// The ports that occur.
pub(crate) const PORTS: [u16; 5] = [53, 67, 1000, 2000, 5000];

/// From whom to whom a packet goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ends {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) protocol: u8,
    pub(crate) ports: [u16; 2],
}

/// The TTL or hop limit of packets, by which the host knows them from what kernels send each other.
pub(crate) const HOPS: u8 = 77;

impl Ends {
    pub(crate) fn random(chance: &mut Chance) -> Self {
        let v6 = chance.below(3) == 0;
        Self {
            protocol: *chance.one_of(&[6, 17, 17, if v6 { 58 } else { 1 }, 99]),
            source: address(chance, v6, &[1, 2, 4, 5]),
            destination: address(chance, v6, &[1, 1, 2, 2, 4, 5, 9]),
            ports: [(); 2].map(|()| *chance.one_of(&PORTS)),
        }
    }

    /// Those of an answer; none from the host's own addresses, whose packets are its own.
    pub(crate) fn answer(self) -> Option<Self> {
        let is_own = way_out(self.destination).is_none();
        let [from, to] = self.ports;
        (!is_own).then_some(Self {
            source: self.destination,
            destination: self.source,
            ports: [to, from],
            ..self
        })
    }
}

/// Whether the headers of some packets end too soon. iptables itself drops those where a rule matches
/// ports, which the evaluator leaves open, and so what rules count cannot be foretold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Headers {
    Whole,
    SomeCut,
}

/// `number` is told in it where the kernel leaves it alone.
pub(crate) fn packet(chance: &mut Chance, ends: Ends, headers: Headers, number: u16) -> Packet {
    let packet = Packet::new(
        ends.source,
        ends.destination,
        payload(chance, ends, headers),
    );
    Packet {
        hops: HOPS,
        number,
        ..packet
    }
}

/// One of the few in one of these networks.
fn address(chance: &mut Chance, v6: bool, networks: &[u8]) -> IpAddr {
    let network = *chance.one_of(networks);
    let subnet = if network == 9 {
        0
    } else {
        *chance.one_of(&[0, 0, 1, 200])
    };
    let host = *chance.one_of(&[1, 2, 66, 130]);
    let host = if network == 9 { 1 + host % 2 } else { host };
    if v6 {
        let [network, subnet, host] = [network, subnet, host].map(u16::from);
        [0xfd00 | network, 0, 0, subnet, 0, 0, 0, host].into()
    } else {
        [10, network, subnet, host].into()
    }
}

/// Of every kind, also such as conntrack can make nothing of: flags that begin nothing, replies and
/// errors that nothing came before, wrong checksums, headers that end too soon.
fn payload(chance: &mut Chance, ends: Ends, headers: Headers) -> Payload {
    let [from, to] = ends.ports;
    let payload = match ends.protocol {
        6 => {
            // SYN, SYN and ACK, ACK, RST, FIN, none, and SYN and FIN, which makes no sense.
            let flags = [0x02, 0x02, 0x02, 0x12, 0x10, 0x04, 0x01, 0, 0x03];
            raw::tcp_between(from, to, *chance.one_of(&flags))
        }
        17 => raw::udp_between(from, to),
        1 | 58 => match chance.below(4) {
            0 => raw::echo(ends.source, false),
            1 => raw::error(ends.source),
            _ => raw::echo(ends.source, true),
        },
        protocol => Payload {
            protocol,
            bytes: vec![0; 8],
            checksum_at: None,
        },
    };
    if payload.checksum_at.is_none() {
        return payload;
    }
    match chance.below(40) {
        0 => raw::with_bad_checksum(payload),
        1 if headers == Headers::SomeCut => raw::truncated(payload, 3),
        _ => payload,
    }
}
