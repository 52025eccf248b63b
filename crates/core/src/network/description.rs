//! Networks, and what is said of them before it is known to hold together.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;

use super::established::Established;
use super::forward::{Forward, UnmanagedMode};
use super::interface::InterfaceName;
use super::name::Name;
use super::subnet::{Family, Subnet};
use crate::hint::Hint;

/// A virtual network, without contradictions. A copy shares what it says.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "Description")]
pub struct Network {
    said: Arc<Description>,
    /// Not written with it: it belongs to where the network is placed.
    established: Established,
}

/// What is said of a network, before it is known to hold together.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// The network's name, unique among the running ones.
    pub name: Name,
    /// The bridge that the guests are attached to. Only networks whose traffic is not ours to
    /// rule ([`Forward::Unmanaged`]) may do without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bridge: Option<InterfaceName>,
    /// The firewalld zone of the bridge, as the definition names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Name>,
    /// How guests reach beyond their bridge.
    pub forward: Forward,
    /// The guests' subnets, of either family.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subnets: Vec<Subnet>,
    /// Guests may talk IPv6 among themselves although the network has no IPv6 subnet.
    #[serde(default)]
    pub ipv6: bool,
    /// Guests get IPv4 addresses by DHCP from the host.
    #[serde(default)]
    pub dhcp: bool,
    /// Guests boot over TFTP from the host.
    #[serde(default)]
    pub tftp: bool,
}

/// A description that contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// No bridge, although the firewall rules need its name.
    #[error("network `{name}` names no bridge")]
    NoBridge {
        /// The network.
        name: Name,
    },
    /// NAT or routing without anything to translate or to route.
    #[error("network `{name}` forwards with mode `{mode}` but has no subnet")]
    NoSubnet {
        /// The network.
        name: Name,
        /// The forward mode, as the definition spells it.
        mode: &'static str,
    },
    /// A subnet where the host has no address of the network.
    #[error("network `{name}` has a subnet, which mode `{mode}` does not allow")]
    UnwantedSubnet {
        /// The network.
        name: Name,
        /// The forward mode.
        mode: &'static str,
    },
    /// A bridge where the mode attaches guests to a device directly.
    #[error("network `{name}` names a bridge, which mode `{mode}` does not allow")]
    UnwantedBridge {
        /// The network.
        name: Name,
        /// The forward mode.
        mode: &'static str,
    },
    /// Two subnets of the network share addresses.
    #[error("network `{name}` has two subnets that overlap: {first} and {second}")]
    Overlap {
        /// The network.
        name: Name,
        /// The subnet that was named first.
        first: Subnet,
        /// The other one.
        second: Subnet,
    },
    /// The forward device is the network's own bridge.
    #[error("network `{name}` forwards through its own bridge `{bridge}`")]
    OwnBridge {
        /// The network.
        name: Name,
        /// Its bridge.
        bridge: InterfaceName,
    },
}

impl Hint for NetworkError {
    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::NoBridge { .. } => "name the bridge, for example virbr1",
            Self::NoSubnet { .. } => {
                "add the guests' subnet, or leave forwarding out for an isolated network"
            }
            Self::UnwantedSubnet { .. } => {
                "leave the subnet out: in this mode the host has no address on the network"
            }
            Self::UnwantedBridge { .. } => {
                "leave the bridge out: in this mode guests are attached to a device directly"
            }
            Self::Overlap { .. } => "give each subnet addresses of its own",
            Self::OwnBridge { .. } => "name the device that leads outside, such as eth0",
        }
        .into()
    }
}

