//! palisade's own elements in `<metadata>`: what libvirt has no word for.

use palisade_core::network::{
    ForwardProtocol, LogRefused, MssClamp, PortForward, PortForwardError, SegmentSize,
};

use super::access::is_plain;
use super::attribute::XmlAttribute;
use super::fault::ElementFault;
use super::tree::XmlElement;
use crate::nearest::nearest;
use crate::span::Spanned;
use crate::spanned_fault::{AtSpan, SpannedFault};
use crate::value_fault::ValueFault;
use crate::vocabulary::{NAMESPACE, OWN, OWN_PREFIX};

/// What palisade's elements say.
#[derive(Debug, Default)]
pub(super) struct OwnElements {
    pub(super) forwards: Vec<Spanned<PortForward>>,
    pub(super) mss_clamp: Option<Spanned<MssClamp>>,
    pub(super) not_between_networks: Option<Spanned<&'static str>>,
    pub(super) log: Option<Spanned<LogRefused>>,
}

/// Reads `<metadata>`; elements of other programs are ignored.
pub(super) fn read(network: &XmlElement<'_>) -> Result<OwnElements, SpannedFault> {
    let mut own = OwnElements::default();
    let Some(metadata) = network.one("metadata")? else {
        return Ok(own);
    };
    for element in &metadata.elements {
        let Some(name) = own_name(element, &[network, metadata])? else {
            continue;
        };
        if name != "network" {
            own.take(name, element)?;
            continue;
        }
        check_attributes(name, element)?;
        for inner in &element.elements {
            match own_name(inner, &[network, metadata, element])? {
                Some(name) if name != "network" => own.take(name, inner)?,
                _ => return Err(unknown(inner.name).at(inner.tag)),
            }
        }
    }
    Ok(own)
}

/// The name of an element in palisade's namespace.
fn own_name<'e>(
    element: &'e XmlElement<'_>,
    ancestors: &[&XmlElement<'_>],
) -> Result<Option<&'e str>, SpannedFault> {
    let (prefix, name) = match element.name.split_once(':') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, element.name),
    };
    let declaration = match prefix {
        Some(prefix) => format!("xmlns:{prefix}"),
        None => "xmlns".to_owned(),
    };
    let inwards = ancestors.iter().copied().chain([element]);
    let namespace = inwards
        .rev()
        .find_map(|element| element.attribute(&declaration));
    let is_word = OWN.iter().any(|own| own.name == name && name != "network");
    match namespace.map(|attribute| attribute.value.value.as_ref()) {
        Some(NAMESPACE) => Ok(Some(name)),
        Some(other) if prefix == Some(OWN_PREFIX) || is_near(other) => {
            let namespace = other.to_owned();
            Err(ElementFault::OwnNamespace { namespace }.at(element.tag))
        }
        None if prefix == Some(OWN_PREFIX) || (prefix.is_none() && is_word) => {
            let found = element.name.to_owned();
            Err(ElementFault::NoOwnNamespace { found }.at(element.tag))
        }
        _ => Ok(None),
    }
}

/// Whether a namespace is palisade's in another version.
fn is_near(namespace: &str) -> bool {
    let stem = NAMESPACE.trim_end_matches('1');
    namespace.starts_with(stem.trim_end_matches('/'))
}

fn unknown(found: &str) -> ElementFault {
    ElementFault::OwnUnknown {
        found: format!("`<{found}>`"),
        known: OWN
            .iter()
            .filter(|own| own.name != "network")
            .map(|own| format!("`<{OWN_PREFIX}:{}>`", own.name))
            .collect::<Vec<_>>()
            .join(", "),
    }
}

fn check_attributes(name: &str, element: &XmlElement<'_>) -> Result<(), SpannedFault> {
    let Some(own) = OWN.iter().find(|own| own.name == name) else {
        return Err(unknown(element.name).at(element.tag));
    };
    for attribute in element.attributes.iter().filter(|a| is_plain(a.name)) {
        if own.attributes.contains(&attribute.name) {
            continue;
        }
        let found = attribute.name.to_owned();
        let fault = match nearest(attribute.name, own.attributes) {
            Some(meant) => ElementFault::MisspelledAttribute { found, meant },
            None => ElementFault::OwnUnknown {
                found: format!("attribute `{found}`"),
                known: own.attributes.join(", "),
            },
        };
        return Err(fault.at(attribute.name_span));
    }
    Ok(())
}

