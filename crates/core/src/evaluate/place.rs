//! The places that a packet passes: the hooks of IP, and as a frame those of ports and bridges before
//! and after them.
//!
//! A packet of a bridge comes in through one of its ports; which one is not known. What depends on it
//! is known only where all ports are alike.

use std::collections::HashMap;

use super::bits::{self, Byte};
use super::{Base, Hook, HookLayer, Packet, Seen};
use crate::network::{Family, InterfaceName};

/// The devices of a host, as far as they are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Devices {
    /// The numbers of interfaces, for rules that match these (`iif`, `oif`).
    pub numbers: HashMap<String, u32>,
    /// The bridges, each with its ports.
    pub bridges: HashMap<String, Vec<String>>,
}

/// `lo` has the same number everywhere.
impl Default for Devices {
    fn default() -> Self {
        Self {
            numbers: HashMap::from([("lo".to_owned(), 1)]),
            bridges: HashMap::new(),
        }
    }
}

/// A place at which base chains see a packet.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Whose hook it is.
    pub layer: HookLayer,
    /// The hook.
    pub hook: Hook,
    /// Through what the packet came in, as rules see it here.
    pub input: Device<'a>,
    /// Through what it leaves.
    pub output: Device<'a>,
    /// The bridges that these are ports of.
    pub bridges: [Option<&'a str>; 2],
}

/// An interface, as far as it is known.
#[derive(Debug, Clone, Copy)]
pub enum Device<'a> {
    /// None.
    None,
    /// The one of this name.
    Known(&'a str),
    /// One of these.
    OneOf(&'a [String]),
}

/// Whether packets at a place enter a base chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entrance {
    Sure,
    /// They do if they pass one of the chain's devices.
    Perhaps,
    Closed,
}

/// The length of an interface's name in rules: `IFNAMSIZ`.
const NAME_LEN: usize = 16;

impl<'a> Place<'a> {
    /// Whether packets of IPv4 or IPv6 at this place enter a base chain.
    pub(super) fn entrance(&self, base: &Base, family: Family) -> Entrance {
        let sees = match base.sees {
            Seen::At(layer, hook) => (layer, hook) == (self.layer, self.hook),
            Seen::Unknown => false,
        };
        if !sees || !base.families.has(family) {
            return Entrance::Closed;
        }
        if self.layer != HookLayer::Device {
            return Entrance::Sure;
        }
        let device = match self.hook {
            Hook::Egress => self.output,
            _ => self.input,
        };
        let is_bound = |name: &str| {
            let mut devices = base.devices.iter();
            devices.any(|device| match device.strip_suffix('*') {
                Some(beginning) => name.starts_with(beginning),
                None => device == name,
            })
        };
        match device {
            Device::None => Entrance::Closed,
            Device::Known(name) if is_bound(name) => Entrance::Sure,
            Device::Known(_) => Entrance::Closed,
            Device::OneOf(ports) => match ports.iter().filter(|port| is_bound(port)).count() {
                0 => Entrance::Closed,
                all if all == ports.len() => Entrance::Sure,
                _ => Entrance::Perhaps,
            },
        }
    }

    fn ip(packet: &'a Packet, hook: Hook) -> Self {
        /// What the host sends to itself leaves by this interface. A new destination changes that for
        /// the rules of postrouting alone.
        const LOOPBACK: Device<'_> = Device::Known(super::packet::LOOPBACK);
        let is_to_host = packet.original.is_some_and(|original| original.is_host);
        let output = if is_to_host && hook == Hook::Output {
            LOOPBACK
        } else if hook.knows_output() {
            Device::of(packet.out_interface.as_ref())
        } else {
            Device::None
        };
        Self {
            layer: HookLayer::Ip,
            hook,
            input: Device::of(packet.in_interface.as_ref()),
            output,
            bridges: [None; 2],
        }
    }

    fn device(hook: Hook, device: Device<'a>) -> Self {
        let (input, output) = match hook {
            Hook::Egress => (Device::None, device),
            _ => (device, Device::None),
        };
        Self {
            layer: HookLayer::Device,
            hook,
            input,
            output,
            bridges: [None; 2],
        }
    }
}

impl<'a> Device<'a> {
    fn of(interface: Option<&'a InterfaceName>) -> Self {
        interface.map_or(Self::None, |name| Self::Known(name.as_str()))
    }

    /// Its name, as rules compare it.
    #[must_use]
    pub fn name(&self) -> Vec<Byte> {
        let padded = |name: &str| {
            let mut bytes = name.as_bytes().to_vec();
            bytes.resize(NAME_LEN, 0);
            bytes
        };
        match self {
            Self::None => bits::known(&padded("")),
            Self::Known(name) => bits::known(&padded(name)),
            Self::OneOf(names) => {
                let names: Vec<Vec<u8>> = names.iter().map(|name| padded(name)).collect();
                bits::any_of(&names, NAME_LEN)
            }
        }
    }

