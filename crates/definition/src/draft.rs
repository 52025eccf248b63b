//! A network as its definition has it, each value with its place, before it is known to hold
//! together.

use std::borrow::Cow;

use palisade_core::network::{
    AddressRange, Description, Forward, InterfaceName, Name, Nat, NetworkError, PortRange, Subnet,
    UnmanagedMode,
};
use palisade_core::{Network, network::Family};
use thiserror::Error;

use super::place::{At, Placed, Problem, Span};

/// What a definition says of one network.
#[derive(Debug)]
pub(super) struct Draft {
    /// The whole of it, or what begins it.
    pub(super) whole: Span,
    pub(super) name: At<Name>,
    pub(super) bridge: Option<At<InterfaceName>>,
    pub(super) zone: Option<At<Name>>,
    pub(super) mode: At<Mode>,
    pub(super) device: Option<At<InterfaceName>>,
    pub(super) nat: NatDraft,
    pub(super) subnets: Vec<At<Subnet>>,
    pub(super) ipv6: bool,
    pub(super) dhcp: Option<At<&'static str>>,
    pub(super) tftp: Option<At<&'static str>>,
}

/// A network that holds together, and where its text says what may be another network's too.
#[derive(Debug)]
pub(super) struct Drawn {
    pub(super) network: Network,
    pub(super) name: Span,
    pub(super) bridge: Option<Span>,
    pub(super) subnets: Vec<At<Subnet>>,
}

/// The forward modes, without what belongs to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Isolated,
    Nat,
    Route,
    Open,
    Unmanaged(UnmanagedMode),
}

/// What is said of NAT.
#[derive(Debug, Default)]
pub(super) struct NatDraft {
    /// The first field or element that only NAT has a use for.
    pub(super) only: Option<At<&'static str>>,
    pub(super) addresses: Option<AddressRange>,
    pub(super) ports: Option<PortRange>,
    pub(super) ipv6: bool,
}

impl Mode {
    /// The modes that all formats write alike.
    pub(super) const NAMES: [&'static str; 8] = [
        "nat",
        "route",
        "open",
        "bridge",
        "private",
        "vepa",
        "passthrough",
        "hostdev",
    ];

    /// The mode of one of [`NAMES`](Self::NAMES).
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "nat" => Self::Nat,
            "route" => Self::Route,
            "open" => Self::Open,
            "bridge" => Self::Unmanaged(UnmanagedMode::Bridge),
            "private" => Self::Unmanaged(UnmanagedMode::Private),
            "vepa" => Self::Unmanaged(UnmanagedMode::Vepa),
            "passthrough" => Self::Unmanaged(UnmanagedMode::Passthrough),
            "hostdev" => Self::Unmanaged(UnmanagedMode::Hostdev),
            _ => return None,
        })
    }

    /// Whether the network has a bridge of its own, whose name the rules need.
    pub(super) fn needs_bridge(self) -> bool {
        !matches!(self, Self::Unmanaged(_))
    }
}

/// Values that contradict one another.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Contradiction {
    /// The network as a whole does not hold together.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// Something that only NAT has a use for.
    #[error("{what} has no meaning in mode `{mode}`")]
    OnlyNat {
        /// The field or element.
        what: &'static str,
        /// The mode.
        mode: &'static str,
    },
    /// A device that nothing is forwarded through.
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
    /// A zone for no bridge.
    #[error("the zone `{zone}` is for the bridge, and no bridge is named")]
    ZoneWithoutBridge {
        /// The zone.
        zone: Name,
    },
    /// A service over IPv4 without IPv4.
    #[error("{service} needs an IPv4 subnet, and the network has none")]
    NoIpv4 {
        /// The field that asks for the service.
        service: &'static str,
    },
}

impl Contradiction {
    /// The way out, in one line.
    #[must_use]
    pub fn hint(&self) -> Cow<'static, str> {
        match self {
            Self::Network(error) => error.hint().into(),
            Self::OnlyNat { .. } => "leave it out, or set the mode to nat".into(),
            Self::Device { .. } => "leave the device out, or set the mode to nat or route".into(),
            Self::BridgeAndDevice { .. } => {
                "keep the bridge for a bridge of the host, the device for macvtap".into()
            }
            Self::ZoneWithoutBridge { .. } => "leave the zone out, or name the bridge".into(),
            Self::NoIpv4 { .. } => {
                "add an IPv4 subnet such as 192.168.122.1/24, or leave it out".into()
            }
        }
    }
}

