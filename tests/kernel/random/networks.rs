//! Networks of every mode, with subnets of every length, that can run side by side.

use palisade_tests::Definition;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// The network of this number has bridge, name and addresses of its own.
pub(crate) fn network(i: usize) -> impl Strategy<Value = Definition> {
    let v4 = vec((any::<u16>(), 16..=32_u8), 0..3);
    let v6 = vec((any::<u64>(), 48..=128_u8), 0..3);
    let parts = (name(), forward(), v4, v6, any::<bool>());
    parts.prop_map(move |(name, forward, v4, v6, ipv6)| {
        let v4 = v4
            .iter()
            .enumerate()
            .map(|(j, &subnet)| subnet_v4(8 * i + j, subnet));
        let v6 = v6
            .iter()
            .enumerate()
            .map(|(j, &subnet)| subnet_v6(8 * i + j, subnet));
        let mut subnets: Vec<String> = v4.chain(v6).collect();
        // Forwarding needs something to forward.
        let may_be_empty = forward.is_empty() || forward.contains("open");
        if subnets.is_empty() && !may_be_empty {
            subnets.push(subnet_v4(8 * i, (1, 24)));
        }
        Definition {
            name: format!("{name}{i}"),
            bridge: format!("br{i}"),
            forward,
            subnets,
            ipv6,
            dhcp: false,
            tftp: false,
            forwards: Vec::new(),
        }
    })
}

/// In the block of this number.
fn subnet_v4(block: usize, (host, prefix): (u16, u8)) -> String {
    let [high, low] = host.to_be_bytes();
    format!("10.{block}.{high}.{low}/{prefix}")
}

fn subnet_v6(block: usize, (host, prefix): (u64, u8)) -> String {
    let groups = (0..4).map(|n| format!("{:x}", (host >> (16 * n)) & 0xffff));
    let groups: Vec<String> = groups.collect();
    format!("fd00:0:{block}:0:{}/{prefix}", groups.join(":"))
}

fn name() -> impl Strategy<Value = String> {
    let words = select(vec![
        "net", "Büro", "a b", "x-y_z.", "網路", "it's", "<&>", "#{}",
    ]);
    vec(words, 1..4).prop_map(|words| words.concat())
}

fn forward() -> impl Strategy<Value = String> {
    let device = prop::option::of(select(vec!["eth0", "eth0.100", "wan-1"]));
    let ports = prop::option::of((1..=u16::MAX, 1..=u16::MAX));
    let addresses = prop::option::of((any::<u8>(), any::<u8>()));
    let nat = (device.clone(), ports, addresses, any::<bool>()).prop_map(nat);
    let route = device.prop_map(|device| format!("<forward mode='route'{}/>", attribute(device)));
    prop_oneof![
        4 => nat,
        2 => route,
        1 => Just(String::new()),
        1 => Just("<forward mode='open'/>".to_owned()),
    ]
}

type NatParts = (
    Option<&'static str>,
    Option<(u16, u16)>,
    Option<(u8, u8)>,
    bool,
);

fn nat((device, ports, addresses, ipv6): NatParts) -> String {
    let mut inner = String::new();
    if let Some((a, b)) = addresses {
        let (start, end) = (a.min(b), a.max(b));
        inner += &format!("<address start='203.0.113.{start}' end='203.0.113.{end}'/>");
    }
    if let Some((a, b)) = ports {
        let (start, end) = (a.min(b), a.max(b));
        inner += &format!("<port start='{start}' end='{end}'/>");
    }
    let ipv6 = if ipv6 { "yes" } else { "no" };
    let device = attribute(device);
    format!("<forward mode='nat'{device}><nat ipv6='{ipv6}'>{inner}</nat></forward>")
}

fn attribute(device: Option<&str>) -> String {
    device.map_or_else(String::new, |device| format!(" dev='{device}'"))
}
