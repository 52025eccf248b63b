//! Addresses that a subnet has for hosts.

use std::net::IpAddr;

use palisade_core::network::{Family, Subnet};

/// The address of a subnet behind so many others, or its last one.
pub(super) fn nth(subnet: Subnet, place: usize) -> IpAddr {
    let found = hosts(subnet).take(place + 1).last();
    found.unwrap_or_else(|| subnet.network())
}

/// The addresses that a subnet has for hosts.
pub(super) fn hosts(subnet: Subnet) -> impl Iterator<Item = IpAddr> {
    // In IPv6 the first belongs to all routers.
    let skipped = usize::from(subnet.family() == Family::Ipv6);
    subnet.net().hosts().skip(skipped)
}
