//! Multicast beyond a link: the kernel forwards only what somebody names, source by source
//! (`linux/mroute.h`, `linux/mroute6.h`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nix::libc;
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::SetStruct;
use palisade_tests::Namespace;
use socket2::{Domain, Protocol, Socket, Type};

/// What of one source to one group is forwarded, from one device to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Way<'a> {
    pub(crate) source: IpAddr,
    pub(crate) group: IpAddr,
    pub(crate) from: &'a str,
    pub(crate) to: &'a str,
}

/// Forwards multicast until it is dropped.
pub(crate) struct MulticastRouter {
    v4: Socket,
    v6: Socket,
    /// Each at the place that is its number here.
    devices: Vec<String>,
}

impl MulticastRouter {
    /// Between these devices of a namespace; nothing yet.
    pub(crate) fn new(namespace: &Namespace, devices: Vec<String>) -> Self {
        namespace.inside(|| {
            let raw = |domain, protocol| {
                Socket::new(domain, Type::RAW, Some(protocol)).expect("make a raw socket")
            };
            let v4 = raw(Domain::IPV4, Protocol::from(libc::IPPROTO_IGMP));
            let v6 = raw(Domain::IPV6, Protocol::ICMPV6);
            setsockopt(&v4, Begin4, &1).expect("forward multicast of IPv4");
            setsockopt(&v6, Begin6, &1).expect("forward multicast of IPv6");
            for (number, device) in devices.iter().enumerate() {
                let index = nix::net::if_::if_nametoindex(device.as_str()).expect("a device");
                let device4 = Device4::new(number, index);
                setsockopt(&v4, AddDevice4, &device4).expect("use a device for IPv4");
                let device6 = Device6::new(number, index);
                setsockopt(&v6, AddDevice6, &device6).expect("use a device for IPv6");
            }
            Self { v4, v6, devices }
        })
    }

    /// Forwards this too.
    pub(crate) fn forward(&self, way: Way<'_>) {
        let (from, to) = (self.number(way.from), self.number(way.to));
        match (way.source, way.group) {
            (IpAddr::V4(source), IpAddr::V4(group)) => {
                let way = Way4::new((source, group), (from, to));
                setsockopt(&self.v4, AddWay4, &way).expect("forward a group of IPv4");
            }
            (IpAddr::V6(source), IpAddr::V6(group)) => {
                let way = Way6::new((source, group), (from, to));
                setsockopt(&self.v6, AddWay6, &way).expect("forward a group of IPv6");
            }
            _ => panic!("{way:?} is of two families"),
        }
    }

    fn number(&self, device: &str) -> usize {
        let found = self.devices.iter().position(|known| known == device);
        found.unwrap_or_else(|| panic!("no multicast is forwarded by {device}"))
    }
}

/// The kernel's numbers of options begin here.
const BASE: libc::c_int = 200;
/// How many devices there may be.
const DEVICES: usize = 32;

#[derive(Clone, Copy)]
struct Begin4;
#[derive(Clone, Copy)]
struct Begin6;
#[derive(Clone, Copy)]
struct AddDevice4;
#[derive(Clone, Copy)]
struct AddDevice6;
#[derive(Clone, Copy)]
struct AddWay4;
#[derive(Clone, Copy)]
struct AddWay6;

/// The options by name: nix takes paths.
mod number {
    use super::BASE;
    use nix::libc::c_int;

    pub(super) const BEGIN: c_int = BASE;
    pub(super) const ADD_DEVICE: c_int = BASE + 2;
    pub(super) const ADD_WAY: c_int = BASE + 4;
}

