//! Networks that hold together.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use super::blocked::BlockError;
use super::checks;
use super::description::Description;
use super::established::Established;
use super::forward::Forward;
use super::interface::InterfaceName;
use super::log_refused::LogRefused;
use super::name::Name;
use super::network_error::NetworkError;
use super::port_forward::PortForward;
use super::segment::{MssClamp, Mtu};
use super::subnet::{Family, Subnet};
use super::zone::Zone;

/// A virtual network, without contradictions. A copy shares what it says.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "Description")]
pub struct Network {
    said: Arc<Description>,
    /// Not written with it: it belongs to where the network is placed.
    established: Established,
}

impl Network {
    /// Takes a description that holds together.
    ///
    /// # Errors
    /// Where it contradicts itself: see [`NetworkError`].
    pub fn new(description: Description) -> Result<Self, NetworkError> {
        checks::check(&description)?;
        Ok(Self {
            said: Arc::new(description),
            established: Established::default(),
        })
    }

    /// The network's name.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.said.name
    }

    /// The bridge, which only networks without rules may lack.
    #[must_use]
    pub fn bridge(&self) -> Option<&InterfaceName> {
        self.said.bridge.as_ref()
    }

    /// Whether no other network may have its bridge.
    #[must_use]
    pub(crate) fn owns_bridge(&self) -> bool {
        !matches!(self.forward(), Forward::Unmanaged(_))
    }

    /// The bridge, if it and what passes it are ours to rule.
    #[must_use]
    pub fn ruled_bridge(&self) -> Option<&InterfaceName> {
        match self.said.forward {
            Forward::Isolated | Forward::Nat(_) | Forward::Route { .. } => self.bridge(),
            Forward::Open | Forward::Unmanaged(_) => None,
        }
    }

    /// The firewalld zone of the bridge.
    #[must_use]
    pub fn zone(&self) -> Option<&Zone> {
        self.said.zone.as_ref()
    }

    /// How guests reach beyond the bridge.
    #[must_use]
    pub fn forward(&self) -> &Forward {
        &self.said.forward
    }

    /// The guests' subnets, in the order of the definition.
    #[must_use]
    pub fn subnets(&self) -> &[Subnet] {
        &self.said.subnets
    }

    /// The guests' subnets of one family.
    pub fn subnets_of(&self, family: Family) -> impl Iterator<Item = Subnet> + '_ {
        self.said
            .subnets
            .iter()
            .copied()
            .filter(move |s| s.family() == family)
    }

    /// Whether guests may talk IPv6 among themselves without an IPv6 subnet.
    #[must_use]
    pub fn ipv6(&self) -> bool {
        self.said.ipv6
    }

    /// Whether guests get IPv4 addresses by DHCP from the host.
    #[must_use]
    pub fn dhcp(&self) -> bool {
        self.said.dhcp
    }

    /// Whether guests boot over TFTP from the host.
    #[must_use]
    pub fn tftp(&self) -> bool {
        self.said.tftp
    }

    /// The largest packet on the bridge, where the definition states it.
    #[must_use]
    pub fn mtu(&self) -> Option<Mtu> {
        self.said.mtu
    }

    /// Whether guests reach each other neither on the bridge nor through the host.
    #[must_use]
    pub fn isolated_ports(&self) -> bool {
        self.said.isolated_ports
    }

    /// How the segment size of tcp connections is lowered.
    #[must_use]
    pub fn mss_clamp(&self) -> Option<MssClamp> {
        self.said.mss_clamp
    }

    /// Ports of the host that lead to guests, in the order of the definition.
    #[must_use]
    pub fn port_forwards(&self) -> &[PortForward] {
        &self.said.forwards
    }

    /// How refused packets are logged.
    #[must_use]
    pub fn log(&self) -> Option<&LogRefused> {
        self.said.log.as_ref()
    }

    /// The guests that are cut off.
    #[must_use]
    pub fn blocked(&self) -> &BTreeSet<IpAddr> {
        &self.said.blocked
    }

    /// The same network, with these guests cut off and no others.
    ///
    /// # Errors
    /// If one of them cannot be a guest of the network, or palisade does not rule it.
    pub fn with_blocked(mut self, guests: BTreeSet<IpAddr>) -> Result<Self, BlockError> {
        if guests == self.said.blocked {
            return Ok(self);
        }
        if let Some(&guest) = guests.iter().find(|&&guest| !self.may_have(guest)) {
            return Err(BlockError::NoGuest {
                network: self.name().clone(),
                guest,
            });
        }
        if self.ruled_bridge().is_none() && !guests.is_empty() {
            return Err(BlockError::NoRules {
                network: self.name().clone(),
            });
        }
        Arc::make_mut(&mut self.said).blocked = guests;
        Ok(self)
    }

    /// The same network, with these guests cut off too, as far as it may have them.
    #[must_use]
    pub(crate) fn with_more_blocked(self, guests: impl IntoIterator<Item = IpAddr>) -> Self {
        let more = guests.into_iter().filter(|&guest| self.may_have(guest));
        let all = more.chain(self.blocked().iter().copied()).collect();
        // A network without rules cuts nobody off.
        self.clone().with_blocked(all).unwrap_or(self)
    }

    /// Whether a guest may have an address: one of the subnets holds it, or there is none of its family.
    #[must_use]
    pub(crate) fn may_have(&self, guest: IpAddr) -> bool {
        checks::may_have(self.subnets(), guest)
    }

    /// When packets of known flows are accepted: in turn, unless that was
    /// [chosen](Self::with_established) otherwise.
    #[must_use]
    pub fn established(&self) -> Established {
        self.established
    }

    /// The same network, with packets of known flows accepted then.
    #[must_use]
    pub fn with_established(self, established: Established) -> Self {
        Self {
            established,
            ..self
        }
    }
}

impl TryFrom<Description> for Network {
    type Error = NetworkError;

    fn try_from(description: Description) -> Result<Self, NetworkError> {
        Self::new(description)
    }
}

impl From<Network> for Description {
    fn from(network: Network) -> Self {
        Arc::unwrap_or_clone(network.said)
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.said.serialize(serializer)
    }
}
