//! The router's routes.

use std::net::IpAddr;

/// The interface that a packet to this address leaves through; none if the host itself takes it.
pub(crate) fn way_out(destination: IpAddr) -> Option<&'static str> {
    let network = match destination {
        IpAddr::V4(address) => u16::from(address.octets()[1]),
        IpAddr::V6(address) => address.segments()[0] & 0xff,
    };
    match network {
        1 => Some("out0"),
        2 | 5 => Some("out1"),
        4 => Some("in0"),
        _ => None,
    }
}

/// Whether the router reaches this address through the interface.
pub(crate) fn is_behind(interface: &str, address: IpAddr) -> bool {
    way_out(address) == Some(interface)
}
