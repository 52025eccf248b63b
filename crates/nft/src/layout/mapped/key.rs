//! What an element stands for, and its bytes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use palisade_core::network::{InterfaceName, Subnet};
use palisade_core::rules::{Destination, Role, Rule, RuleKind};

use super::shape::{Part, Shape};

/// What a rule says of one network: the bridge, the device it is bound to, the subnet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Key {
    pub(super) bridge: Option<InterfaceName>,
    pub(super) device: Option<InterfaceName>,
    pub(super) subnet: Option<Subnet>,
}

impl Key {
    /// What a rule speaks of.
    pub(super) fn of(rule: &Rule) -> Self {
        let matches = &rule.matches;
        let (incoming, outgoing) = (matches.in_interface.clone(), matches.out_interface.clone());
        let destination = match matches.destination {
            Some(Destination::In(subnet)) => Some(subnet),
            _ => None,
        };
        match rule.role() {
            _ if rule.kind == RuleKind::Cross => Self {
                bridge: incoming,
                ..Self::default()
            },
            _ if rule.kind == RuleKind::EstablishedIn => Self {
                bridge: outgoing,
                device: incoming,
                ..Self::default()
            },
            Role::GuestInput => Self {
                bridge: outgoing,
                device: incoming,
                subnet: destination,
            },
            Role::GuestNat => Self {
                bridge: None,
                device: outgoing,
                subnet: matches.source,
            },
            // From a guest.
            _ => Self {
                bridge: incoming,
                device: outgoing,
                subnet: matches.source,
            },
        }
    }

    /// The bytes by which a shape's set finds it.
    pub(super) fn bytes(&self, shape: &Shape) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(48);
        for part in shape.parts() {
            match part {
                Part::Bridge(_) => put_name(&mut bytes, self.bridge.as_ref()),
                Part::Device(_) => put_name(&mut bytes, self.device.as_ref()),
                Part::Address(_, _) => match self.subnet.map(Subnet::network) {
                    Some(IpAddr::V4(address)) => bytes.extend(address.octets()),
                    Some(IpAddr::V6(address)) => bytes.extend(address.octets()),
                    None => {}
                },
            }
        }
        bytes
    }

    /// What the bytes of a key in a shape's set stand for; none if they are not ours.
    pub(super) fn read(shape: &Shape, mut bytes: &[u8]) -> Option<Self> {
        let mut key = Self::default();
        for part in shape.parts() {
            match part {
                Part::Bridge(_) => key.bridge = Some(take_name(&mut bytes)?),
                Part::Device(_) => key.device = Some(take_name(&mut bytes)?),
                Part::Address(_, prefix) => {
                    let address = take_address(&mut bytes)?;
                    let subnet = Subnet::new(address, prefix).ok()?;
                    // An address with bits behind the prefix is never looked up.
                    key.subnet = (subnet.network() == address).then_some(subnet);
                    key.subnet?;
                }
            }
        }
        bytes.is_empty().then_some(key)
    }
}

fn put_name(bytes: &mut Vec<u8>, name: Option<&InterfaceName>) {
    let start = bytes.len();
    bytes.extend(name.map_or("", InterfaceName::as_str).bytes());
    bytes.resize(start + 16, 0);
}

fn take_name(bytes: &mut &[u8]) -> Option<InterfaceName> {
    let (name, rest) = bytes.split_at_checked(16)?;
    *bytes = rest;
    let end = name.iter().position(|&byte| byte == 0)?;
    std::str::from_utf8(&name[..end]).ok()?.parse().ok()
}

/// Addresses stand last, or twice: their family is seen from what is left.
fn take_address(bytes: &mut &[u8]) -> Option<IpAddr> {
    let len = if bytes.len().is_multiple_of(16) {
        16
    } else {
        4
    };
    let (octets, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    Some(match <[u8; 4]>::try_from(octets) {
        Ok(octets) => Ipv4Addr::from(octets).into(),
        Err(_) => Ipv6Addr::from(<[u8; 16]>::try_from(octets).ok()?).into(),
    })
}
