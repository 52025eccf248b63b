//! The way of a packet as a frame: through ports and bridges, before and after the hooks of IP.
//!
//! A packet of a bridge comes in through one of its ports; which one, nobody says. What depends on it
//! is known only where all ports are alike.

use std::collections::HashMap;

use palisade_core::evaluate::{Packet, Way};
use palisade_core::network::InterfaceName;

use super::bits::{self, Byte};
use crate::object::{Family, Hook};
use crate::statement::interface_name;

/// The bridges of a host, each with its ports.
pub(super) type Bridges = HashMap<String, Vec<String>>;

/// `NF_NETDEV_INGRESS`, `NF_NETDEV_EGRESS`.
const INGRESS: Hook = Hook(0);
const EGRESS: Hook = Hook(1);
/// `NF_INET_INGRESS`.
const INET_INGRESS: Hook = Hook(5);

/// A place at which base chains see a packet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) layer: Layer,
    pub(super) hook: Hook,
    /// Through what it came in, as rules see it here.
    pub(super) input: Device<'a>,
    /// Through what it leaves.
    pub(super) output: Device<'a>,
    /// The bridges that these are ports of.
    pub(super) bridges: [Option<&'a str>; 2],
}

/// Whose hook it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layer {
    /// IPv4's or IPv6's.
    Ip,
    /// A bridge's.
    Bridge,
    /// A device's, where packets come in.
    Ingress,
    /// A device's, where they leave.
    Egress,
}

/// An interface, as far as it is known.
#[derive(Debug, Clone, Copy)]
pub(super) enum Device<'a> {
    None,
    Known(&'a str),
    /// One of these.
    OneOf(&'a [String]),
}

/// Whether packets at a place enter a base chain of certain devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entrance {
    Sure,
    /// They do if they pass one of the chain's devices.
    Perhaps,
    Closed,
}

impl<'a> Place<'a> {
    /// Whether base chains of a family see packets here at a hook of theirs.
    pub(super) fn has(&self, of: Family, hook: Hook, packet: Family) -> bool {
        match self.layer {
            Layer::Ip => hook == self.hook && (of == packet || of == Family::Inet),
            Layer::Bridge => hook == self.hook && of == Family::Bridge,
            Layer::Ingress => {
                (of, hook) == (Family::Netdev, INGRESS)
                    || (of, hook) == (Family::Inet, INET_INGRESS)
            }
            Layer::Egress => (of, hook) == (Family::Netdev, EGRESS),
        }
    }

    /// Whether packets here pass one of these devices.
    pub(super) fn entrance(&self, devices: &[String]) -> Entrance {
        let device = match self.layer {
            Layer::Ip | Layer::Bridge => return Entrance::Sure,
            Layer::Ingress => self.input,
            Layer::Egress => self.output,
        };
        let is_bound = |name: &str| {
            devices.iter().any(|device| match device.strip_suffix('*') {
                Some(beginning) => name.starts_with(beginning),
                None => device == name,
            })
        };
        match device {
            Device::None => Entrance::Closed,
            Device::Known(name) if is_bound(name) => Entrance::Sure,
            Device::Known(_) => Entrance::Closed,
            Device::OneOf(ports) => {
                let bound = ports.iter().filter(|port| is_bound(port)).count();
                match bound {
                    0 => Entrance::Closed,
                    all if all == ports.len() => Entrance::Sure,
                    _ => Entrance::Perhaps,
                }
            }
        }
    }

    fn ip(packet: &'a Packet, hook: Hook) -> Self {
        let name = |interface: &'a Option<InterfaceName>| match interface {
            Some(name) => Device::Known(name.as_str()),
            None => Device::None,
        };
        let output = match hook {
            Hook::PREROUTING | Hook::INPUT => Device::None,
            _ => name(&packet.out_interface),
        };
        Self {
            layer: Layer::Ip,
            hook,
            input: name(&packet.in_interface),
            output,
            bridges: [None; 2],
        }
    }
}

impl Device<'_> {
    /// Its name, as rules compare it.
    pub(super) fn name(&self) -> Vec<Byte> {
        match self {
            Self::None => bits::known(&interface_name("")),
            Self::Known(name) => bits::known(&interface_name(name)),
            Self::OneOf(names) => {
                let names: Vec<Vec<u8>> = names.iter().map(|name| interface_name(name)).collect();
                bits::any_of(&names, 16)
            }
        }
    }

    /// Whether it is sure to have another name than these bytes say.
    pub(super) fn is_not(&self, name: &[u8]) -> bool {
        let is = |own: &str| {
            let padding = name.strip_prefix(own.as_bytes());
            padding.is_some_and(|padding| padding.iter().all(|&byte| byte == 0))
        };
        match self {
            Self::None => !is(""),
            Self::Known(own) => !is(own),
            Self::OneOf(_) => false,
        }
    }
}

/// All places that a packet passes, in that order.
pub(super) fn places<'a>(packet: &'a Packet, bridges: &'a Bridges) -> Vec<Place<'a>> {
    let hooks: &[Hook] = match packet.way() {
        Way::Through => &[Hook::PREROUTING, Hook::FORWARD, Hook::POSTROUTING],
        Way::In => &[Hook::PREROUTING, Hook::INPUT],
        Way::Out => &[Hook::OUTPUT, Hook::POSTROUTING],
    };
    let ip = hooks.iter().map(|&hook| Place::ip(packet, hook));
    let frame = Frame { packet, bridges };
    frame
        .before()
        .into_iter()
        .chain(ip)
        .chain(frame.after())
        .collect()
}

