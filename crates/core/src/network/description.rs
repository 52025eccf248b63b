//! What is said of a network, before it is known to hold together.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::forward::Forward;
use super::interface::InterfaceName;
use super::log_refused::LogRefused;
use super::name::Name;
use super::port_forward::PortForward;
use super::segment::{MssClamp, Mtu};
use super::subnet::Subnet;
use super::zone::Zone;

/// What is said of a network, before it is known to hold together.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// The network's name, unique among the running ones.
    pub name: Name,
    /// The bridge that the guests are attached to. Only networks without rules
    /// ([`Forward::Open`], [`Forward::Unmanaged`]) may have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bridge: Option<InterfaceName>,
    /// The firewalld zone of the bridge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
    /// The largest packet on the bridge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<Mtu>,
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
    /// Guests reach each other neither on the bridge nor through the host. Their ports of the bridge
    /// are isolated, which is not palisade's task; the way through the host is.
    #[serde(default, skip_serializing_if = "is_false")]
    pub isolated_ports: bool,
    /// How the segment size of tcp connections is lowered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mss_clamp: Option<MssClamp>,
    /// Ports of the host that lead to guests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forwards: Vec<PortForward>,
    /// How refused packets are logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<LogRefused>,
    /// Guests that are cut off. No format of definitions has them: guests are blocked while a network
    /// runs, and stay so when it is applied again.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub blocked: BTreeSet<IpAddr>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Description {
    /// A network about which nothing else is said.
    #[must_use]
    pub fn new(name: Name, bridge: Option<InterfaceName>, forward: Forward) -> Self {
        Self {
            name,
            bridge,
            zone: None,
            mtu: None,
            forward,
            subnets: Vec::new(),
            ipv6: false,
            dhcp: false,
            tftp: false,
            isolated_ports: false,
            mss_clamp: None,
            forwards: Vec::new(),
            log: None,
            blocked: BTreeSet::new(),
        }
    }
}