impl Draft {
    /// The network, if the draft holds together.
    pub(super) fn network(self) -> Result<Drawn, Problem> {
        let forward = self.forward()?;
        self.check_bridge()?;
        self.check_services()?;
        let description = Description {
            name: self.name.value.clone(),
            bridge: self.bridge.as_ref().map(|bridge| bridge.value.clone()),
            zone: self.zone.as_ref().map(|zone| zone.value.clone()),
            forward,
            subnets: self.subnets.iter().map(|subnet| subnet.value).collect(),
            ipv6: self.ipv6,
            dhcp: self.dhcp.is_some(),
            tftp: self.tftp.is_some(),
        };
        let network = Network::new(description).map_err(|error| {
            let span = self.place_of(&error);
            Contradiction::Network(error).at(span)
        })?;
        Ok(Drawn {
            network,
            name: self.name.span,
            bridge: self.bridge.map(|bridge| bridge.span),
            subnets: self.subnets,
        })
    }

    fn forward(&self) -> Result<Forward, Problem> {
        let device = self.device.as_ref().map(|device| device.value.clone());
        let forward = match self.mode.value {
            Mode::Isolated => Forward::Isolated,
            Mode::Nat => Forward::Nat(Nat {
                device,
                addresses: self.nat.addresses,
                ports: self.nat.ports.unwrap_or_default(),
                ipv6: self.nat.ipv6,
            }),
            Mode::Route => Forward::Route { device },
            Mode::Open => Forward::Open,
            Mode::Unmanaged(mode) => Forward::Unmanaged(mode),
        };
        let mode = forward.mode();
        match (&self.nat.only, &self.device) {
            (Some(only), _) if self.mode.value != Mode::Nat => {
                let what = only.value;
                Err(Contradiction::OnlyNat { what, mode }.at(only.span))
            }
            (_, Some(At { value, span }))
                if matches!(forward, Forward::Isolated | Forward::Open) =>
            {
                let device = value.clone();
                Err(Contradiction::Device { mode, device }.at(*span))
            }
            _ => Ok(forward),
        }
    }

    fn check_bridge(&self) -> Result<(), Problem> {
        let host_bridge = self.mode.value == Mode::Unmanaged(UnmanagedMode::Bridge);
        match (&self.bridge, &self.device, &self.zone) {
            (Some(bridge), Some(device), _) if host_bridge => {
                let span = device.span;
                let (bridge, device) = (bridge.value.clone(), device.value.clone());
                Err(Contradiction::BridgeAndDevice { bridge, device }.at(span))
            }
            (None, _, Some(zone)) if !self.mode.value.needs_bridge() => {
                let span = zone.span;
                let zone = zone.value.clone();
                Err(Contradiction::ZoneWithoutBridge { zone }.at(span))
            }
            _ => Ok(()),
        }
    }

    fn check_services(&self) -> Result<(), Problem> {
        let mut subnets = self.subnets.iter();
        if subnets.any(|subnet| subnet.value.family() == Family::Ipv4) {
            return Ok(());
        }
        match self.dhcp.as_ref().or(self.tftp.as_ref()) {
            None => Ok(()),
            Some(&At {
                value: service,
                span,
            }) => Err(Contradiction::NoIpv4 { service }.at(span)),
        }
    }

    /// The value that an error is about.
    fn place_of(&self, error: &NetworkError) -> Span {
        // Of two that are equal, the second is too many.
        let last = |wanted: &Subnet| {
            let mut subnets = self.subnets.iter().rev();
            let found = subnets.find(|subnet| subnet.value == *wanted)?;
            Some(found.span)
        };
        let found = match error {
            NetworkError::NoSubnet { .. } => Some(self.mode.span),
            NetworkError::UnwantedSubnet { .. } => self.subnets.first().map(|subnet| subnet.span),
            NetworkError::UnwantedBridge { .. } => self.bridge.as_ref().map(|bridge| bridge.span),
            NetworkError::OwnBridge { .. } => self.device.as_ref().map(|device| device.span),
            NetworkError::Overlap { second, .. } => last(second),
            _ => None,
        };
        found.unwrap_or(self.whole)
    }
}