impl OwnElements {
    fn take(&mut self, name: &str, element: &XmlElement<'_>) -> Result<(), SpannedFault> {
        check_attributes(name, element)?;
        if let Some(inner) = element.elements.first() {
            return Err(unknown(inner.name).at(inner.tag));
        }
        let is_second = match name {
            "forward" => {
                self.forwards.push(forward(element)?);
                false
            }
            "mss_clamp" => self.mss_clamp.replace(mss_clamp(element)?).is_some(),
            "log" => self.log.replace(log(element)?).is_some(),
            _ => {
                let enabled = element.required("enabled")?.value.span;
                let not = element.yes_or_no("enabled")? == Some(false);
                let not = not.then(|| Spanned::new("`<palisade:nat_between_networks>`", enabled));
                std::mem::replace(&mut self.not_between_networks, not).is_some()
            }
        };
        if is_second {
            let (parent, element_name) = ("metadata".to_owned(), element.name.to_owned());
            let fault = ElementFault::OwnTwice {
                parent,
                element: element_name,
            };
            return Err(fault.at(element.tag));
        }
        Ok(())
    }
}

fn forward(element: &XmlElement<'_>) -> Result<Spanned<PortForward>, SpannedFault> {
    let fault = |error: PortForwardError| ValueFault::Forward(error);
    let protocol: ForwardProtocol = element.required("protocol")?.parsed(fault)?;
    let listen = element.required("listen")?.parsed(fault)?;
    let target = element.required("to")?.parsed(fault)?;
    let forward = PortForward::new(protocol, listen, target);
    let mut forward = forward.map_err(|error| fault(error).at(element.tag))?;
    if let Some(from) = element.attribute("from") {
        let Spanned { value, span } = &from.value;
        let sources = value
            .split(|c: char| c == ',' || c.is_whitespace())
            .filter(|source| !source.is_empty())
            .map(PortForward::parse_source)
            .collect::<Result<_, _>>()
            .and_then(|sources| forward.with_sources(sources));
        forward = sources.map_err(|error| fault(error).at(*span))?;
    }
    Ok(Spanned::new(forward, element.tag))
}

/// Without a size, to the route's MTU.
fn mss_clamp(element: &XmlElement<'_>) -> Result<Spanned<MssClamp>, SpannedFault> {
    let clamp = match element.attribute("size") {
        None => MssClamp::RouteMtu,
        Some(size) => MssClamp::Size(size.bytes(SegmentSize::new)?),
    };
    Ok(Spanned::new(clamp, element.tag))
}

fn log(element: &XmlElement<'_>) -> Result<Spanned<LogRefused>, SpannedFault> {
    let prefix = element.attribute("prefix");
    let rate = element.attribute("rate");
    let group = element.attribute("group").map(|attribute| {
        let Spanned { value, span } = &attribute.value;
        let digits = value.bytes().all(|b| b.is_ascii_digit());
        let group = value.parse::<u16>().ok().filter(|_| digits);
        group.ok_or_else(|| ValueFault::Group(value.to_string()).at(*span))
    });
    let log = LogRefused {
        prefix: prefix
            .map(|text| text.parsed(ValueFault::Log))
            .transpose()?,
        rate: rate
            .map(|text| text.parsed(ValueFault::Log))
            .transpose()?
            .unwrap_or_default(),
        group: group.transpose()?,
    };
    Ok(Spanned::new(log, element.tag))
}

impl XmlAttribute<'_> {
    /// The value, parsed.
    fn parsed<T: std::str::FromStr>(
        &self,
        fault: impl FnOnce(T::Err) -> ValueFault,
    ) -> Result<T, SpannedFault> {
        let Spanned { value, span } = &self.value;
        value.parse().map_err(|error| fault(error).at(*span))
    }
}
