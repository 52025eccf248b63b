//! What of a network's definition speaks against a packet, in words.

use palisade_core::evaluate::Packet;
use palisade_core::network::{InterfaceName, Network};
use palisade_netlink::rtnetlink::Host;

/// What speaks against a packet of these networks, which came as the first and would leave as the second.
pub(super) fn of(
    networks: &[&Network],
    came: &Packet,
    left: &Packet,
    host: Option<&Host>,
) -> Vec<String> {
    let its = |network: &&Network| {
        let device = of_device(network, (came, left), host);
        [device, of_source(network, came), of_bridge(network, came)]
    };
    networks.iter().flat_map(its).flatten().collect()
}

/// That the network is bound to another device than the packet's.
fn of_device(
    network: &Network,
    (came, left): (&Packet, &Packet),
    host: Option<&Host>,
) -> Option<String> {
    let device = network.forward().device()?;
    let bridge = network.bridge();
    let other = [&came.in_interface, &left.out_interface]
        .into_iter()
        .flatten()
        .find(|&interface| Some(interface) != bridge && interface != device)?;
    // Packets that stay on the bridge, or are the host's, have nothing to do with the device.
    left.is_forwarded().then(|| {
        let name = network.name();
        let master = host.and_then(|host| host.name(host.link(device.as_str())?.master?));
        let port = master.map(|master| format!(", a port of `{master}`"));
        let port = port.unwrap_or_default();
        format!("network `{name}` is bound to `{device}`{port}, and the packet goes by `{other}`")
    })
}

/// That the host does not reach the network's own guests through their bridge.
fn of_bridge(network: &Network, came: &Packet) -> Option<String> {
    let bridge = network
        .bridge()
        .filter(|&bridge| came.in_interface.as_ref() == Some(bridge))?;
    let mut subnets = network.subnets().iter();
    let subnet = subnets.find(|subnet| subnet.net().contains(&came.source()))?;
    let name = network.name();
    (came.is_forged() == Some(true)).then(|| {
        format!(
            "the host's route to {} does not lead through `{bridge}`: is the bridge without the address of \
             network `{name}`, or does a rule of routing come before?",
            subnet.net()
        )
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