impl Network {
    /// Takes a description that holds together.
    ///
    /// # Errors
    /// Where it contradicts itself: see [`NetworkError`].
    pub fn new(description: Description) -> Result<Self, NetworkError> {
        let Description {
            name,
            bridge,
            forward,
            subnets,
            ..
        } = &description;
        let (name, mode) = (name.clone(), forward.mode());
        match forward {
            Forward::Isolated | Forward::Open | Forward::Nat(_) | Forward::Route { .. } => {
                if bridge.is_none() {
                    return Err(NetworkError::NoBridge { name });
                }
            }
            Forward::Unmanaged(_) if !subnets.is_empty() => {
                return Err(NetworkError::UnwantedSubnet { name, mode });
            }
            Forward::Unmanaged(UnmanagedMode::Bridge) => {}
            Forward::Unmanaged(_) if bridge.is_some() => {
                return Err(NetworkError::UnwantedBridge { name, mode });
            }
            Forward::Unmanaged(_) => {}
        }
        if matches!(forward, Forward::Nat(_) | Forward::Route { .. }) && subnets.is_empty() {
            return Err(NetworkError::NoSubnet { name, mode });
        }
        if let (Some(bridge), Some(device)) = (bridge, forward.device())
            && bridge == device
        {
            return Err(NetworkError::OwnBridge {
                name,
                bridge: bridge.clone(),
            });
        }
        if let Some((first, second)) = first_overlap(subnets) {
            return Err(NetworkError::Overlap {
                name,
                first,
                second,
            });
        }
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
    pub fn zone(&self) -> Option<&Name> {
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

/// The first subnet that shares addresses with a later one, and that one. Subnets nest or are
/// disjoint: sorted by first address, the shorter prefix before the longer, an overlap is always
/// with the last subnet that has not ended yet.
fn first_overlap(subnets: &[Subnet]) -> Option<(Subnet, Subnet)> {
    let mut sorted: Vec<usize> = (0..subnets.len()).collect();
    sorted.sort_by_key(|&i| (subnets[i].network(), subnets[i].prefix(), i));
    let mut outer = *sorted.first()?;
    let mut found = None;
    for &i in &sorted[1..] {
        if subnets[outer].overlaps(subnets[i]) {
            let pair = (outer.min(i), outer.max(i));
            found = Some(found.map_or(pair, |earlier| pair.min(earlier)));
        } else {
            outer = i;
        }
    }
    found.map(|(first, second)| (subnets[first], subnets[second]))
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

#[cfg(test)]
mod tests {
    use super::super::Nat;
    use super::*;

    fn isolated(subnets: &[&str]) -> Description {
        Description {
            name: "lab".parse().unwrap(),
            bridge: Some("virbr0".parse().unwrap()),
            zone: None,
            forward: Forward::Isolated,
            subnets: subnets.iter().map(|s| s.parse().unwrap()).collect(),
            ipv6: false,
            dhcp: false,
            tftp: false,
        }
    }

    #[test]
    fn subnets_of_one_network_may_not_overlap() {
        let error = Network::new(isolated(&["10.0.0.0/8", "fd00::/64", "10.1.0.0/16"]));
        assert_eq!(
            error.unwrap_err().to_string(),
            "network `lab` has two subnets that overlap: 10.0.0.0/8 and 10.1.0.0/16"
        );
    }

    #[test]
    fn of_several_overlaps_the_first_is_told() {
        let told = |subnets: &[&str]| Network::new(isolated(subnets)).map_err(|e| e.to_string());
        let both = "network `lab` has two subnets that overlap: ";
        assert_eq!(
            told(&[
                "10.1.0.0/24",
                "10.0.0.0/8",
                "fd00::/64",
                "10.1.0.0/16",
                "fd00::/80"
            ]),
            Err(format!("{both}10.1.0.0/24 and 10.0.0.0/8"))
        );
        assert_eq!(
            told(&["fd00::/64", "10.0.0.0/24", "fd00::/64"]),
            Err(format!("{both}fd00::/64 and fd00::/64"))
        );
        assert!(
            told(&[
                "10.0.1.0/24",
                "fd00::/64",
                "10.0.0.0/24",
                "0:1::/32",
                "0.1.0.0/16"
            ])
            .is_ok()
        );
    }

    #[test]
    fn nat_and_route_need_a_subnet() {
        for forward in [
            Forward::Nat(Nat::default()),
            Forward::Route { device: None },
        ] {
            let description = Description {
                forward,
                ..isolated(&[])
            };
            assert!(matches!(
                Network::new(description),
                Err(NetworkError::NoSubnet { .. })
            ));
        }
    }

    #[test]
    fn a_bridge_is_needed_where_it_is_ours() {
        let without = Description {
            bridge: None,
            ..isolated(&[])
        };
        assert!(matches!(
            Network::new(without),
            Err(NetworkError::NoBridge { .. })
        ));
        let direct = Forward::Unmanaged(UnmanagedMode::Vepa);
        let with = Description {
            forward: direct,
            ..isolated(&[])
        };
        assert!(matches!(
            Network::new(with),
            Err(NetworkError::UnwantedBridge { .. })
        ));
    }

    #[test]
    fn json_goes_through_the_same_checks() {
        let good = Network::new(isolated(&["10.0.0.0/8"])).unwrap();
        let json = serde_json::to_string(&good).unwrap();
        assert_eq!(serde_json::from_str::<Network>(&json).unwrap(), good);
        let bad = json.replace("[\"10.0.0.0/8\"]", "[\"10.0.0.0/8\",\"10.0.0.0/9\"]");
        assert!(serde_json::from_str::<Network>(&bad).is_err());
    }
}
