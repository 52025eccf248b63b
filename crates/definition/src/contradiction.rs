//! Values of one network that contradict each other.

use std::borrow::Cow;
use std::net::IpAddr;

use palisade_core::network::{InterfaceName, Name, NetworkError, Zone};
use palisade_core::{ErrorKind, Hint};
use thiserror::Error;

/// Values that contradict one another.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Contradiction {
    /// The network as a whole is invalid.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A field or element that has a meaning with NAT only.
    #[error("{what} has no meaning in mode `{mode}`")]
    OnlyNat {
        /// The field or element.
        what: &'static str,
        /// The mode.
        mode: &'static str,
    },
    /// A forward device in a mode that takes none.
    #[error("mode `{mode}` takes no forward device, here `{device}`")]
    Device {
        /// The mode.
        mode: &'static str,
        /// The device.
        device: InterfaceName,
    },
    /// A bridge of the host and a device to attach guests to directly.
    #[error("mode `bridge` takes a bridge or a device, not both `{bridge}` and `{device}`")]
    BridgeAndDevice {
        /// The bridge.
        bridge: InterfaceName,
        /// The device.
        device: InterfaceName,
    },
    /// No bridge, although the rules need its name, and none was found.
    #[error("network `{name}` names no bridge{}", sought(*.address))]
    NoBridge {
        /// The network.
        name: Name,
        /// The host's address by which the bridge was looked for.
        address: Option<IpAddr>,
    },
    /// A zone without a bridge.
    #[error("the zone `{zone}` is for the bridge, and no bridge is named")]
    ZoneWithoutBridge {
        /// The zone.
        zone: Zone,
    },
    /// A service over IPv4 without IPv4.
    #[error("{service} needs an IPv4 subnet, and the network has none")]
    NoIpv4 {
        /// The field or element of the service.
        service: &'static str,
    },
}

impl Hint for Contradiction {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Definition
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Network(error) => return error.hint(),
            Self::OnlyNat { .. } => "leave it out, or set the mode to nat",
            Self::Device { .. } => "leave the device out, or set the mode to nat or route",
            Self::BridgeAndDevice { .. } => {
                "keep the bridge for a bridge of the host, the device for macvtap"
            }
            Self::NoBridge { name, .. } => {
                let name = quoted(name.as_str());
                return format!("name it, for example virbr1, or give --bridge {name}=BRIDGE")
                    .into();
            }
            Self::ZoneWithoutBridge { .. } => "leave the zone out, or name the bridge",
            Self::NoIpv4 { .. } => "add an IPv4 subnet such as 192.168.122.1/24, or leave it out",
        }
        .into()
    }
}

fn sought(address: Option<IpAddr>) -> String {
    address.map_or(String::new(), |address| {
        format!(", and none was found by its address {address}")
    })
}

/// A name as one word of a shell.
fn quoted(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.chars().all(is_plain) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', "'\\''"))
    }
}
