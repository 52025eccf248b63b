//! Whether a packet's source is reached through the interface that the packet came in through.

use std::net::IpAddr;

use palisade_core::evaluate::Packet;
use palisade_core::network::Network;

/// What the networks' subnets say, where the host has no such interface: behind a bridge are the subnets
/// of its network, and behind other interfaces is everything else.
pub(crate) fn of_networks(networks: &[Network], packet: &Packet) -> Option<bool> {
    let into = packet.in_interface.as_ref()?;
    let is_behind = |network: &Network| {
        let mut subnets = network.subnets().iter();
        subnets.any(|subnet| subnet.net().contains(&packet.source()))
    };
    let is_its = |network: &&Network| network.bridge() == Some(into);
    let is_reached = match networks.iter().find(is_its) {
        Some(network) => is_behind(network),
        None => !networks.iter().any(is_behind),
    };
    Some(is_reached || is_on_link(packet.source()))
}

/// Each link leads to these.
fn is_on_link(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => false,
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}
