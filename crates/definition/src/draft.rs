//! A network as its definition describes it: values with their places, not yet checked against each
//! other.

use std::net::IpAddr;

use palisade_core::network::{
    AddressRange, Description, Family, Forward, InterfaceName, LogRefused, MssClamp, Mtu, Name,
    Nat, Network, NetworkError, PortForward, PortRange, Subnet, UnmanagedMode, Zone,
};

use super::bridges::Bridges;
use super::contradiction::Contradiction;
use super::span::{Span, Spanned};
use super::spanned_fault::{AtSpan, SpannedFault};

/// One network of a definition.
#[derive(Debug)]
pub(crate) struct NetworkDraft {
    /// The whole definition, or its first line or tag.
    pub(crate) whole: Span,
    pub(crate) name: Spanned<Name>,
    pub(crate) bridge: Option<Spanned<InterfaceName>>,
    /// The place where the bridge would be named.
    pub(crate) no_bridge: Span,
    /// The host's addresses on the bridge, by which libvirt's bridges are found.
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) zone: Option<Spanned<Zone>>,
    pub(crate) mtu: Option<Mtu>,
    pub(crate) mode: Spanned<Mode>,
    pub(crate) device: Option<Spanned<InterfaceName>>,
    pub(crate) nat: NatDraft,
    pub(crate) subnets: Vec<Spanned<Subnet>>,
    pub(crate) ipv6: bool,
    pub(crate) dhcp: Option<Spanned<&'static str>>,
    pub(crate) tftp: Option<Spanned<&'static str>>,
    pub(crate) isolated_ports: bool,
    pub(crate) mss_clamp: Option<Spanned<MssClamp>>,
    pub(crate) forwards: Vec<Spanned<PortForward>>,
    pub(crate) log: Option<Spanned<LogRefused>>,
    /// What is allowed, and probably not meant.
    pub(crate) warnings: Vec<Spanned<String>>,
}

/// A valid network, with the places of values that may conflict with another network.
#[derive(Debug)]
pub(crate) struct LocatedNetwork {
    pub(crate) network: Network,
    pub(crate) name: Span,
    pub(crate) bridge: Option<Span>,
    pub(crate) subnets: Vec<Spanned<Subnet>>,
    pub(crate) warnings: Vec<Spanned<String>>,
}

/// The forward modes, without their parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Isolated,
    Nat,
    Route,
    Open,
    Unmanaged(UnmanagedMode),
}

/// The parameters of NAT.
#[derive(Debug)]
pub(crate) struct NatDraft {
    /// The first field or element that has a meaning with NAT only.
    pub(crate) nat_only: Option<Spanned<&'static str>>,
    pub(crate) addresses: Option<AddressRange>,
    pub(crate) ports: Option<PortRange>,
    pub(crate) ipv6: bool,
    pub(crate) between_networks: bool,
}

impl Default for NatDraft {
    fn default() -> Self {
        Self {
            nat_only: None,
            addresses: None,
            ports: None,
            ipv6: false,
            between_networks: true,
        }
    }
}

impl Mode {
    /// The modes that have the same name in all formats.
    pub(crate) const NAMES: [&'static str; 8] = [
        "nat",
        "route",
        "open",
        "bridge",
        "private",
        "vepa",
        "passthrough",
        "hostdev",
    ];

    /// The mode with one of the [`NAMES`](Self::NAMES).
    pub(crate) fn from_name(name: &str) -> Option<Self> {
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

    /// Whether the network has its own bridge.
    pub(crate) fn has_own_bridge(self) -> bool {
        !matches!(self, Self::Unmanaged(_))
    }

    /// Whether the rules need the bridge's name.
    fn needs_bridge(self) -> bool {
        matches!(self, Self::Isolated | Self::Nat | Self::Route)
    }
}

impl NetworkDraft {
    /// The network, unless its values contradict each other. A bridge that the definition does not
    /// name is looked up.
    pub(crate) fn network(mut self, bridges: &dyn Bridges) -> Result<LocatedNetwork, SpannedFault> {
        let forward = self.forward()?;
        if self.bridge.is_none() && self.mode.value.has_own_bridge() {
            let found = bridges.bridge_of(&self.name.value, &self.addresses);
            self.bridge = found.map(|bridge| Spanned::new(bridge, self.no_bridge));
        }
        self.check_bridge()?;
        self.check_services()?;
        let description = Description {
            zone: self.zone.as_ref().map(|zone| zone.value.clone()),
            mtu: self.mtu,
            subnets: self.subnets.iter().map(|subnet| subnet.value).collect(),
            ipv6: self.ipv6,
            dhcp: self.dhcp.is_some(),
            tftp: self.tftp.is_some(),
            isolated_ports: self.isolated_ports,
            mss_clamp: self.mss_clamp.as_ref().map(|clamp| clamp.value),
            forwards: self
                .forwards
                .iter()
                .map(|forward| forward.value.clone())
                .collect(),
            log: self.log.as_ref().map(|log| log.value),
            ..Description::new(
                self.name.value.clone(),
                self.bridge.as_ref().map(|bridge| bridge.value.clone()),
                forward,
            )
        };
        let network = Network::new(description).map_err(|error| {
            let span = self.span_of(&error);
            Contradiction::Network(error).at(span)
        })?;
        Ok(LocatedNetwork {
            network,
            name: self.name.span,
            bridge: self.bridge.map(|bridge| bridge.span),
            subnets: self.subnets,
            warnings: self.warnings,
        })
    }

