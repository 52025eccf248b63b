//! A packet as the kernel's expressions see it: bytes of its headers, and what is known beside it.
//!
//! Of what is not said of a packet, nothing is known: its length, its TTL, its mark. It is taken for
//! a whole packet without IP options or extension headers.

use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::Range;

use palisade_core::evaluate::{Flow, Packet};
use palisade_netlink::PROTOCOLS_WITH_PORTS;

use super::bits::{self, Byte};
use super::frame::{Device, Layer, Place};
use crate::object::{
    Comparison, ConntrackKey, Expression, Family, Hook, MetaKey, PayloadBase, Rule,
};
use crate::statement::interface_name;

/// The length of an interface's name in a register: `IFNAMSIZ`.
const INTERFACE_NAME: usize = 16;

/// `NFT_META_PROTOCOL`: what Ethernet calls the packet.
const META_PROTOCOL: u32 = 1;
/// `NFT_META_NFPROTO`: its family, as netfilter numbers them.
const META_NFPROTO: u32 = 15;
/// `NFT_META_BRI_IIFNAME`, `NFT_META_BRI_OIFNAME`: the bridges whose ports a frame passes.
const META_BRIDGE_IN: u32 = 17;
const META_BRIDGE_OUT: u32 = 18;
/// `NFT_PAYLOAD_LL_HEADER`.
const LINK: PayloadBase = PayloadBase(0);

/// The priority of connection tracking: before it, no packet has a flow.
const CONNTRACK: i32 = -200;

/// A packet at a place in its way.
pub(super) struct Subject<'a> {
    packet: &'a Packet,
    /// The numbers of interfaces, as far as they are known.
    interfaces: &'a HashMap<String, u32>,
    place: Place<'a>,
    priority: i32,
    link: Vec<Byte>,
    network: Vec<Byte>,
    transport: Vec<Byte>,
    pub(super) tracking: Tracking,
}

/// Whether conntrack looks at a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tracking {
    On,
    /// A rule may have kept it from that.
    Perhaps,
    /// A rule has.
    Off,
}

impl<'a> Subject<'a> {
    /// A packet at the first place of its way.
    pub(super) fn new(
        packet: &'a Packet,
        interfaces: &'a HashMap<String, u32>,
        place: Place<'a>,
    ) -> Self {
        Self {
            packet,
            interfaces,
            place,
            priority: 0,
            link: link_header(packet),
            network: network_header(packet),
            transport: transport_header(packet),
            tracking: Tracking::On,
        }
    }

