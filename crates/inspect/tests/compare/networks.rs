//! Networks that can run side by side, close to one another.

use std::net::{IpAddr, SocketAddr};

use palisade::Network;
use palisade::network::{
    AddressRange, Description, Established, Forward, InterfaceName, LogRefused, Nat, PortForward,
    PortRange, Subnet, UnmanagedMode, conflicts,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// Up to five of any mode.
pub(crate) fn some() -> impl Strategy<Value = Vec<Network>> {
    (1..=5_usize)
        .prop_flat_map(|count| (0..count).map(network).collect::<Vec<_>>())
        .prop_map(|mut networks| {
            // What cannot run beside those before it is left out.
            let mut kept = Vec::new();
            for network in networks.drain(..) {
                kept.push(network);
                if !conflicts(&kept).is_empty() {
                    kept.pop();
                }
            }
            kept
        })
}

/// This many, of each kind some, as one finds them.
pub(crate) fn many(count: usize) -> Vec<Network> {
    let forward = |number: usize| match number % 4 {
        0 => Forward::Nat(Nat::default()),
        1 => Forward::Route { device: None },
        2 => Forward::Isolated,
        _ => Forward::Nat(Nat {
            device: Some(name(&format!("eth{}", number % 3))),
            ipv6: true,
            ..Nat::default()
        }),
    };
    (0..count)
        .map(|number| {
            let mut subnets = vec![subnet(&format!("10.0.{number}.0/24"))];
            if number % 3 > 0 {
                subnets.push(subnet(&format!("fd00:{number}::/64")));
            }
            described(number, forward(number), subnets)
        })
        .collect()
}

pub(crate) fn described(number: usize, forward: Forward, subnets: Vec<Subnet>) -> Network {
    Network::new(Description {
        subnets,
        ..Description::new(
            format!("n{number}").parse().unwrap(),
            Some(name(&format!("br{number}"))),
            forward,
        )
    })
    .unwrap()
}

pub(crate) fn subnet(text: &str) -> Subnet {
    text.parse().unwrap()
}

pub(crate) fn range(start: [u8; 4], end: [u8; 4]) -> AddressRange {
    AddressRange::new(start.into(), end.into()).unwrap()
}

pub(crate) fn name(text: &str) -> InterfaceName {
    text.parse().unwrap()
}

fn network(number: usize) -> impl Strategy<Value = Network> {
    let forwards = vec(any::<[bool; 3]>(), 0..3);
    let parts = (forward(), subnets(), any::<[bool; 5]>(), forwards);
    let ruled = parts.prop_map(
        move |(forward, subnets, [ipv6, dhcp, tftp, isolated_ports, logs], forwards)| {
            let needs_one = matches!(forward, Forward::Nat(_) | Forward::Route { .. });
            let forward = if needs_one && subnets.is_empty() {
                Forward::Isolated
            } else {
                forward
            };
            let forwards = match forward {
                Forward::Open => Vec::new(),
                _ => port_forwards(number, &subnets, &forwards),
            };
            Description {
                forwards,
                subnets,
                ipv6,
                dhcp,
                tftp,
                isolated_ports,
                log: logs.then(LogRefused::default),
                ..Description::new(
                    format!("n{number}").parse().unwrap(),
                    Some(name(&format!("br{number}"))),
                    forward,
                )
            }
        },
    );
    let unmanaged = select(vec![UnmanagedMode::Bridge, UnmanagedMode::Vepa]);
    let unmanaged = unmanaged.prop_map(move |mode| {
        Description::new(
            format!("n{number}").parse().unwrap(),
            (mode == UnmanagedMode::Bridge).then(|| name(&format!("br{number}"))),
            Forward::Unmanaged(mode),
        )
    });
    // A network whose device is its own bridge is none.
    let sound = prop_oneof![8 => ruled, 1 => unmanaged]
        .prop_filter_map("sound", |description| Network::new(description).ok());
    (sound, select(Established::ALL.to_vec()))
        .prop_map(|(network, established)| network.with_established(established))
}

/// Ports that lead to guests of the first subnets, each for tcp or udp, at one address or at every one, and for
/// every source or some.
fn port_forwards(network: usize, subnets: &[Subnet], wanted: &[[bool; 3]]) -> Vec<PortForward> {
    let forward =
        |(place, (subnet, &[is_udp, is_at, is_for_some])): (usize, (&Subnet, &[bool; 3]))| {
            // Of an address alone, the guest is that one.
            let guest = subnet.net().hosts().nth(2).unwrap_or(subnet.network());
            let protocol = if is_udp { "udp" } else { "tcp" };
            let listen = 8000 + 10 * network + place;
            let (address, source) = match guest {
                IpAddr::V4(_) => ("203.0.113.7:", "198.51.100.0/25"),
                IpAddr::V6(_) => ("[2001:db8:2::7]:", "2001:db8:1::/120"),
            };
            let address = if is_at { address } else { "" };
            let to = SocketAddr::new(guest, 53);
            let forward = format!("{protocol} {address}{listen} -> {to}");
            let forward: PortForward = forward.parse().ok()?;
            match is_for_some {
                true => forward.with_sources(vec![self::subnet(source)]).ok(),
                false => Some(forward),
            }
        };
    let each = subnets.iter().zip(wanted).enumerate();
    each.filter_map(forward).collect()
}

/// Few addresses, so that subnets of networks lie side by side, and beside those that are special.
fn subnets() -> impl Strategy<Value = Vec<Subnet>> {
    let v4 = (0..8_u8, 24..=32_u8).prop_map(|(eighth, prefix)| {
        Subnet::new([10, 0, 0, eighth * 32].into(), prefix.max(27)).unwrap()
    });
    let wide = (0..4_u8, 1..=24_u8).prop_map(|(part, prefix)| {
        let first = [12, 64, 128, 192][usize::from(part)];
        Subnet::new([first, 168, part, 0].into(), prefix.max(2)).unwrap()
    });
    let v6 = (0..8_u16, 48..=128_u8).prop_map(|(part, prefix)| {
        let address = [0xfd00, 0, 0, part, 0, 0, 0, part];
        Subnet::new(address.into(), prefix.max(61)).unwrap()
    });
    vec(prop_oneof![4 => v4, 1 => wide, 3 => v6], 0..4).prop_map(|all| {
        let mut kept: Vec<Subnet> = Vec::new();
        for subnet in all {
            if !kept.iter().any(|other| other.overlaps(subnet)) {
                kept.push(subnet);
            }
        }
        kept
    })
}

fn forward() -> impl Strategy<Value = Forward> {
    // A network may be bound to a device that is another's bridge.
    let device = || option::of(select(vec!["eth0", "eth1", "br0", "br1"]).prop_map(name));
    let addresses = option::of((1..=20_u8, 0..20_u8).prop_map(|(start, more)| {
        let last = [203, 0, 113, start + more];
        AddressRange::new([203, 0, 113, start].into(), last.into()).unwrap()
    }));
    let ports = prop_oneof![
        Just(PortRange::default()),
        Just(PortRange::new(1, 1023).unwrap()),
        Just(PortRange::new(53, 53).unwrap()),
    ];
    let nat = (device(), addresses, ports, any::<bool>());
    let nat = nat.prop_map(|(device, addresses, ports, ipv6)| {
        Forward::Nat(Nat {
            device,
            addresses,
            ports,
            ipv6,
            ..Nat::default()
        })
    });
    prop_oneof![
        2 => Just(Forward::Isolated),
        4 => nat,
        3 => device().prop_map(|device| Forward::Route { device }),
        1 => Just(Forward::Open),
    ]
}
