//! Random networks.

mod fields;
mod formats;

use palisade_core::Network;
use palisade_core::network::{
    AddressRange, Description, Family, Forward, InterfaceName, Name, Nat, PortRange, Subnet,
    UnmanagedMode, Zone,
};
use proptest::prelude::*;
use proptest::sample::select;

pub(crate) use formats::{Style, json, toml, xml};

/// Networks, each sound by itself.
pub(crate) fn networks() -> impl Strategy<Value = Vec<Network>> {
    prop::collection::vec(network(), 1..4)
}

fn network() -> impl Strategy<Value = Network> {
    let owned = (bridge(), prop::option::of(zone()), forward(), subnets());
    let fields = (
        fields::mtu(),
        fields::mss_clamp(),
        fields::log(),
        fields::forwards(),
    );
    let owned = (name(), owned, any::<[bool; 4]>(), fields).prop_map(
        |(name, (bridge, zone, forward, subnets), flags, (mtu, mss_clamp, log, forwards))| {
            let [ipv6, dhcp, tftp, isolated_ports] = flags;
            let v4 = subnets.iter().any(|subnet| subnet.family() == Family::Ipv4);
            let forward = match forward {
                Forward::Nat(_) | Forward::Route { .. } if subnets.is_empty() => Forward::Isolated,
                forward => forward,
            };
            let has_rules = forward != Forward::Open;
            let forwards = fields::within(&subnets, &forwards);
            Description {
                zone,
                mtu,
                subnets,
                ipv6,
                dhcp: dhcp && v4,
                tftp: tftp && v4,
                isolated_ports,
                mss_clamp: mss_clamp.filter(|_| has_rules),
                forwards: if has_rules { forwards } else { Vec::new() },
                log: log.filter(|_| has_rules),
                ..Description::new(name, Some(bridge), forward)
            }
        },
    );
    let host = (bridge(), prop::option::of(zone()));
    let others = (
        name(),
        prop::option::of(host),
        any::<[bool; 2]>(),
        unmanaged(),
    );
    let others = others.prop_map(|(name, host, [ipv6, isolated_ports], mode)| {
        let host = host.filter(|_| mode == UnmanagedMode::Bridge);
        let (bridge, zone) = host.unzip();
        Description {
            zone: zone.flatten(),
            ipv6,
            isolated_ports,
            ..Description::new(name, bridge, Forward::Unmanaged(mode))
        }
    });
    prop_oneof![4 => owned, 1 => others].prop_map(sound)
}

/// Without forwards, where two of them exclude each other or lead to no guest.
fn sound(description: Description) -> Network {
    let without = Description {
        forwards: Vec::new(),
        ..description.clone()
    };
    Network::new(description).unwrap_or_else(|_| Network::new(without).unwrap())
}

/// Names with all that they may hold.
fn name() -> impl Strategy<Value = Name> {
    let any = "[^\\p{C}/\"\\\\`$]{1,20}".prop_map(|text| text.trim().to_owned());
    let usual = "[a-z][a-z0-9-]{0,12}".boxed();
    let names = prop_oneof![3 => any, 1 => usual, 1 => Just("a<b> & 'c' ]]> [[d]]".to_owned())];
    names.prop_filter_map("a name", |text| text.parse().ok())
}

fn zone() -> impl Strategy<Value = Zone> {
    prop_oneof![1 => Just(Zone::Auto), 3 => name().prop_map(Zone::Named)]
}

/// Never a name that a device has too.
fn bridge() -> impl Strategy<Value = InterfaceName> {
    "br[a-z0-9.@#&<>-]{0,12}[a-z0-9]".prop_map(|text| text.parse().unwrap())
}

fn device() -> impl Strategy<Value = Option<InterfaceName>> {
    prop::option::of("(eth|ü)[a-z0-9.+*&-]{0,8}[a-z0-9]".prop_map(|text| text.parse().unwrap()))
}

fn unmanaged() -> impl Strategy<Value = UnmanagedMode> {
    use UnmanagedMode::{Bridge, Hostdev, Passthrough, Private, Vepa};
    select(&[Bridge, Bridge, Private, Vepa, Passthrough, Hostdev][..])
}

fn forward() -> impl Strategy<Value = Forward> {
    let addresses = (1..=0xDFFF_FFFEu32, 0..300u32).prop_map(|(start, more)| {
        let end = start.saturating_add(more).min(0xDFFF_FFFF);
        AddressRange::new(start.into(), end.into()).unwrap()
    });
    let ports =
        (1..=u16::MAX, 1..=u16::MAX).prop_map(|(a, b)| PortRange::new(a.min(b), a.max(b)).unwrap());
    let ports = prop_oneof![Just(PortRange::default()), ports];
    let nat = (
        device(),
        prop::option::of(addresses),
        ports,
        any::<[bool; 2]>(),
    );
    let nat = nat.prop_map(|(device, addresses, ports, [ipv6, between_networks])| {
        Forward::Nat(Nat {
            device,
            addresses,
            ports,
            ipv6,
            between_networks,
        })
    });
    prop_oneof![
        2 => Just(Forward::Isolated),
        4 => nat,
        2 => device().prop_map(|device| Forward::Route { device }),
        1 => Just(Forward::Open),
    ]
}

/// Subnets of both families that share nothing.
fn subnets() -> impl Strategy<Value = Vec<Subnet>> {
    let one = (any::<bool>(), any::<u128>(), any::<u8>());
    prop::collection::vec(one, 0..5).prop_map(|all| {
        let subnet = |(i, (v4, bits, prefix)): (usize, (bool, u128, u8))| {
            let i = i as u128;
            if v4 {
                let address = (10 << 24) | (i << 16) | (bits & 0xFFFF);
                let address = std::net::Ipv4Addr::from(u32::try_from(address).unwrap());
                Subnet::new(address.into(), 16 + prefix % 17).unwrap()
            } else {
                let address = (0xFD << 120) | (i << 96) | (bits & ((1 << 96) - 1));
                let address = std::net::Ipv6Addr::from(address);
                Subnet::new(address.into(), 32 + prefix % 97).unwrap()
            }
        };
        all.into_iter().enumerate().map(subnet).collect()
    })
}
