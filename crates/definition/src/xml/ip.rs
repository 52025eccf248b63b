//! `<ip>` and its content.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use palisade_core::network::{Family, Subnet, SubnetError};

use super::attribute::XmlAttribute;
use super::fault::ElementFault;
use super::tree::XmlElement;
use crate::span::{Span, Spanned};
use crate::spanned_fault::{AtSpan, SpannedFault};
use crate::value_fault::ValueFault;

/// The prefix of an IPv6 address without one.
pub(super) const IPV6_PREFIX: u8 = 64;

/// The `<ip>` elements of a network.
pub(super) struct IpElements {
    pub(super) subnets: Vec<Spanned<Subnet>>,
    /// The host's addresses in the subnets.
    pub(super) hosts: Vec<IpAddr>,
    pub(super) warnings: Vec<Spanned<String>>,
    pub(super) dhcp: Option<Spanned<&'static str>>,
    pub(super) tftp: Option<Spanned<&'static str>>,
}

/// The services of one `<ip>`.
struct Services {
    dhcp: Option<Span>,
    tftp: Option<Span>,
}

/// Reads all `<ip>` of a network.
///
/// As with libvirt, DHCP of any IPv4 `<ip>` counts, but TFTP only of the first IPv4 `<ip>` that has
/// DHCP or TFTP.
pub(super) fn read(network: &XmlElement<'_>) -> Result<IpElements, SpannedFault> {
    let (mut subnets, mut hosts, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
    let mut serving: Vec<Services> = Vec::new();
    for ip in network.all("ip") {
        let family = family(ip)?;
        let (host, subnet) = subnet(ip, family)?;
        warnings.extend(class_warning(ip, host, &subnet));
        hosts.push(host);
        subnets.push(subnet);
        let services = services(ip, family)?;
        if family == Family::Ipv4 && (services.dhcp.is_some() || services.tftp.is_some()) {
            serving.push(services);
        }
    }
    let dhcp = serving.iter().find_map(|services| services.dhcp);
    let tftp = serving.first().and_then(|services| services.tftp);
    Ok(IpElements {
        subnets,
        hosts,
        warnings,
        dhcp: dhcp.map(|span| Spanned::new("dhcp", span)),
        tftp: tftp.map(|span| Spanned::new("tftp", span)),
    })
}

fn family(ip: &XmlElement<'_>) -> Result<Family, SpannedFault> {
    let Some(attribute) = ip.attribute("family") else {
        return Ok(Family::Ipv4);
    };
    match attribute.value.value.as_ref() {
        "ipv4" => Ok(Family::Ipv4),
        "ipv6" => Ok(Family::Ipv6),
        other => {
            let family = other.to_owned();
            Err(ElementFault::Family { family }.at(attribute.value.span))
        }
    }
}

/// The host's address, and its subnet.
fn subnet(ip: &XmlElement<'_>, family: Family) -> Result<(IpAddr, Spanned<Subnet>), SpannedFault> {
    let attribute = ip.required("address")?;
    let address = address(attribute, ip, family)?;
    let (prefix, prefix_span) = prefix(ip, address)?;
    let span = attribute.value.span;
    let subnet = Subnet::new(address, prefix).map_err(|error| {
        let of_prefix = matches!(
            error,
            SubnetError::Prefix { .. } | SubnetError::Everything(_)
        );
        let at = if of_prefix { prefix_span } else { span };
        ValueFault::Subnet(error).at(at)
    })?;
    Ok((address, Spanned::new(subnet, span)))
}

/// libvirt takes the class of an IPv4 address without a prefix. Nobody who leaves the prefix out
/// expects the 16 million addresses of a class A, or the 65,536 of a class B.
fn class_warning(
    ip: &XmlElement<'_>,
    host: IpAddr,
    subnet: &Spanned<Subnet>,
) -> Option<Spanned<String>> {
    let class = match subnet.value.prefix() {
        8 => "A",
        16 => "B",
        _ => return None,
    };
    let is_written = ip.attribute("prefix").is_some() || ip.attribute("netmask").is_some();
    (host.is_ipv4() && !is_written).then(|| {
        let warning = format!(
            "without a prefix, {host} means all of {} (class {class}); write the prefix, such as \
             prefix='24'",
            subnet.value
        );
        Spanned::new(warning, subnet.span)
    })
}

fn address(
    attribute: &XmlAttribute<'_>,
    ip: &XmlElement<'_>,
    family: Family,
) -> Result<IpAddr, SpannedFault> {
    let Spanned { value, span } = &attribute.value;
    let v4 = || value.parse::<Ipv4Addr>();
    let v6 = || value.parse::<Ipv6Addr>();
    match family {
        Family::Ipv4 if v6().is_ok() => {
            let address = value.to_string();
            let written = ip.attribute("family").is_some();
            let fault = ElementFault::NotOfFamily {
                address,
                family,
                written,
            };
            Err(fault.at(*span))
        }
        Family::Ipv6 if v4().is_ok() => {
            let address = value.to_string();
            let fault = ElementFault::NotOfFamily {
                address,
                family,
                written: true,
            };
            Err(fault.at(*span))
        }
        Family::Ipv4 => v4()
            .map(IpAddr::V4)
            .map_err(|_| ValueFault::Ipv4(value.to_string()).at(*span)),
        Family::Ipv6 => v6()
            .map(IpAddr::V6)
            .map_err(|_| ValueFault::Ipv6(value.to_string()).at(*span)),
    }
}

/// The length of the prefix, and the span that gives it.
fn prefix(ip: &XmlElement<'_>, address: IpAddr) -> Result<(u8, Span), SpannedFault> {
    match (ip.attribute("prefix"), ip.attribute("netmask"), address) {
        (Some(_), Some(netmask), _) => Err(ElementFault::PrefixAndNetmask.at(netmask.name_span)),
        (Some(prefix), None, _) => {
            let Spanned { value, span } = &prefix.value;
            let digits = value.bytes().all(|b| b.is_ascii_digit());
            let prefix = value.parse().ok().filter(|_| digits);
            let wrong = || {
                ElementFault::Prefix {
                    prefix: value.to_string(),
                }
                .at(*span)
            };
            Ok((prefix.ok_or_else(wrong)?, *span))
        }
        (None, Some(netmask), IpAddr::V6(_)) => {
            Err(ElementFault::NetmaskOfIpv6.at(netmask.name_span))
        }
        (None, Some(netmask), IpAddr::V4(_)) => {
            let Spanned { value, span } = &netmask.value;
            let mask: Option<Ipv4Addr> = value.parse().ok();
            let prefix = mask.and_then(|mask| ipnet::ipv4_mask_to_prefix(mask).ok());
            let wrong = || {
                ElementFault::Netmask {
                    netmask: value.to_string(),
                }
                .at(*span)
            };
            Ok((prefix.ok_or_else(wrong)?, *span))
        }
        (None, None, IpAddr::V6(_)) => Ok((IPV6_PREFIX, ip.tag)),
        (None, None, IpAddr::V4(address)) => {
            let none = || ElementFault::NoClass { address }.at(ip.tag);
            Ok((class_prefix(address.into()).ok_or_else(none)?, ip.tag))
        }
    }
}

/// The prefix of an IPv4 address without one: that of its class.
pub(super) fn class_prefix(address: IpAddr) -> Option<u8> {
    let IpAddr::V4(address) = address else {
        return None;
    };
    match address.octets()[0] {
        0..=127 => Some(8),
        128..=191 => Some(16),
        192..=223 => Some(24),
        _ => None,
    }
}

fn services(ip: &XmlElement<'_>, family: Family) -> Result<Services, SpannedFault> {
    let dhcp = ip.one("dhcp")?;
    let tftp = ip.one("tftp")?;
    if let (Some(tftp), Family::Ipv6) = (tftp, family) {
        return Err(ElementFault::TftpOfIpv6.at(tftp.tag));
    }
    let serves = |dhcp: &&XmlElement<'_>| {
        dhcp.all("range").next().is_some() || dhcp.all("host").next().is_some()
    };
    Ok(Services {
        dhcp: dhcp.filter(serves).map(|dhcp| dhcp.tag),
        tftp: tftp
            .filter(|tftp| tftp.attribute("root").is_some())
            .map(|tftp| tftp.tag),
    })
}
