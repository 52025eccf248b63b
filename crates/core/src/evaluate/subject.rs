//! A packet on its way, as rules see it: bytes of its headers, and what is known beside them.
//!
//! Of what is not said of a packet, nothing is known: its length, its TTL, its mark. It is taken for
//! a whole packet without IP options or extension headers.

use std::net::IpAddr;
use std::ops::Range;

use super::bits::{self, Byte};
use super::hook::{CONNTRACK, DESTINATION_NAT};
use super::place::{Devices, Place};
use super::{Base, Flow, Hook, HookLayer, Icmp, PROTOCOLS_WITH_PORTS, Packet};

const ICMP: u8 = 1;
const ICMPV6: u8 = 58;

/// A packet at a place in its way.
pub struct Subject<'a> {
    packet: &'a Packet,
    /// The packet as it came, until NAT gives it its destination.
    came: Option<Packet>,
    devices: &'a Devices,
    place: Place<'a>,
    priority: i32,
    link: [Byte; 14],
    /// Of IPv4, only its first half.
    network: [Byte; 40],
    transport: [Byte; 4],
    /// Whether its headers are still those of the packet that came.
    is_as_it_came: bool,
    pub(super) tracking: Tracking,
    /// Whether rules may have given the packet a mark.
    pub(super) is_marked: bool,
    pub(super) connection: ConnectionMark,
}

/// The mark of a packet's connection (`ct mark`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConnectionMark {
    /// No rule of the host gives connections one.
    Never,
    /// Rules give connections one, and none was met that gives this one's.
    NotYet,
    /// A rule may have.
    Perhaps,
}

/// A header of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// Ethernet's.
    Link,
    /// IPv4's or IPv6's.
    Network,
    /// That of tcp, udp and so on.
    Transport,
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

/// What a rule changes of a packet, whatever it does then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Conntrack does not look at it.
    Untrack,
    /// It has another mark.
    Mark,
    /// Its connection has another mark.
    MarkConnection,
    /// A header has other bytes.
    Write {
        /// Which header.
        header: Header,
        /// Where they begin there.
        offset: u32,
        /// The bytes.
        bytes: Vec<Byte>,
    },
}

/// What a part of a rule reads of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// What conntrack knows of its flow.
    Flow,
    /// Its mark.
    Mark,
    /// The mark of its connection.
    ConnectionMark,
    /// Bytes of a header.
    Bytes(Header, Range<u32>),
}

impl Effect {
    /// Whether it changes what is read.
    #[must_use]
    pub fn reaches(&self, read: &Read) -> bool {
        match (self, read) {
            (Self::Untrack, Read::Flow) => true,
            (Self::Mark, Read::Mark) | (Self::MarkConnection, Read::ConnectionMark) => true,
            (
                Self::Write {
                    header,
                    offset,
                    bytes,
                },
                Read::Bytes(of, read),
            ) => {
                let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                let end = offset.saturating_add(len);
                header == of && *offset < read.end && read.start < end
            }
            _ => false,
        }
    }
}

impl<'a> Subject<'a> {
    /// A packet at the first place of its way.
    pub(super) fn new(
        packet: &'a Packet,
        devices: &'a Devices,
        place: Place<'a>,
        connection: ConnectionMark,
    ) -> Self {
        let came = packet.as_it_came();
        let seen = came.as_ref().unwrap_or(packet);
        Self {
            packet,
            devices,
            place,
            priority: 0,
            link: link_header(seen),
            network: network_header(seen),
            transport: transport_header(seen),
            is_as_it_came: true,
            tracking: Tracking::On,
            is_marked: false,
            connection,
            came,
        }
    }

    /// The packet: before NAT translates its destination as it came, then with the new one.
    #[must_use]
    pub fn packet(&self) -> &Packet {
        self.came.as_ref().unwrap_or(self.packet)
    }

