//! Networks and packets for tests of the evaluators, here and in the programs' crates.

#![allow(
    clippy::unwrap_used,
    reason = "what is wrong here is a mistake in a test"
)]

use std::net::IpAddr;

use super::{Flow, Packet};
use crate::network::{AddressRange, Description, Forward, Nat, Network};

fn network(name: &str, bridge: &str, forward: Forward, subnets: &[&str]) -> Network {
    Network::new(Description {
        subnets: subnets
            .iter()
            .map(|subnet| subnet.parse().unwrap())
            .collect(),
        dhcp: true,
        ..Description::new(
            name.parse().unwrap(),
            Some(bridge.parse().unwrap()),
            forward,
        )
    })
    .unwrap()
}

/// What the guests of `bound` leave with.
///
/// # Panics
/// Never.
#[must_use]
pub(crate) fn addresses() -> AddressRange {
    AddressRange::new([203, 0, 113, 7].into(), [203, 0, 113, 9].into()).unwrap()
}

/// One of every kind, and a fourth that packets may come from.
///
/// # Panics
/// Never.
#[must_use]
pub fn networks() -> Vec<Network> {
    let device = Some("eth1".parse().unwrap());
    let natted = |device, ipv6, addresses| {
        Forward::Nat(Nat {
            device,
            ipv6,
            addresses,
            ..Nat::default()
        })
    };
    let addresses = Some(addresses());
    vec![
        network(
            "nat",
            "br0",
            natted(None, true, None),
            &["10.0.0.1/24", "fd00::1/64"],
        ),
        network(
            "routed",
            "br1",
            Forward::Route { device: None },
            &["10.1.0.1/25", "fd01::1/64"],
        ),
        network("quiet", "br2", Forward::Isolated, &["10.2.0.1/24"]),
        network(
            "bound",
            "br3",
            natted(device, false, addresses),
            &["10.3.0.1/26", "fd03::1/64"],
        ),
        network(
            "fourth",
            "br4",
            Forward::Route { device: None },
            &["10.4.0.1/30"],
        ),
    ]
}

/// A packet in and out of these interfaces, from and to these addresses.
///
/// # Panics
/// If an address is none, or they are of two families.
#[must_use]
pub fn packet(way: (&str, &str), ends: (&str, &str), protocol: u8, flow: Flow) -> Packet {
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    let mut packet = Packet::new(address(ends.0), address(ends.1), protocol).unwrap();
    packet.in_interface = way.0.parse().ok();
    packet.out_interface = way.1.parse().ok();
    packet.flow = flow;
    packet.reverse_path = packet.in_interface.as_ref().map(|_| true);
    packet
}
