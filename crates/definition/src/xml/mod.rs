//! libvirt's network XML, as `virsh net-dumpxml` prints it and people write it.
//!
//! Elements and attributes that do not concern the firewall are ignored: see [`NETWORK`] and its
//! siblings for the known ones. Unknown ones are ignored too, since libvirt gains new ones, except for
//! misspellings of those that matter: `<foward>` would silently leave a network isolated, and
//! `<forward mdoe='route'>` would silently put it behind NAT.

mod attribute;
mod fault;
mod forward;
mod ip;
mod markup;
mod tree;
mod vocabulary;

use palisade_core::network::{InterfaceName, Name, Zone};

pub use fault::ElementFault;
pub use markup::MarkupFault;

use super::draft::{LocatedNetwork, Mode, NetworkDraft};
use super::span::{Span, Spanned};
use super::spanned_fault::{AtSpan, SpannedFault};
use super::value_fault::ValueFault;
use forward::Forwarding;
use tree::XmlElement;
use vocabulary::Vocabulary;

/// The content of `<network>`.
const NETWORK: Vocabulary = Vocabulary {
    attributes: &["ipv6"],
    elements: &["name", "bridge", "forward", "ip"],
    ignored: &[
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
    ignored: &["delay", "macTableManager", "stp"],
};

/// Reads the one network of a text.
pub(super) fn read(text: &str) -> Result<LocatedNetwork, SpannedFault> {
    let root = tree::parse(text)?;
    check_root(&root)?;
    draft(&root)?.network()
}

fn check_root(root: &XmlElement<'_>) -> Result<(), SpannedFault> {
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

fn draft(network: &XmlElement<'_>) -> Result<NetworkDraft, SpannedFault> {
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
    Ok(NetworkDraft {
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

fn name(network: &XmlElement<'_>) -> Result<Spanned<Name>, SpannedFault> {
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
    Ok(Spanned::new(name, span))
}

/// libvirt generates a name if none is given, and remembers it; palisade could not know it.
fn bridge_name(
    network: &XmlElement<'_>,
    bridge: Option<&XmlElement<'_>>,
    name: &Name,
    mode: Mode,
) -> Result<Option<Spanned<InterfaceName>>, SpannedFault> {
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

fn zone(bridge: &XmlElement<'_>) -> Result<Option<Spanned<Zone>>, SpannedFault> {
    let Some(attribute) = bridge.attribute("zone") else {
        return Ok(None);
    };
    let Spanned { value, span } = &attribute.value;
    let zone = value.parse().map_err(|e| ValueFault::Zone(e).at(*span))?;
    Ok(Some(Spanned::new(zone, *span)))
}