    /// Where it is.
    #[must_use]
    pub fn place(&self) -> &Place<'a> {
        &self.place
    }

    /// The number of an interface; none if it is not known.
    #[must_use]
    pub fn number(&self, interface: &str) -> Option<u32> {
        self.devices.numbers.get(interface).copied()
    }

    /// It comes to a base chain.
    pub(super) fn comes_to(&mut self, place: Place<'a>, base: &Base) {
        self.place = place;
        self.priority = base.priority;
        let is_before_nat = match place.layer {
            HookLayer::Ip => {
                let is_before = base.is_nat || base.priority < DESTINATION_NAT;
                place.hook.translates_destinations() && is_before
            }
            HookLayer::Bridge | HookLayer::Device => is_before_ip(place.hook),
        };
        if !is_before_nat && self.came.take().is_some() {
            self.put_destination();
        }
    }

    /// From here on it goes where NAT lets it go.
    fn put_destination(&mut self) {
        let [_, address] = address_fields(self.packet.source().is_ipv4());
        put_address(&mut self.network, address.start, self.packet.destination());
        if let Some(port) = self.packet.destination_port
            && PROTOCOLS_WITH_PORTS.contains(&self.packet.protocol)
        {
            put(&mut self.transport, 2, &port.to_be_bytes());
        }
    }

    /// Its destination is another from now on, where it comes in or begins; else its source.
    pub(super) fn translate(&mut self) {
        let is_v4 = self.packet().source().is_ipv4();
        let [source, destination] = address_fields(is_v4);
        let (address, port) = if self.place.hook.translates_destinations() {
            (destination, 2..4)
        } else {
            (source, 0..2)
        };
        self.network[address].fill(Byte::UNKNOWN);
        self.transport[port].fill(Byte::UNKNOWN);
        self.is_as_it_came = false;
    }

    /// Where it comes from by now; none if that is not known.
    #[must_use]
    pub fn source(&self) -> Option<IpAddr> {
        match self.is_as_it_came {
            true => Some(self.packet().source()),
            false => self.address(0),
        }
    }

    /// Where it goes by now; none if that is not known.
    #[must_use]
    pub fn destination(&self) -> Option<IpAddr> {
        match self.is_as_it_came {
            true => Some(self.packet().destination()),
            false => self.address(1),
        }
    }

    /// Whether it goes to an address of the host by now; none if that is not known.
    #[must_use]
    pub fn goes_to_host(&self) -> Option<bool> {
        let is_as_it_came = self.destination() == Some(self.packet().destination());
        self.packet().goes_to_host().filter(|_| is_as_it_came)
    }

    fn address(&self, end: usize) -> Option<IpAddr> {
        let field = address_fields(self.packet().source().is_ipv4())[end].clone();
        let bytes = bits::certain(self.network.get(field)?)?;
        match <[u8; 4]>::try_from(bytes.as_slice()) {
            Ok(octets) => Some(octets.into()),
            Err(_) => Some(<[u8; 16]>::try_from(bytes).ok()?.into()),
        }
    }

    /// The port that it comes from by now: none if there is none, or if that is not known, which is
    /// the outer one.
    #[must_use]
    pub fn source_port(&self) -> Option<Option<u16>> {
        self.port(self.packet().source_port, 0)
    }

    /// The port that it goes to by now, likewise.
    #[must_use]
    pub fn destination_port(&self) -> Option<Option<u16>> {
        self.port(self.packet().destination_port, 2)
    }

    fn port(&self, came: Option<u16>, start: usize) -> Option<Option<u16>> {
        if self.is_as_it_came || !PROTOCOLS_WITH_PORTS.contains(&self.packet().protocol) {
            return Some(came);
        }
        let bytes = bits::certain(self.transport.get(start..start + 2)?)?;
        Some(Some(u16::from_be_bytes(bytes.try_into().ok()?)))
    }

    /// The byte that says its protocol.
    #[must_use]
    pub fn protocol(&self) -> Byte {
        let is_v4 = self.packet().source().is_ipv4();
        self.network[if is_v4 { 9 } else { 6 }]
    }

    /// What Ethernet calls the packet.
    #[must_use]
    pub fn ether_type(&self) -> [u8; 2] {
        ether_type(self.packet)
    }

    /// Bytes of a header. What is not known of a packet is behind its end, too.
    #[must_use]
    pub fn payload(&self, header: Header, offset: u32, len: u32) -> Vec<Byte> {
        let header: &[Byte] = match header {
            Header::Network if self.packet().source().is_ipv4() => &self.network[..20],
            Header::Network => &self.network,
            Header::Transport => &self.transport,
            Header::Link if self.place.layer != HookLayer::Ip => &self.link,
            Header::Link => &[],
        };
        let at = |index: u32| usize::try_from(index).ok().and_then(|i| header.get(i));
        (offset..offset.saturating_add(len))
            .map(|index| at(index).copied().unwrap_or(Byte::UNKNOWN))
            .collect()
    }

    /// A header has these bytes from now on. What is not known of a packet is not kept.
    pub(super) fn write(&mut self, header: Header, offset: u32, bytes: &[Byte]) {
        let header: &mut [Byte] = match header {
            Header::Network => &mut self.network,
            Header::Transport => &mut self.transport,
            Header::Link => &mut self.link,
        };
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        for (place, &byte) in header.iter_mut().skip(start).zip(bytes) {
            *place = byte;
        }
        self.is_as_it_came = false;
    }

    /// Where its addresses are.
    pub(super) fn addresses(&self) -> Read {
        let [source, destination] = match self.packet().source() {
            IpAddr::V4(_) => [12, 20],
            IpAddr::V6(_) => [8, 40],
        };
        Read::Bytes(Header::Network, source..destination)
    }

    /// Its mark: 0 until a rule gives it one, and then not known.
    #[must_use]
    pub fn mark(&self) -> Option<u32> {
        (!self.is_marked).then_some(0)
    }

    /// The mark of its connection, likewise. Packets before it may have given it one.
    #[must_use]
    pub fn connection_mark(&self) -> Option<u32> {
        let is_unmarked = match self.connection {
            ConnectionMark::Never => true,
            ConnectionMark::NotYet => self.packet.flow == Flow::New,
            ConnectionMark::Perhaps => false,
        };
        is_unmarked.then_some(0)
    }

    /// Whether the host reaches its source through the interface that it came in through; none if that
    /// is not known.
    #[must_use]
    pub fn reverse_path(&self) -> Option<bool> {
        let is_source_known = self.source() == Some(self.packet().source());
        let is_asked = is_source_known && self.place.layer == HookLayer::Ip;
        self.packet().reverse_path.filter(|_| is_asked)
    }

    /// What conntrack makes of it, as far as that is known where it ends.
    pub(super) fn flow_at_end(&self) -> Flow {
        match self.tracking {
            Tracking::Off => Flow::Untracked,
            Tracking::On | Tracking::Perhaps => self.packet().flow,
        }
    }

    /// Whether a rule here can keep conntrack from it: it can until conntrack knows its flow.
    pub(super) fn can_be_untracked(&self) -> bool {
        self.packet().flow == Flow::Invalid || self.is_before_conntrack()
    }

    /// Whether it is where conntrack has not seen it yet.
    pub(super) fn is_before_conntrack(&self) -> bool {
        let hook = self.place.hook;
        match self.place.layer {
            HookLayer::Ip => hook.has_conntrack() && self.priority <= CONNTRACK,
            HookLayer::Bridge => matches!(hook, Hook::Prerouting | Hook::Input | Hook::Forward),
            HookLayer::Device => hook == Hook::Ingress,
        }
    }

    /// What rules here see of its flow; none if that is not known.
    #[must_use]
    pub fn flow(&self) -> Option<Flow> {
        // Whether conntrack sees frames is a setting of the bridge.
        if self.tracking == Tracking::Perhaps || self.place.layer == HookLayer::Bridge {
            return None;
        }
        let is_early = self.is_before_conntrack();
        // The rule that kept conntrack from it elsewhere may be before or behind.
        if is_early && self.tracking == Tracking::On && self.packet().flow == Flow::Untracked {
            return None;
        }
        Some(match self.flow_at_end() {
            Flow::Untracked => Flow::Untracked,
            _ if is_early => Flow::Invalid,
            flow => flow,
        })
    }
}

