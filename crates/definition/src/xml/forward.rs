//! `<forward>` and its content.

use palisade_core::network::{AddressRange, InterfaceName, PortRange};

use super::attribute::XmlAttribute;
use super::fault::ElementFault;
use super::tree::XmlElement;
use crate::draft::{Mode, NatDraft};
use crate::nearest::nearest;
use crate::span::{Span, Spanned};
use crate::spanned_fault::{AtSpan, SpannedFault};
use crate::value_fault::ValueFault;

/// How guests reach other networks.
pub(super) struct Forwarding {
    pub(super) mode: Spanned<Mode>,
    pub(super) device: Option<Spanned<InterfaceName>>,
    pub(super) nat: NatDraft,
}

impl Forwarding {
    /// A network without `<forward>`.
    pub(super) fn none(network: Span) -> Self {
        Self {
            mode: Spanned::new(Mode::Isolated, network),
            device: None,
            nat: NatDraft::default(),
        }
    }
}

/// Reads `<forward>`.
pub(super) fn read(forward: &XmlElement<'_>) -> Result<Forwarding, SpannedFault> {
    let mode = match forward.attribute("mode") {
        Some(attribute) => mode(attribute)?,
        None => Spanned::new(Mode::Nat, forward.tag),
    };
    Ok(Forwarding {
        device: device(forward, mode.value)?,
        nat: match forward.one("nat")? {
            Some(element) => nat(element)?,
            None => NatDraft::default(),
        },
        mode,
    })
}

/// libvirt's parser accepts `none` for an isolated network.
fn mode(attribute: &XmlAttribute<'_>) -> Result<Spanned<Mode>, SpannedFault> {
    let Spanned { value, span } = &attribute.value;
    let mode = match value.as_ref() {
        "none" => Some(Mode::Isolated),
        name => Mode::from_name(name),
    };
    let unknown = || {
        let hint = match nearest(value, &Mode::NAMES) {
            Some(mode) => format!("did you mean `{mode}`?").into(),
            None if value == "isolated" => "leave `<forward>` out for an isolated network".into(),
            None => format!("modes are {}", Mode::NAMES.join(", ")).into(),
        };
        let mode = value.to_string();
        ValueFault::Mode { mode, hint }.at(*span)
    };
    Ok(Spanned::new(mode.ok_or_else(unknown)?, *span))
}

/// An attribute, an element, or both with the same value name the device. Modes that attach guests to
/// devices may have a pool of them.
fn device(
    forward: &XmlElement<'_>,
    mode: Mode,
) -> Result<Option<Spanned<InterfaceName>>, SpannedFault> {
    let mut devices = Vec::new();
    for interface in forward.all("interface") {
        devices.push((interface.required("dev")?.interface()?, interface.tag));
    }
    if let (Some((_, second)), true) = (devices.get(1), mode.has_own_bridge()) {
        return Err(ElementFault::ManyDevices.at(*second));
    }
    let named = forward
        .attribute("dev")
        .map(XmlAttribute::interface)
        .transpose()?;
    let first = devices.into_iter().next().map(|(device, _)| device);
    match (named, first) {
        (Some(named), Some(first)) if named.value != first.value => {
            let span = first.span;
            let (attribute, element) = (named.value, first.value);
            Err(ElementFault::TwoDevices { attribute, element }.at(span))
        }
        (named, first) => Ok(named.or(first)),
    }
}

fn nat(element: &XmlElement<'_>) -> Result<NatDraft, SpannedFault> {
    let addresses = element.one("address")?.map(addresses).transpose()?;
    let ports = element.one("port")?.map(ports).transpose()?;
    Ok(NatDraft {
        nat_only: Some(Spanned::new("`<nat>`", element.tag)),
        addresses,
        ports,
        ipv6: element.is_yes("ipv6")?,
        ..NatDraft::default()
    })
}

fn addresses(element: &XmlElement<'_>) -> Result<AddressRange, SpannedFault> {
    let end = |name| {
        let Spanned { value, span } = &element.required(name)?.value;
        let address = value.parse();
        address.map_err(|_| ValueFault::Ipv4(value.to_string()).at(*span))
    };
    AddressRange::new(end("start")?, end("end")?)
        .map_err(|error| ValueFault::Range(error).at(element.tag))
}

fn ports(element: &XmlElement<'_>) -> Result<PortRange, SpannedFault> {
    let end = |name| {
        let Spanned { value, span } = &element.required(name)?.value;
        let digits = value.bytes().all(|b| b.is_ascii_digit());
        let port = value.parse().ok().filter(|_| digits);
        port.ok_or_else(|| ValueFault::Port(value.to_string()).at(*span))
    };
    PortRange::new(end("start")?, end("end")?)
        .map_err(|error| ValueFault::Range(error).at(element.tag))
}
