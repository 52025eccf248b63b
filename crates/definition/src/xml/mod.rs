//! libvirt's network XML, as `virsh net-dumpxml` prints it and people write it.
//!
//! What does not concern the firewall is read over: see [`NETWORK`] and its siblings for what is
//! known of it. Unknown elements and attributes are read over too, since libvirt gains new ones;
//! but not those that look like a slip of one that matters: `<foward>` would leave a network
//! isolated, and `<forward mdoe='route'>` would put it behind NAT, without a word.

mod attribute;
mod fault;
mod forward;
mod ip;
mod markup;
mod tree;
mod vocabulary;

use palisade_core::network::{InterfaceName, Name};

pub use fault::ElementFault;
pub use markup::MarkupFault;

use super::draft::{Draft, Drawn, Mode};
use super::fault::ValueFault;
use super::place::{At, Placed, Problem, Span};
use forward::Forwarding;
use tree::Element;
use vocabulary::Vocabulary;

/// What stands in `<network>`.
const NETWORK: Vocabulary = Vocabulary {
    attributes: &["ipv6"],
    elements: &["name", "bridge", "forward", "ip"],
    read_over: &[
        "bandwidth",
        "connections",
        "description",
        "dns",
        "domain",
        "mac",
        "metadata",
        "mtu",
        "port",
        "portgroup",
        "route",
        "title",
        "trustGuestRxFilters",
        "uuid",
        "virtualport",
        "vlan",
    ],
};

const BRIDGE: Vocabulary = Vocabulary {
    attributes: &["name", "zone"],
    elements: &[],
    read_over: &["delay", "macTableManager", "stp"],
};

/// Reads the one network of a text.
pub(super) fn read(text: &str) -> Result<Drawn, Problem> {
    let root = tree::parse(text)?;
    check_root(&root)?;
    draft(&root)?.network()
}

fn check_root(root: &Element<'_>) -> Result<(), Problem> {
    if root.name != "network" {
        let name = root.name.to_owned();
        return Err(ElementFault::Root { name }.at(root.tag));
    }
    match root.attribute("xmlns") {
        Some(attribute) if !attribute.value.value.is_empty() => {
            let namespace = attribute.value.value.to_string();
            Err(ElementFault::Namespace { namespace }.at(attribute.value.span))
        }
        _ => Ok(()),
    }
}

fn draft(network: &Element<'_>) -> Result<Draft, Problem> {
    network.check(&NETWORK)?;
    let name = name(network)?;
    let forwarding = match network.one("forward")? {
        Some(forward) => forward::read(forward)?,
        None => Forwarding::none(network.tag),
    };
    let bridge = network.one("bridge")?;
    if let Some(bridge) = bridge {
        bridge.check(&BRIDGE)?;
    }
    let addresses = ip::read(network)?;
    Ok(Draft {
        whole: network.tag,
        bridge: bridge_name(network, bridge, &name.value, forwarding.mode.value)?,
        zone: bridge.map(zone).transpose()?.flatten(),
        name,
        mode: forwarding.mode,
        device: forwarding.device,
        nat: forwarding.nat,
        ipv6: network.is_yes("ipv6")?,
        subnets: addresses.subnets,
        dhcp: addresses.dhcp,
        tftp: addresses.tftp,
    })
}

fn name(network: &Element<'_>) -> Result<At<Name>, Problem> {
    let Some(element) = network.one("name")? else {
        let (parent, element) = ("network", "name");
        return Err(ElementFault::NoElement { parent, element }.at(network.tag));
    };
    if let Some(child) = element.elements.first() {
        return Err(ElementFault::InText.at(child.tag));
    }
    let text: String = element
        .texts
        .iter()
        .map(|text| text.value.as_ref())
        .collect();
    let span = match (element.texts.first(), element.texts.last()) {
        (Some(first), Some(last)) => Span::new(first.span.start, last.span.end),
        _ => element.tag,
    };
    let name = text.parse().map_err(|e| ValueFault::Name(e).at(span))?;
    Ok(At::new(name, span))
}

/// libvirt makes up a name where none is given, and knows it from then on; here nobody would.
fn bridge_name(
    network: &Element<'_>,
    bridge: Option<&Element<'_>>,
    name: &Name,
    mode: Mode,
) -> Result<Option<At<InterfaceName>>, Problem> {
    match bridge.and_then(|bridge| bridge.attribute("name")) {
        Some(attribute) => attribute.interface().map(Some),
        None if mode.needs_bridge() => {
            let name = name.clone();
            let span = bridge.unwrap_or(network).tag;
            Err(ElementFault::NoBridge { name }.at(span))
        }
        None => Ok(None),
    }
}

fn zone(bridge: &Element<'_>) -> Result<Option<At<Name>>, Problem> {
    let Some(attribute) = bridge.attribute("zone") else {
        return Ok(None);
    };
    let At { value, span } = &attribute.value;
    let zone = value.parse().map_err(|e| ValueFault::Zone(e).at(*span))?;
    Ok(Some(At::new(zone, *span)))
}