    pub(super) fn packet(&self) -> &'a Packet {
        self.packet
    }

    /// It comes to a base chain of this priority.
    pub(super) fn comes_to(&mut self, place: Place<'a>, priority: i32) {
        self.place = place;
        self.priority = priority;
    }

    /// Its destination is another from now on, where it comes in or begins; else its source.
    pub(super) fn translate(&mut self) {
        let is_v4 = self.packet.source().is_ipv4();
        let comes_in = matches!(self.place.hook, Hook::PREROUTING | Hook::OUTPUT);
        // Where the headers have them: RFC 791, RFC 8200; ports are the same in all that have them.
        let (address, port) = match (comes_in, is_v4) {
            (true, true) => (16..20, 2..4),
            (true, false) => (24..40, 2..4),
            (false, true) => (12..16, 0..2),
            (false, false) => (8..24, 0..2),
        };
        let headers = [(&mut self.network, address), (&mut self.transport, port)];
        for (header, field) in headers {
            if let Some(field) = header.get_mut(field) {
                field.fill(Byte::UNKNOWN);
            }
        }
    }

    /// Whether a rule begins by asking for another interface than the packet's. So do most rules of
    /// `flat`, and a glance at them takes a tenth of the time of running them.
    pub(super) fn is_past(&self, rule: &Rule) -> bool {
        let [Expression::Meta(meta), Expression::Compare(compare), ..] = &rule.expressions[..]
        else {
            return false;
        };
        let device = match meta.key {
            MetaKey::IIFNAME => self.place.input,
            MetaKey::OIFNAME => self.place.output,
            _ => return false,
        };
        let asks = compare.source == meta.destination && compare.operator == Comparison::Equal;
        asks && compare.value.len() == INTERFACE_NAME && device.is_not(&compare.value)
    }

    /// What `meta` loads.
    pub(super) fn meta(&self, key: MetaKey) -> Vec<Byte> {
        let is_v4 = self.packet.source().is_ipv4();
        let number = |device: Device<'_>| match device {
            Device::None => bits::known(&0_u32.to_ne_bytes()),
            Device::Known(name) => match self.interfaces.get(name) {
                Some(index) => bits::known(&index.to_ne_bytes()),
                None => vec![Byte::UNKNOWN; 4],
            },
            Device::OneOf(_) => vec![Byte::UNKNOWN; 4],
        };
        let Place { input, output, .. } = self.place;
        let [from, to] = self.place.bridges;
        let bridge = |name: Option<&str>| match name {
            Some(name) => bits::known(&interface_name(name)),
            None => vec![Byte::UNKNOWN; 16],
        };
        match key {
            MetaKey::IIFNAME => input.name(),
            MetaKey::OIFNAME => output.name(),
            MetaKey::IIF => number(input),
            MetaKey::OIF => number(output),
            MetaKey(META_BRIDGE_IN) => bridge(from),
            MetaKey(META_BRIDGE_OUT) => bridge(to),
            // Here it is the hook's own family.
            MetaKey(META_NFPROTO) if self.place.layer != Layer::Ip => vec![Byte::UNKNOWN; 1],
            MetaKey::L4PROTO => vec![self.network[if is_v4 { 9 } else { 6 }]],
            MetaKey(META_PROTOCOL) => bits::known(&ether_type(self.packet)),
            MetaKey(META_NFPROTO) => {
                let family = if is_v4 { Family::Ip } else { Family::Ip6 };
                bits::known(&[family.number()])
            }
            MetaKey(other) => vec![Byte::UNKNOWN; meta_size(other)],
        }
    }

    /// What `payload` loads.
    pub(super) fn payload(&self, base: PayloadBase, offset: u32, len: u32) -> Vec<Byte> {
        let header: &[Byte] = match base {
            PayloadBase::NETWORK => &self.network,
            PayloadBase::TRANSPORT => &self.transport,
            _ if base == LINK && self.place.layer != Layer::Ip => &self.link,
            _ => &[],
        };
        let at = |index: u32| usize::try_from(index).ok().and_then(|i| header.get(i));
        (offset..offset.saturating_add(len))
            .map(|index| match at(index) {
                Some(&byte) => byte,
                None => Byte::UNKNOWN,
            })
            .collect()
    }

    /// What `ct` loads.
    pub(super) fn conntrack(&self, key: ConntrackKey) -> Vec<Byte> {
        match key {
            ConntrackKey::STATE => match self.state() {
                Some(state) => bits::known(&state.to_ne_bytes()),
                None => vec![Byte::UNKNOWN; 4],
            },
            ConntrackKey(other) => vec![Byte::UNKNOWN; conntrack_size(other)],
        }
    }

    /// These bytes stand in a header from now on. What is not known of a packet is not kept.
    pub(super) fn write(&mut self, base: PayloadBase, offset: u32, bytes: &[Byte]) {
        let header = match base {
            PayloadBase::NETWORK => &mut self.network,
            PayloadBase::TRANSPORT => &mut self.transport,
            LINK => &mut self.link,
            _ => return,
        };
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        for (place, &byte) in header.iter_mut().skip(start).zip(bytes) {
            *place = byte;
        }
    }

    /// Where its addresses stand in the header of IP.
    pub(super) fn addresses(&self) -> Range<u32> {
        match self.packet.source() {
            IpAddr::V4(_) => 12..20,
            IpAddr::V6(_) => 8..40,
        }
    }

    /// What conntrack makes of it, as far as that is known.
    pub(super) fn flow(&self) -> Flow {
        match self.tracking {
            Tracking::Off => Flow::Untracked,
            Tracking::On | Tracking::Perhaps => self.packet.flow,
        }
    }

    /// Whether a rule here can keep conntrack from it: it can until conntrack knows its flow.
    pub(super) fn can_be_untracked(&self) -> bool {
        self.packet.flow == Flow::Invalid || self.is_before_conntrack()
    }

    fn is_before_conntrack(&self) -> bool {
        let hook = self.place.hook;
        match self.place.layer {
            Layer::Ip => {
                matches!(hook, Hook::PREROUTING | Hook::OUTPUT) && self.priority <= CONNTRACK
            }
            Layer::Ingress => true,
            Layer::Bridge => matches!(hook, Hook::PREROUTING | Hook::INPUT | Hook::FORWARD),
            Layer::Egress => false,
        }
    }

    /// The bit that stands for the state of its flow.
    pub(super) fn state(&self) -> Option<u32> {
        // Whether conntrack sees frames is a setting of the bridge.
        if self.tracking == Tracking::Perhaps || self.place.layer == Layer::Bridge {
            return None;
        }
        let is_early = self.is_before_conntrack();
        // Who kept conntrack from it elsewhere may stand before or behind.
        if is_early && self.tracking == Tracking::On && self.packet.flow == Flow::Untracked {
            return None;
        }
        Some(match self.flow() {
            Flow::Untracked => 64,
            _ if is_early => 1,
            Flow::Invalid => 1,
            Flow::Established => 2,
            Flow::Related => 4,
            Flow::New => 8,
        })
    }
}

