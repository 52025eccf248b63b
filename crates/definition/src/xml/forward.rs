//! `<forward>` and what stands in it.

use palisade_core::network::{AddressRange, InterfaceName, PortRange};

use super::attribute::Attribute;
use super::fault::ElementFault;
use super::tree::Element;
use super::vocabulary::Vocabulary;
use crate::draft::{Mode, NatDraft};
use crate::fault::ValueFault;
use crate::nearest::nearest;
use crate::place::{At, Placed, Problem, Span};

/// `pf`, PCI addresses and the driver are for modes in which guests get a device of their own.
const FORWARD: Vocabulary = Vocabulary {
    attributes: &["mode", "dev"],
    elements: &["nat", "interface"],
    read_over: &["address", "driver", "managed", "pf"],
};

const INTERFACE: Vocabulary = Vocabulary {
    attributes: &["dev"],
    elements: &[],
    read_over: &["connections"],
};

const NAT: Vocabulary = Vocabulary {
    attributes: &["ipv6"],
    elements: &["address", "port"],
    read_over: &[],
};

const ENDS: Vocabulary = Vocabulary {
    attributes: &["start", "end"],
    elements: &[],
    read_over: &[],
};

/// How guests reach beyond the bridge.
pub(super) struct Forwarding {
    pub(super) mode: At<Mode>,
    pub(super) device: Option<At<InterfaceName>>,
    pub(super) nat: NatDraft,
}

impl Forwarding {
    /// A network without `<forward>`.
    pub(super) fn none(network: Span) -> Self {
        Self {
            mode: At::new(Mode::Isolated, network),
            device: None,
            nat: NatDraft::default(),
        }
    }
}

/// Reads `<forward>`.
pub(super) fn read(forward: &Element<'_>) -> Result<Forwarding, Problem> {
    forward.check(&FORWARD)?;
    let mode = match forward.attribute("mode") {
        Some(attribute) => mode(attribute)?,
        None => At::new(Mode::Nat, forward.tag),
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

/// `none`, which libvirt's parser takes, is what it says.
fn mode(attribute: &Attribute<'_>) -> Result<At<Mode>, Problem> {
    let At { value, span } = &attribute.value;
    let mode = match value.as_ref() {
        "none" => Some(Mode::Isolated),
        name => Mode::named(name),
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
    Ok(At::new(mode.ok_or_else(unknown)?, *span))
}

/// The device is named by an attribute, by an element, or by both alike. Modes that attach guests
/// to devices may have a pool of them.
fn device(forward: &Element<'_>, mode: Mode) -> Result<Option<At<InterfaceName>>, Problem> {
    let mut devices = Vec::new();
    for interface in forward.all("interface") {
        interface.check(&INTERFACE)?;
        devices.push((interface.needed("dev")?.interface()?, interface.tag));
    }
    if let (Some((_, second)), true) = (devices.get(1), mode.needs_bridge()) {
        return Err(ElementFault::ManyDevices.at(*second));
    }
    let named = forward
        .attribute("dev")
        .map(Attribute::interface)
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

fn nat(element: &Element<'_>) -> Result<NatDraft, Problem> {
    element.check(&NAT)?;
    let addresses = element.one("address")?.map(addresses).transpose()?;
    let ports = element.one("port")?.map(ports).transpose()?;
    Ok(NatDraft {
        only: Some(At::new("`<nat>`", element.tag)),
        addresses,
        ports,
        ipv6: element.is_yes("ipv6")?,
    })
}

fn addresses(element: &Element<'_>) -> Result<AddressRange, Problem> {
    element.check(&ENDS)?;
    let end = |name| {
        let At { value, span } = &element.needed(name)?.value;
        let address = value.parse();
        address.map_err(|_| ValueFault::Ipv4(value.to_string()).at(*span))
    };
    AddressRange::new(end("start")?, end("end")?)
        .map_err(|error| ValueFault::Range(error).at(element.tag))
}

fn ports(element: &Element<'_>) -> Result<PortRange, Problem> {
    element.check(&ENDS)?;
    let end = |name| {
        let At { value, span } = &element.needed(name)?.value;
        let digits = value.bytes().all(|b| b.is_ascii_digit());
        let port = value.parse().ok().filter(|_| digits);
        port.ok_or_else(|| ValueFault::Port(value.to_string()).at(*span))
    };
    PortRange::new(end("start")?, end("end")?)
        .map_err(|error| ValueFault::Range(error).at(element.tag))
}
