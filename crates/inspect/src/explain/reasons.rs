//! What of a network's definition speaks against a packet, in words.

use palisade_core::evaluate::Packet;
use palisade_core::network::{InterfaceName, Network};

/// What speaks against a packet of these networks, which came as the first and would leave as the second.
pub(super) fn of(networks: &[&Network], came: &Packet, left: &Packet) -> Vec<String> {
    networks
        .iter()
        .flat_map(|network| [of_device(network, came, left), of_source(network, came)])
        .flatten()
        .collect()
}

/// That the network is bound to another device than the packet's.
fn of_device(network: &Network, came: &Packet, left: &Packet) -> Option<String> {
    let device = network.forward().device()?;
    let bridge = network.bridge();
    let other = [&came.in_interface, &left.out_interface]
        .into_iter()
        .flatten()
        .find(|&interface| Some(interface) != bridge && interface != device)?;
    // Packets that stay on the bridge, or are the host's, have nothing to do with the device.
    left.is_forwarded().then(|| {
        let name = network.name();
        format!("network `{name}` is bound to `{device}`, and the packet goes by `{other}`")
    })
}

/// That the packet comes from a bridge, with a source that is in none of its network's subnets.
fn of_source(network: &Network, came: &Packet) -> Option<String> {
    let is_here = |interface: &Option<InterfaceName>| interface.as_ref() == network.bridge();
    let source = came.source();
    let mut subnets = network.subnets().iter();
    let is_foreign = is_here(&came.in_interface)
        && came.is_forged() != Some(false)
        && !subnets.any(|subnet| subnet.net().contains(&source));
    is_foreign.then(|| {
        format!(
            "{source} is in none of the subnets of network `{}`",
            network.name()
        )
    })
}
