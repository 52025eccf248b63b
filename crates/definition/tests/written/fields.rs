//! Random values of the fields that few networks have.

use std::net::IpAddr;

use palisade_core::network::{
    ForwardProtocol, Listen, LogPeriod, LogRate, LogRefused, MssClamp, Mtu, PortForward, PortRange,
    SegmentSize, Subnet, Target,
};
use proptest::prelude::*;
use proptest::sample::{Index, select};

pub(crate) fn mtu() -> impl Strategy<Value = Option<Mtu>> {
    prop::option::of((68..=u16::MAX).prop_map(|bytes| Mtu::new(bytes).unwrap()))
}

pub(crate) fn mss_clamp() -> impl Strategy<Value = Option<MssClamp>> {
    let size = (88..=65_495_u16).prop_map(|bytes| SegmentSize::new(bytes).unwrap());
    let clamp = prop_oneof![Just(MssClamp::RouteMtu), size.prop_map(MssClamp::Size)];
    prop::option::of(clamp)
}

pub(crate) fn log() -> impl Strategy<Value = Option<LogRefused>> {
    let prefix = "[ -!#%&(-\\[\\]-_a-~]{0,15}[a-z:]".prop_map(|text| text.parse().unwrap());
    let rate = (1..=10_000_u16, select(&LogPeriod::ALL[..]));
    let rate = rate.prop_map(|(packets, period)| LogRate::new(packets, period).unwrap());
    let rate = prop_oneof![Just(LogRate::default()), rate];
    let log = (
        prop::option::of(prefix),
        rate,
        prop::option::of(any::<u16>()),
    );
    let log = log.prop_map(|(prefix, rate, group)| LogRefused {
        prefix,
        rate,
        group,
    });
    prop::option::of(log)
}

/// A forward before its target's subnet is known.
#[derive(Debug, Clone)]
pub(crate) struct Drawn {
    protocol: ForwardProtocol,
    address: Option<u128>,
    first: (u16, u16),
    count: u16,
    subnet: Index,
    host: u128,
    sources: Vec<(u128, u8)>,
}

pub(crate) fn forwards() -> impl Strategy<Value = Vec<Drawn>> {
    let source = (any::<u128>(), any::<u8>());
    let drawn = (
        select(&ForwardProtocol::ALL[..]),
        prop::option::of(any::<u128>()),
        (1..=u16::MAX, 1..=u16::MAX),
        prop_oneof![2 => Just(0), 1 => 0..40_u16],
        any::<Index>(),
        any::<u128>(),
        prop::collection::vec(source, 0..3),
    );
    let drawn = drawn.prop_map(
        |(protocol, address, first, count, subnet, host, sources)| Drawn {
            protocol,
            address,
            first,
            count,
            subnet,
            host,
            sources,
        },
    );
    prop::collection::vec(drawn, 0..5)
}

/// The forwards that these subnets can have; the checks of networks leave out the rest.
pub(crate) fn within(subnets: &[Subnet], drawn: &[Drawn]) -> Vec<PortForward> {
    if subnets.is_empty() {
        return Vec::new();
    }
    drawn
        .iter()
        .filter_map(|drawn| one(subnets, drawn))
        .collect()
}

fn one(subnets: &[Subnet], drawn: &Drawn) -> Option<PortForward> {
    let subnet = drawn.subnet.get(subnets);
    let ports = |first: u16| PortRange::new(first, first.checked_add(drawn.count)?).ok();
    let (v4, bits) = match subnet.network() {
        IpAddr::V4(first) => (true, u128::from(u32::from(first))),
        IpAddr::V6(first) => (false, u128::from(first)),
    };
    let width = if v4 { 32 } else { 128 };
    let mask = u128::MAX
        .checked_shr(128 - width + u32::from(subnet.prefix()))
        .unwrap_or(0);
    let address = |bits: u128| -> IpAddr {
        if v4 {
            std::net::Ipv4Addr::from(bits as u32).into()
        } else {
            std::net::Ipv6Addr::from(bits).into()
        }
    };
    let target = Target::new(address(bits | (drawn.host & mask)), ports(drawn.first.1)?);
    let listen = drawn.address.map(address);
    let listen = Listen::new(listen, ports(drawn.first.0)?).ok()?;
    let forward = PortForward::new(drawn.protocol, listen, target).ok()?;
    let source = |&(bits, prefix): &(u128, u8)| {
        let prefix = 1 + prefix % if v4 { 32 } else { 128 };
        Subnet::new(address(bits), prefix).ok()
    };
    let sources: Vec<Subnet> = drawn.sources.iter().filter_map(source).collect();
    let some = forward.clone().with_sources(sources);
    Some(some.unwrap_or(forward))
}