    fn forward(&self) -> Result<Forward, SpannedFault> {
        let device = self.device.as_ref().map(|device| device.value.clone());
        let forward = match self.mode.value {
            Mode::Isolated => Forward::Isolated,
            Mode::Nat => Forward::Nat(Nat {
                device,
                addresses: self.nat.addresses,
                ports: self.nat.ports.unwrap_or_default(),
                ipv6: self.nat.ipv6,
                between_networks: self.nat.between_networks,
            }),
            Mode::Route => Forward::Route { device },
            Mode::Open => Forward::Open,
            Mode::Unmanaged(mode) => Forward::Unmanaged(mode),
        };
        let mode = forward.mode();
        match (&self.nat.nat_only, &self.device) {
            (Some(nat_only), _) if self.mode.value != Mode::Nat => {
                let what = nat_only.value;
                Err(Contradiction::OnlyNat { what, mode }.at(nat_only.span))
            }
            (_, Some(Spanned { value, span }))
                if matches!(forward, Forward::Isolated | Forward::Open) =>
            {
                let device = value.clone();
                Err(Contradiction::Device { mode, device }.at(*span))
            }
            _ => Ok(forward),
        }
    }

    fn check_bridge(&self) -> Result<(), SpannedFault> {
        if self.bridge.is_none() && self.mode.value.needs_bridge() {
            let name = self.name.value.clone();
            let address = self.addresses.first().copied();
            return Err(Contradiction::NoBridge { name, address }.at(self.no_bridge));
        }
        let host_bridge = self.mode.value == Mode::Unmanaged(UnmanagedMode::Bridge);
        match (&self.bridge, &self.device, &self.zone) {
            (Some(bridge), Some(device), _) if host_bridge => {
                let span = device.span;
                let (bridge, device) = (bridge.value.clone(), device.value.clone());
                Err(Contradiction::BridgeAndDevice { bridge, device }.at(span))
            }
            (None, _, Some(zone)) => {
                let span = zone.span;
                let zone = zone.value.clone();
                Err(Contradiction::ZoneWithoutBridge { zone }.at(span))
            }
            _ => Ok(()),
        }
    }

    fn check_services(&self) -> Result<(), SpannedFault> {
        let mut subnets = self.subnets.iter();
        if subnets.any(|subnet| subnet.value.family() == Family::Ipv4) {
            return Ok(());
        }
        match self.dhcp.as_ref().or(self.tftp.as_ref()) {
            None => Ok(()),
            Some(&Spanned {
                value: service,
                span,
            }) => Err(Contradiction::NoIpv4 { service }.at(span)),
        }
    }

    /// The span of the value that an error is about.
    fn span_of(&self, error: &NetworkError) -> Span {
        // Of two equal subnets, the error is at the second.
        let last = |wanted: &Subnet| {
            let mut subnets = self.subnets.iter().rev();
            let found = subnets.find(|subnet| subnet.value == *wanted)?;
            Some(found.span)
        };
        // Of two equal forwards too.
        let of_forward = |wanted: &PortForward| {
            let mut forwards = self.forwards.iter().rev();
            let found = forwards.find(|forward| forward.value == *wanted)?;
            Some(found.span)
        };
        let found = match error {
            NetworkError::NoSubnet { .. } => Some(self.mode.span),
            NetworkError::UnwantedSubnet { .. } => self.subnets.first().map(|subnet| subnet.span),
            NetworkError::UnwantedBridge { .. } => self.bridge.as_ref().map(|bridge| bridge.span),
            NetworkError::OwnBridge { .. } => self.device.as_ref().map(|device| device.span),
            NetworkError::Overlap { second, .. } => last(second),
            NetworkError::NoRules { field, .. } => match *field {
                "mss_clamp" => self.mss_clamp.as_ref().map(|clamp| clamp.span),
                "log" => self.log.as_ref().map(|log| log.span),
                _ => self.forwards.first().map(|forward| forward.span),
            },
            NetworkError::Target { forward, .. } => of_forward(forward),
            NetworkError::SameForward { second, .. } => of_forward(second),
            NetworkError::ManyPorts { .. } => self.forwards.first().map(|forward| forward.span),
            _ => None,
        };
        found.unwrap_or(self.whole)
    }
}