nix::setsockopt_impl!(
    Begin4,
    libc::IPPROTO_IP,
    number::BEGIN,
    libc::c_int,
    SetStruct<'_, libc::c_int>
);
nix::setsockopt_impl!(
    Begin6,
    libc::IPPROTO_IPV6,
    number::BEGIN,
    libc::c_int,
    SetStruct<'_, libc::c_int>
);
nix::setsockopt_impl!(
    AddDevice4,
    libc::IPPROTO_IP,
    number::ADD_DEVICE,
    Device4,
    SetStruct<'_, Device4>
);
nix::setsockopt_impl!(
    AddDevice6,
    libc::IPPROTO_IPV6,
    number::ADD_DEVICE,
    Device6,
    SetStruct<'_, Device6>
);
nix::setsockopt_impl!(
    AddWay4,
    libc::IPPROTO_IP,
    number::ADD_WAY,
    Way4,
    SetStruct<'_, Way4>
);
nix::setsockopt_impl!(
    AddWay6,
    libc::IPPROTO_IPV6,
    number::ADD_WAY,
    Way6,
    SetStruct<'_, Way6>
);

/// `struct vifctl`.
#[repr(C)]
#[derive(Debug)]
struct Device4 {
    number: u16,
    flags: u8,
    /// The time to live that a packet needs.
    threshold: u8,
    rate_limit: u32,
    index: u32,
    remote: u32,
}

impl Device4 {
    /// The device is named by its index, not by an address.
    const BY_INDEX: u8 = 8;

    fn new(number: usize, index: u32) -> Self {
        Self {
            number: small(number),
            flags: Self::BY_INDEX,
            threshold: 1,
            rate_limit: 0,
            index,
            remote: 0,
        }
    }
}

/// `struct mif6ctl`.
#[repr(C)]
#[derive(Debug)]
struct Device6 {
    number: u16,
    flags: u8,
    threshold: u8,
    index: u16,
    padding: u16,
    rate_limit: u32,
}

impl Device6 {
    fn new(number: usize, index: u32) -> Self {
        Self {
            number: small(number),
            flags: 0,
            threshold: 1,
            index: small(index),
            padding: 0,
            rate_limit: 0,
        }
    }
}

/// `struct mfcctl`.
#[repr(C)]
#[derive(Debug)]
struct Way4 {
    source: [u8; 4],
    group: [u8; 4],
    from: u16,
    /// For each device the time to live that a packet needs to leave by it; 0 for never.
    thresholds: [u8; DEVICES],
    padding: u16,
    counts: [u32; 4],
}

impl Way4 {
    fn new((source, group): (Ipv4Addr, Ipv4Addr), (from, to): (usize, usize)) -> Self {
        let mut thresholds = [0; DEVICES];
        thresholds[to] = 1;
        Self {
            source: source.octets(),
            group: group.octets(),
            from: small(from),
            thresholds,
            padding: 0,
            counts: [0; 4],
        }
    }
}

/// `struct mf6cctl`.
#[repr(C)]
#[derive(Debug)]
struct Way6 {
    source: Address6,
    group: Address6,
    from: u16,
    padding: u16,
    /// A bit for each device that it leaves by.
    to: [u32; 8],
}

impl Way6 {
    fn new((source, group): (Ipv6Addr, Ipv6Addr), (from, to): (usize, usize)) -> Self {
        let mut bits = [0; 8];
        bits[to / 32] = 1 << (to % 32);
        Self {
            source: Address6::new(source),
            group: Address6::new(group),
            from: small(from),
            padding: 0,
            to: bits,
        }
    }
}

/// `struct sockaddr_in6`.
#[repr(C)]
#[derive(Debug)]
struct Address6 {
    family: u16,
    port: u16,
    flow: u32,
    address: [u8; 16],
    scope: u32,
}

impl Address6 {
    fn new(address: Ipv6Addr) -> Self {
        Self {
            family: small(libc::AF_INET6),
            port: 0,
            flow: 0,
            address: address.octets(),
            scope: 0,
        }
    }
}

fn small<T: TryInto<u16>>(number: T) -> u16 {
    let small = number.try_into().ok();
    small.expect("a number of a device is small")
}
