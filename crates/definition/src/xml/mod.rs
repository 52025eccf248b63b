//! libvirt's network XML, as `virsh net-dumpxml` prints it and people write it.
//!
//! Elements and attributes that do not concern the firewall are ignored: [`NETWORK`] has the known
//! ones. Unknown ones are ignored too, since libvirt gains new ones, except for misspellings of those
//! that matter, and for words that are known at another place: `<foward>` would silently leave a
//! network isolated, and `<forward>` in `<bridge>` too.
//!
//! [`NETWORK`]: super::vocabulary::NETWORK

mod access;
mod attribute;
mod fault;
mod forward;
mod ip;
mod markup;
mod metadata;
mod route;
mod tree;
mod words;

use palisade_core::network::{Mtu, Name, Zone};

pub use fault::{ElementFault, WordKind};
pub use markup::MarkupFault;

use super::draft::NetworkDraft;
use super::encoding::Encoding;
use super::span::{Span, Spanned};
use super::spanned_fault::{AtSpan, SpannedFault};
use super::value_fault::ValueFault;
use attribute::XmlAttribute;
use forward::Forwarding;
use tree::XmlElement;

/// Reads the one network of a text that was decoded from `encoding`.
pub(super) fn read(text: &str, encoding: Encoding) -> Result<NetworkDraft, SpannedFault> {
    let root = tree::parse(text, encoding)?;
    check_root(&root)?;
    words::check(&root)?;
    draft(&root)
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
    let name = name(network)?;
    let forwarding = match network.one("forward")? {
        Some(forward) => forward::read(forward)?,
        None => Forwarding::none(network.tag),
    };
    let bridge = network.one("bridge")?;
    let own = metadata::read(network)?;
    let addresses = ip::read(network)?;
    let bridge_name = bridge.and_then(|bridge| bridge.attribute("name"));
    let port = network.one("port")?;
    let mut warnings = addresses.warnings;
    warnings.extend(route::warnings(network, &addresses.subnets));
    let mut nat = forwarding.nat;
    nat.between_networks = own.not_between_networks.is_none();
    nat.nat_only = nat.nat_only.or(own.not_between_networks);
    Ok(NetworkDraft {
        whole: network.tag,
        bridge: bridge_name.map(XmlAttribute::interface).transpose()?,
        no_bridge: bridge.unwrap_or(network).tag,
        addresses: addresses.hosts,
        zone: bridge.map(zone).transpose()?.flatten(),
        mtu: network.one("mtu")?.map(mtu).transpose()?.flatten(),
        name,
        mode: forwarding.mode,
        device: forwarding.device,
        nat,
        ipv6: network.is_yes("ipv6")?,
        warnings,
        subnets: addresses.subnets,
        dhcp: addresses.dhcp,
        tftp: addresses.tftp,
        isolated_ports: port.map_or(Ok(false), |port| port.is_yes("isolated"))?,
        mss_clamp: own.mss_clamp,
        forwards: own.forwards,
        log: own.log,
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

/// A size of 0 stands for none, as with libvirt.
fn mtu(element: &XmlElement<'_>) -> Result<Option<Mtu>, SpannedFault> {
    let size = element.required("size")?;
    if size.value.value == "0" {
        return Ok(None);
    }
    size.bytes(Mtu::new).map(Some)
}

fn zone(bridge: &XmlElement<'_>) -> Result<Option<Spanned<Zone>>, SpannedFault> {
    let Some(attribute) = bridge.attribute("zone") else {
        return Ok(None);
    };
    let Spanned { value, span } = &attribute.value;
    let zone = value.parse().map_err(|e| ValueFault::Zone(e).at(*span))?;
    Ok(Some(Spanned::new(zone, *span)))
}