/// Where source and destination are in the header of IP: RFC 791, RFC 8200.
fn address_fields(is_v4: bool) -> [Range<usize>; 2] {
    if is_v4 {
        [12..16, 16..20]
    } else {
        [8..24, 24..40]
    }
}

/// Of a header of Ethernet without a tag, only what follows is known.
fn link_header(packet: &Packet) -> [Byte; 14] {
    let mut header = [Byte::UNKNOWN; 14];
    put(&mut header, 12, &ether_type(packet));
    header
}

fn ether_type(packet: &Packet) -> [u8; 2] {
    match packet.source() {
        IpAddr::V4(_) => [0x08, 0x00],
        IpAddr::V6(_) => [0x86, 0xdd],
    }
}

fn network_header(packet: &Packet) -> [Byte; 40] {
    let mut header = [Byte::UNKNOWN; 40];
    let [source, destination] = address_fields(packet.source().is_ipv4());
    for (field, address) in [
        (source, packet.source()),
        (destination, packet.destination()),
    ] {
        put_address(&mut header, field.start, address);
    }
    let (version, protocol, hops) = match packet.source() {
        IpAddr::V4(_) => (0x40, 9, 8),
        IpAddr::V6(_) => (0x60, 6, 7),
    };
    if let Some(limit) = packet.hop_limit {
        header[hops] = Byte::known(limit);
    }
    header[0] = Byte::upper_half(version);
    header[protocol] = Byte::known(packet.protocol);
    header
}

fn transport_header(packet: &Packet) -> [Byte; 4] {
    let mut header = [Byte::UNKNOWN; 4];
    if PROTOCOLS_WITH_PORTS.contains(&packet.protocol) {
        for (start, port) in [(0, packet.source_port), (2, packet.destination_port)] {
            if let Some(port) = port {
                put(&mut header, start, &port.to_be_bytes());
            }
        }
    }
    if let (ICMP | ICMPV6, Some(Icmp { kind, code })) = (packet.protocol, packet.icmp) {
        put(&mut header, 0, &[kind, code]);
    }
    header
}

fn put_address(header: &mut [Byte], start: usize, address: IpAddr) {
    match address {
        IpAddr::V4(address) => put(header, start, &address.octets()),
        IpAddr::V6(address) => put(header, start, &address.octets()),
    }
}

/// Whether frames and devices see packets at a hook before the host does.
fn is_before_ip(hook: Hook) -> bool {
    matches!(hook, Hook::Ingress | Hook::Prerouting | Hook::Input)
}

fn put(header: &mut [Byte], start: usize, bytes: &[u8]) {
    for (place, &byte) in header.iter_mut().skip(start).zip(bytes) {
        *place = Byte::known(byte);
    }
}