struct Frame<'a> {
    packet: &'a Packet,
    bridges: &'a Bridges,
}

impl<'a> Frame<'a> {
    /// From guest to guest the host passes frames on without a look at what is in them.
    fn is_switched(&self) -> bool {
        self.packet.in_interface == self.packet.out_interface
    }

    fn before(&self) -> Vec<Place<'a>> {
        let Some(name) = self.packet.in_interface.as_ref().map(InterfaceName::as_str) else {
            return Vec::new();
        };
        let ingress = |input| Place {
            layer: Layer::Ingress,
            hook: INGRESS,
            input,
            output: Device::None,
            bridges: [None; 2],
        };
        let Some(ports) = self.bridges.get(name) else {
            return vec![ingress(Device::Known(name))];
        };
        let bridge = |hook, output| Place {
            layer: Layer::Bridge,
            hook,
            input: Device::OneOf(ports),
            output,
            bridges: [
                Some(name),
                matches!(output, Device::OneOf(_)).then_some(name),
            ],
        };
        let port = [
            ingress(Device::OneOf(ports)),
            bridge(Hook::PREROUTING, Device::None),
        ];
        let rest = if self.is_switched() {
            vec![bridge(Hook::FORWARD, Device::OneOf(ports))]
        } else {
            vec![
                bridge(Hook::INPUT, Device::None),
                ingress(Device::Known(name)),
            ]
        };
        port.into_iter().chain(rest).collect()
    }

    fn after(&self) -> Vec<Place<'a>> {
        let out = self.packet.out_interface.as_ref();
        let Some(name) = out.map(InterfaceName::as_str) else {
            return Vec::new();
        };
        let egress = |output| Place {
            layer: Layer::Egress,
            hook: EGRESS,
            input: Device::None,
            output,
            bridges: [None; 2],
        };
        let Some(ports) = self.bridges.get(name) else {
            return vec![egress(Device::Known(name))];
        };
        let bridge = |hook| Place {
            layer: Layer::Bridge,
            hook,
            input: Device::None,
            output: Device::OneOf(ports),
            bridges: [None, Some(name)],
        };
        let mut places = Vec::new();
        if !self.is_switched() {
            places.extend([egress(Device::Known(name)), bridge(Hook::OUTPUT)]);
        }
        places.extend([bridge(Hook::POSTROUTING), egress(Device::OneOf(ports))]);
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(input: &str, output: &str) -> Packet {
        let mut packet = Packet::new([10, 0, 0, 5].into(), [10, 0, 0, 6].into(), 17).unwrap();
        packet.in_interface = input.parse().ok();
        packet.out_interface = output.parse().ok();
        packet
    }

    /// `ingress vnet0`, `bridge 1`, `ip 2`, one behind the other.
    fn told(packet: &Packet) -> Vec<String> {
        let ports = vec!["vnet0".to_owned()];
        let bridges = Bridges::from([("virbr0".to_owned(), ports)]);
        let device = |device: Device<'_>| match device {
            Device::None => "-".to_owned(),
            Device::Known(name) => name.to_owned(),
            Device::OneOf(names) => names.join("|"),
        };
        let places = places(packet, &bridges).into_iter();
        places
            .map(|place| match place.layer {
                Layer::Ip => format!("ip {}", place.hook),
                Layer::Bridge => format!("bridge {} {:?}", place.hook, place.bridges),
                Layer::Ingress => format!("ingress {}", device(place.input)),
                Layer::Egress => format!("egress {}", device(place.output)),
            })
            .collect()
    }

    #[test]
    fn from_a_guest_to_the_world() {
        assert_eq!(
            told(&packet("virbr0", "eth0")),
            [
                "ingress vnet0",
                "bridge prerouting [Some(\"virbr0\"), None]",
                "bridge input [Some(\"virbr0\"), None]",
                "ingress virbr0",
                "ip prerouting",
                "ip forward",
                "ip postrouting",
                "egress eth0",
            ]
        );
    }

    #[test]
    fn from_guest_to_guest() {
        let switched: Vec<String> = told(&packet("virbr0", "virbr0"))
            .into_iter()
            .filter(|place| !place.starts_with("ip "))
            .collect();
        assert_eq!(
            switched,
            [
                "ingress vnet0",
                "bridge prerouting [Some(\"virbr0\"), None]",
                "bridge forward [Some(\"virbr0\"), Some(\"virbr0\")]",
                "bridge postrouting [None, Some(\"virbr0\")]",
                "egress vnet0",
            ]
        );
    }

    #[test]
    fn from_the_host_to_a_guest() {
        assert_eq!(
            told(&packet("", "virbr0")),
            [
                "ip output",
                "ip postrouting",
                "egress virbr0",
                "bridge output [None, Some(\"virbr0\")]",
                "bridge postrouting [None, Some(\"virbr0\")]",
                "egress vnet0",
            ]
        );
    }
}