    /// Whether it is sure to have another name than these bytes say.
    #[must_use]
    pub fn is_not(&self, name: &[u8]) -> bool {
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
pub(super) fn places<'a>(packet: &'a Packet, devices: &'a Devices) -> Vec<Place<'a>> {
    let passed = match packet.is_frame {
        true => &[],
        false => Hook::passed(packet.way()),
    };
    let hooks = passed.iter();
    let ip = hooks.map(|&hook| Place::ip(packet, hook));
    let frame = Frame { packet, devices };
    let mut places = frame.before();
    places.extend(ip);
    places.extend(frame.after());
    places
}

struct Frame<'a> {
    packet: &'a Packet,
    devices: &'a Devices,
}

impl<'a> Frame<'a> {
    /// From guest to guest the host passes frames on without a look at what is in them.
    fn is_switched(&self) -> bool {
        self.packet.in_interface == self.packet.out_interface
    }

    /// The ports by which the packet comes in and leaves, of these.
    fn ports(&self, all: &'a [String]) -> [Device<'a>; 2] {
        let [input, output] = &self.packet.bridge_ports;
        [input, output].map(|known| match known {
            Some(name) => Device::Known(name.as_str()),
            None => Device::OneOf(all),
        })
    }

    fn before(&self) -> Vec<Place<'a>> {
        let Some(name) = self.packet.in_interface.as_ref().map(InterfaceName::as_str) else {
            return Vec::new();
        };
        let ingress = |device| Place::device(Hook::Ingress, device);
        let Some(all) = self.devices.bridges.get(name) else {
            return vec![ingress(Device::Known(name))];
        };
        let [input, output] = self.ports(all);
        let bridge = |hook, output| Place {
            layer: HookLayer::Bridge,
            hook,
            input,
            output,
            bridges: [
                Some(name),
                (!matches!(output, Device::None)).then_some(name),
            ],
        };
        let port = [ingress(input), bridge(Hook::Prerouting, Device::None)];
        let rest = if self.is_switched() {
            vec![bridge(Hook::Forward, output)]
        } else {
            vec![
                bridge(Hook::Input, Device::None),
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
        let egress = |device| Place::device(Hook::Egress, device);
        let Some(all) = self.devices.bridges.get(name) else {
            return vec![egress(Device::Known(name))];
        };
        let [_, output] = self.ports(all);
        let bridge = |hook| Place {
            layer: HookLayer::Bridge,
            hook,
            input: Device::None,
            output,
            bridges: [None, Some(name)],
        };
        let mut places = Vec::new();
        if !self.is_switched() {
            places.extend([egress(Device::Known(name)), bridge(Hook::Output)]);
        }
        places.extend([bridge(Hook::Postrouting), egress(output)]);
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
    fn passed(packet: &Packet) -> Vec<String> {
        let ports = vec!["vnet0".to_owned()];
        let mut devices = Devices::default();
        devices.bridges.insert("virbr0".to_owned(), ports);
        let device = |device: Device<'_>| match device {
            Device::None => "-".to_owned(),
            Device::Known(name) => name.to_owned(),
            Device::OneOf(names) => names.join("|"),
        };
        let places = places(packet, &devices).into_iter();
        places
            .map(|place| match (place.layer, place.hook) {
                (HookLayer::Ip, hook) => format!("ip {hook:?}"),
                (HookLayer::Bridge, hook) => format!("bridge {hook:?} {:?}", place.bridges),
                (HookLayer::Device, Hook::Egress) => format!("egress {}", device(place.output)),
                (HookLayer::Device, _) => format!("ingress {}", device(place.input)),
            })
            .collect()
    }

    #[test]
    fn from_a_guest_to_the_world() {
        assert_eq!(
            passed(&packet("virbr0", "eth0")),
            [
                "ingress vnet0",
                "bridge Prerouting [Some(\"virbr0\"), None]",
                "bridge Input [Some(\"virbr0\"), None]",
                "ingress virbr0",
                "ip Prerouting",
                "ip Forward",
                "ip Postrouting",
                "egress eth0",
            ]
        );
    }

    #[test]
    fn from_guest_to_guest() {
        let switched: Vec<String> = passed(&packet("virbr0", "virbr0"))
            .into_iter()
            .filter(|place| !place.starts_with("ip "))
            .collect();
        assert_eq!(
            switched,
            [
                "ingress vnet0",
                "bridge Prerouting [Some(\"virbr0\"), None]",
                "bridge Forward [Some(\"virbr0\"), Some(\"virbr0\")]",
                "bridge Postrouting [None, Some(\"virbr0\")]",
                "egress vnet0",
            ]
        );
    }

    #[test]
    fn from_the_host_to_a_guest() {
        assert_eq!(
            passed(&packet("", "virbr0")),
            [
                "ip Output",
                "ip Postrouting",
                "egress virbr0",
                "bridge Output [None, Some(\"virbr0\")]",
                "bridge Postrouting [None, Some(\"virbr0\")]",
                "egress vnet0",
            ]
        );
    }
}
