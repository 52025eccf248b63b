//! What `meta` and `ct` load of a packet.

use std::net::IpAddr;

use palisade_core::evaluate::bits::{self, Byte};
use palisade_core::evaluate::{Device, Flow, HookLayer, Place, Subject};
use palisade_core::network;

use crate::object::{ConntrackKey, Family, Fib, FibResult, MetaKey};
use crate::statement::interface_name;

/// `NFT_META_PROTOCOL`: what Ethernet calls the packet.
const META_PROTOCOL: u32 = 1;
/// `NFT_META_MARK`.
pub(super) const META_MARK: u32 = 3;
/// `NFT_CT_MARK`.
pub(super) const CONNTRACK_MARK: u32 = 3;
/// `NFT_META_NFPROTO`: its family, as netfilter numbers them.
const META_NFPROTO: u32 = 15;
/// `NFT_META_BRI_IIFNAME`, `NFT_META_BRI_OIFNAME`: the bridges whose ports a frame passes.
const META_BRIDGE_IN: u32 = 17;
const META_BRIDGE_OUT: u32 = 18;

/// What `meta` loads.
pub(super) fn meta(subject: &Subject<'_>, key: MetaKey) -> Vec<Byte> {
    let number = |device: Device<'_>| {
        let number = match device {
            Device::None => Some(0),
            Device::Known(name) => subject.number(name),
            Device::OneOf(_) => None,
        };
        number.map_or_else(unknown::<4>, |number| bits::known(&number.to_ne_bytes()))
    };
    let bridge = |name: Option<&str>| {
        name.map_or_else(unknown::<16>, |name| bits::known(&interface_name(name)))
    };
    let Place { input, output, .. } = *subject.place();
    let [from, to] = subject.place().bridges;
    match key {
        MetaKey::IIFNAME => input.name(),
        MetaKey::OIFNAME => output.name(),
        MetaKey::IIF => number(input),
        MetaKey::OIF => number(output),
        MetaKey(META_BRIDGE_IN) => bridge(from),
        MetaKey(META_BRIDGE_OUT) => bridge(to),
        // Here it is the hook's own family.
        MetaKey(META_NFPROTO) if subject.place().layer != HookLayer::Ip => unknown::<1>(),
        MetaKey::L4PROTO => vec![subject.protocol()],
        MetaKey(META_PROTOCOL) => bits::known(&subject.ether_type()),
        MetaKey(META_NFPROTO) => {
            let family = match subject.packet().family() {
                network::Family::Ipv4 => Family::Ip,
                network::Family::Ipv6 => Family::Ip6,
            };
            bits::known(&[family.number()])
        }
        MetaKey(META_MARK) => mark(subject.mark()),
        MetaKey(other) => vec![Byte::UNKNOWN; meta_size(other)],
    }
}

/// What `ct` loads.
pub(super) fn conntrack(subject: &Subject<'_>, key: ConntrackKey) -> Vec<Byte> {
    match key {
        ConntrackKey::STATE => {
            let state = subject.flow().map(|flow| state(flow).to_ne_bytes());
            state.map_or_else(unknown::<4>, |state| bits::known(&state))
        }
        ConntrackKey::STATUS => {
            // The flow has another destination, or it has not; what else happened to it is not known.
            const DNAT: u32 = 1 << 5;
            let is_redirected = subject.flow().map(|_| subject.packet().redirected);
            let value = is_redirected.filter(|is| *is).map_or(0, |_| DNAT);
            let known = is_redirected.map_or(0, |_| DNAT);
            let bytes = value.to_ne_bytes().into_iter().zip(known.to_ne_bytes());
            bytes
                .map(|(value, known)| Byte::bits(value, known))
                .collect()
        }
        ConntrackKey(CONNTRACK_MARK) => mark(subject.connection_mark()),
        ConntrackKey(other) => vec![Byte::UNKNOWN; conntrack_size(other)],
    }
}

fn mark(mark: Option<u32>) -> Vec<Byte> {
    mark.map_or_else(unknown::<4>, |mark| bits::known(&mark.to_ne_bytes()))
}

/// What `fib` loads: whether there is a way back, or what kind of address the packet goes to.
pub(super) fn fib(subject: &Subject<'_>, fib: Fib) -> Vec<Byte> {
    if fib.is_destination_kind() {
        return destination_kind(subject);
    }
    if fib.result != FibResult::OIF || !fib.flags.is_reverse_path() {
        return unknown::<4>();
    }
    match subject.reverse_path() {
        None => unknown::<4>(),
        Some(false) => bits::known(&[0; 4]),
        Some(true) if fib.flags.asks_presence() => bits::known(&[1, 0, 0, 0]),
        Some(true) => meta(subject, MetaKey::IIF),
    }
}

fn destination_kind(subject: &Subject<'_>) -> Vec<Byte> {
    const UNICAST: u32 = 1;
    const LOCAL: u32 = 2;
    const BROADCAST: u32 = 3;
    const MULTICAST: u32 = 5;
    let kind = match (subject.destination(), subject.goes_to_host()) {
        (_, None) | (None, _) => return unknown::<4>(),
        (_, Some(true)) => LOCAL,
        (Some(address), _) if address.is_multicast() => MULTICAST,
        (Some(IpAddr::V4(address)), _) if address.is_broadcast() => BROADCAST,
        _ => UNICAST,
    };
    bits::known(&kind.to_ne_bytes())
}

/// The bit of `ct state` that stands for a flow.
pub(super) fn state(flow: Flow) -> u32 {
    match flow {
        Flow::Invalid => 1,
        Flow::Established => 2,
        Flow::Related => 4,
        Flow::New => 8,
        Flow::Untracked => 64,
    }
}

fn unknown<const LEN: usize>() -> Vec<Byte> {
    vec![Byte::UNKNOWN; LEN]
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