/// Of a header of Ethernet without a tag, only what follows is known.
fn link_header(packet: &Packet) -> Vec<Byte> {
    let mut header = vec![Byte::UNKNOWN; 14];
    header[12..].copy_from_slice(&bits::known(&ether_type(packet)));
    header
}

fn ether_type(packet: &Packet) -> [u8; 2] {
    match packet.source() {
        IpAddr::V4(_) => [0x08, 0x00],
        IpAddr::V6(_) => [0x86, 0xdd],
    }
}

fn network_header(packet: &Packet) -> Vec<Byte> {
    let mut header;
    match (packet.source(), packet.destination()) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            header = vec![Byte::UNKNOWN; 20];
            header[0] = Byte::upper_half(0x40);
            header[9] = Byte::known(packet.protocol);
            header[12..16].copy_from_slice(&bits::known(&source.octets()));
            header[16..20].copy_from_slice(&bits::known(&destination.octets()));
        }
        (source, destination) => {
            header = vec![Byte::UNKNOWN; 40];
            header[0] = Byte::upper_half(0x60);
            header[6] = Byte::known(packet.protocol);
            header[8..24].copy_from_slice(&bits::known(&octets(source)));
            header[24..40].copy_from_slice(&bits::known(&octets(destination)));
        }
    }
    header
}

fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

fn transport_header(packet: &Packet) -> Vec<Byte> {
    let mut header = vec![Byte::UNKNOWN; 4];
    if PROTOCOLS_WITH_PORTS.contains(&packet.protocol) {
        for (place, port) in [(0, packet.source_port), (2, packet.destination_port)] {
            if let Some(port) = port {
                header[place..place + 2].copy_from_slice(&bits::known(&port.to_be_bytes()));
            }
        }
    }
    header
}

/// How long what `meta` loads is, in bytes (`nft_meta_get_init`).
fn meta_size(key: u32) -> usize {
    match key {
        8 | 9 | 29 => 2,              // iiftype, oiftype, ibrvproto
        19 | 31 => 1,                 // pkttype, day
        17 | 18 | 26 | 27 | 34 => 16, // names and kinds of interfaces
        30 => 8,                      // time
        _ => 4,
    }
}

/// How long what `ct` loads is, in bytes (`nft_ct_get_init`).
fn conntrack_size(key: u32) -> usize {
    match key {
        1 | 7 | 10 => 1,                // direction, l3protocol, protocol
        6 | 8 | 9 | 13 | 21 | 22 => 16, // helper, addresses, labels
        14..=16 => 8,                   // packets, bytes, average
        _ => 4,
    }
}
