//! Random packets, of few addresses and ports, so that rules apply and flows meet again.

use std::net::IpAddr;

use palisade_tests::Chance;

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

/// A packet, and where to send it.
pub(crate) struct Packet {
    pub(crate) destination: IpAddr,
    pub(crate) bytes: Vec<u8>,
}

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

/// `number` is told in it where the kernel leaves it alone: as IPv4's identification, and IPv6's flow
/// label.
pub(crate) fn packet(chance: &mut Chance, ends: Ends, number: u16) -> Packet {
    let Ends {
        source,
        destination,
        protocol,
        ports,
    } = ends;
    let transport = transport(chance, protocol, ports);
    let bytes = match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let len = u16::try_from(20 + transport.len()).unwrap_or(20);
            let mut header = vec![0x45, 0];
            header.extend(len.to_be_bytes());
            header.extend(number.to_be_bytes());
            header.extend([0, 0, HOPS, protocol, 0, 0]);
            header.extend(source.octets());
            header.extend(destination.octets());
            header
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let len = u16::try_from(transport.len()).unwrap_or(0);
            let mut header = vec![0x60, 0];
            header.extend(number.to_be_bytes());
            header.extend(len.to_be_bytes());
            header.extend([protocol, HOPS]);
            header.extend(source.octets());
            header.extend(destination.octets());
            header
        }
        _ => unreachable!("both are of one family"),
    };
    Packet {
        destination,
        bytes: [bytes, transport].concat(),
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

fn transport(chance: &mut Chance, protocol: u8, ports: [u16; 2]) -> Vec<u8> {
    let ports = ports.map(u16::to_be_bytes).concat();
    match protocol {
        6 => {
            // SYN, SYN and ACK, ACK, RST, and one that makes no sense.
            let flags = *chance.one_of(&[0x02, 0x02, 0x12, 0x10, 0x04, 0x03]);
            let rest = [0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0];
            [ports, rest.to_vec()].concat()
        }
        17 => [ports, vec![0, 12, 0, 0, 1, 2, 3, 4]].concat(),
        // Echo, and its reply.
        1 => vec![*chance.one_of(&[8, 8, 0]), 0, 0, 0, 0, 7, 0, 1],
        58 => vec![*chance.one_of(&[128, 128, 129]), 0, 0, 0, 0, 7, 0, 1],
        _ => vec![0; 8],
    }
}
