//! The host's addresses at its links.

use std::net::IpAddr;

use palisade_core::network::Family;
use palisade_netlink::rtnetlink::{Address, Host, Link};

use crate::routing::is_of_link;

/// The address by which somebody at a link knows the host: one of the network's rather than the one
/// that the link gave itself.
pub(super) fn address_on(host: &Host, link: &Link, family: Family) -> Option<IpAddr> {
    let is_its = |held: &&Address| {
        held.device == link.index && held.address.is_ipv4() == (family == Family::Ipv4)
    };
    let its = host
        .addresses
        .iter()
        .filter(is_its)
        .map(|held| held.address);
    its.min_by_key(|&address| is_of_link(address))
}
