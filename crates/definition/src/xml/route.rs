//! `<route>`: what people expect of it, and what it does.

use std::net::IpAddr;

use palisade_core::network::Subnet;

use super::attribute::XmlAttribute;
use super::tree::XmlElement;
use crate::span::Spanned;

/// A warning for each route to a subnet behind a guest, which is none of the network's subnets.
pub(super) fn warnings(
    network: &XmlElement<'_>,
    subnets: &[Spanned<Subnet>],
) -> Vec<Spanned<String>> {
    let routes = network.all("route");
    routes.filter_map(|route| warning(route, subnets)).collect()
}

fn warning(route: &XmlElement<'_>, subnets: &[Spanned<Subnet>]) -> Option<Spanned<String>> {
    let text = |name| {
        let attribute: Option<&XmlAttribute<'_>> = route.attribute(name);
        attribute.map(|attribute| attribute.value.value.as_ref())
    };
    let address: IpAddr = text("address")?.parse().ok()?;
    let length = match (text("prefix"), text("netmask")) {
        (Some(prefix), _) => prefix.parse().ok()?,
        (None, Some(netmask)) => ipnet::ip_mask_to_prefix(netmask.parse().ok()?).ok()?,
        (None, None) if address.is_ipv4() => super::ip::class_prefix(address)?,
        (None, None) => super::ip::IPV6_PREFIX,
    };
    let subnet = ipnet::IpNet::new(address, length).ok()?.trunc();
    if subnets.iter().any(|own| own.value.net().contains(&subnet)) {
        return None;
    }
    let warning = format!(
        "the route to {subnet} opens nothing: what guests send from it, and what is sent to it, is \
         refused; to open it, define the network in TOML or JSON with {subnet} among its `subnets`"
    );
    Some(Spanned::new(warning, route.tag))
}
