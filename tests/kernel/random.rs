//! Random networks: what `apply` installs through our own wire format is what `nft` installs from
//! the text that `render` prints, in both layouts.

use std::process::ExitCode;

use palisade_tests::{Definition, Dump, Namespace, Palisade, assert_same, trials};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

fn main() -> ExitCode {
    palisade_tests::run(trials![
        applied_is_rendered_in_flat,
        applied_is_rendered_in_mapped
    ])
}

fn applied_is_rendered_in_flat() {
    for_random_networks(|networks| applied_is_rendered("flat", networks));
}

fn applied_is_rendered_in_mapped() {
    for_random_networks(|networks| applied_is_rendered("mapped", networks));
}

fn for_random_networks(test: impl Fn(&[Definition])) {
    let config = Config {
        cases: 30,
        max_shrink_iters: 200,
        failure_persistence: None,
        ..Config::default()
    };
    let run = TestRunner::new(config).run(&networks(), |networks| {
        test(&networks);
        Ok(())
    });
    if let Err(error) = run {
        panic!("{error}");
    }
}

fn applied_is_rendered(layout: &str, networks: &[Definition]) {
    let (applied, loaded) = (Namespace::new(), Namespace::new());
    let palisade = Palisade::with_layout(&applied, layout);
    palisade.apply(networks).stdout();
    loaded.nft(&palisade.render(networks));
    assert_same(
        layout,
        ("rendered and loaded", &Dump::ruleset(&loaded).settled()),
        ("applied", &Dump::ruleset(&applied).settled()),
    );
    palisade.ok(["remove", "--all"]);
    assert_eq!(Dump::ruleset(&applied).as_str(), "", "{networks:#?}");
}

/// Up to five networks that can run side by side.
fn networks() -> impl Strategy<Value = Vec<Definition>> {
    (1..=5_usize).prop_flat_map(|count| (0..count).map(network).collect::<Vec<_>>())
}

/// The network of this number has bridge, name and addresses of its own.
fn network(i: usize) -> impl Strategy<Value = Definition> {
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
