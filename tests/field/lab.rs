//! A host with four networks, guests, and a world that notes what it gets.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use palisade_tests::{Definition, Namespace, Palisade};
use serde_json::Value;

use palisade_tests::raw::{self, Packet};

/// How long a busy machine may take until a packet arrives.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Lab {
    pub(crate) host: Namespace,
    pub(crate) world: Namespace,
    /// Behind NAT.
    pub(crate) natted: Namespace,
    /// Another guest there, a router.
    pub(crate) second: Namespace,
    pub(crate) isolated: Namespace,
    pub(crate) routed: Namespace,
}

/// The guests' bridges, with the number that is in their addresses.
const NETWORKS: [&str; 3] = ["virbr0", "virbr1", "virbr2"];

impl Lab {
    pub(crate) fn new() -> Self {
        let lab = Self {
            host: Namespace::new(),
            world: Namespace::new(),
            natted: Namespace::new(),
            second: Namespace::new(),
            isolated: Namespace::new(),
            routed: Namespace::new(),
        };
        let Self { host, world, .. } = &lab;
        host.sysctl("ipv4/ip_forward", "1");
        host.sysctl("ipv6/conf/all/forwarding", "1");
        host.sysctl("ipv4/conf/all/send_redirects", "0");
        host.sysctl("ipv4/conf/default/send_redirects", "0");
        for family in ["iptables", "ip6tables"] {
            host.sysctl(&format!("bridge/bridge-nf-call-{family}"), "0");
        }
        host.cable("wan0", world, "eth0");
        host.bridges(NETWORKS);
        for (number, bridge) in NETWORKS.iter().enumerate() {
            host.ip(&format!(
                "addr add 10.{number}.0.1/24 dev {bridge}\n\
                 addr add fd0{number}::1/64 dev {bridge} nodad"
            ));
        }
        let guests = [&lab.natted, &lab.isolated, &lab.routed, &lab.second];
        for (place, guest) in guests.into_iter().enumerate() {
            let (number, last) = if place == 3 { (0, 3) } else { (place, 2) };
            host.cable(&format!("port{place}"), guest, "eth0");
            host.ip(&format!("link set port{place} master {}", NETWORKS[number]));
            guest.ip(&format!(
                "addr add 10.{number}.0.{last}/24 dev eth0\n\
                 addr add fd0{number}::{last}/64 dev eth0 nodad\n\
                 route add default via 10.{number}.0.1\n\
                 route add ::/0 via fd0{number}::1"
            ));
        }
        host.ip(
            "addr add 192.0.2.1/24 dev wan0\naddr add 2001:db8::1/64 dev wan0 nodad\n\
             route add default via 192.0.2.2\nroute add ::/0 via 2001:db8::2",
        );
        world.ip(
            "addr add 192.0.2.2/24 dev eth0\naddr add 2001:db8::2/64 dev eth0 nodad\n\
             route add 10.0.0.0/8 via 192.0.2.1\nroute add fd00::/8 via 2001:db8::1\n\
             route add local 198.51.100.0/24 dev lo\nroute add local 203.0.113.0/24 dev lo\n\
             route add local 2001:db8:7::/64 dev lo\nroute add local 2001:db8:8::/64 dev lo",
        );
        note_arrivals(world);
        lab
    }

    pub(crate) fn definitions() -> [Definition; 3] {
        let subnets = |number: usize| [format!("10.{number}.0.1/24"), format!("fd0{number}::1/64")];
        let both = [subnets(0), subnets(1), subnets(2)];
        let of = |number: usize| [both[number][0].as_str(), both[number][1].as_str()];
        [
            Definition::nat("natted", "virbr0", &of(0))
                .forwarding("<forward mode='nat'><nat ipv6='yes'/></forward>"),
            Definition::isolated("quiet", "virbr1", &of(1)),
            Definition::route("routed", "virbr2", &of(2)),
        ]
    }

    /// Sends packets from a guest, and then waits until the world has got what comes from the guest
    /// behind NAT: what is not there by then does not come.
    pub(crate) fn settle(&self) {
        for v6 in [false, true] {
            let source = guest(0, v6);
            let to = somewhere(v6, 254);
            wait_for(&self.world, to, || {
                Packet::new(source, to, raw::udp(9)).send(&self.natted);
            });
        }
    }
}

/// The address of a network's first guest.
pub(crate) fn guest(network: u16, v6: bool) -> IpAddr {
    match v6 {
        false => [10, network as u8, 0, 2].into(),
        true => [0xfd00 + network, 0, 0, 0, 0, 0, 0, 2].into(),
    }
}

/// The host's address there.
pub(crate) fn gateway(network: u16, v6: bool) -> IpAddr {
    match v6 {
        false => [10, network as u8, 0, 1].into(),
        true => [0xfd00 + network, 0, 0, 0, 0, 0, 0, 1].into(),
    }
}

/// An address in the world.
pub(crate) fn somewhere(v6: bool, number: u8) -> IpAddr {
    match v6 {
        false => [198, 51, 100, number].into(),
        true => [0x2001, 0xdb8, 7, 0, 0, 0, 0, number.into()].into(),
    }
}

/// An address in the world that guests claim to have.
pub(crate) fn victim(v6: bool, number: u8) -> IpAddr {
    match v6 {
        false => [203, 0, 113, number].into(),
        true => [0x2001, 0xdb8, 8, 0, 0, 0, 0, number.into()].into(),
    }
}

/// Lets a namespace note the ends of all packets that come in by `eth0`.
pub(crate) fn note_arrivals(namespace: &Namespace) {
    namespace.nft(
        "table inet noted {
	set v4 { type ipv4_addr . ipv4_addr; size 4096; flags dynamic; }
	set v6 { type ipv6_addr . ipv6_addr; size 4096; flags dynamic; }
	chain arriving {
		type filter hook prerouting priority -450;
		iifname eth0 add @v4 { ip saddr . ip daddr }
		iifname eth0 add @v6 { ip6 saddr . ip6 daddr }
	}
}
",
    );
}

/// The sources that each destination was reached from.
pub(crate) fn arrivals(namespace: &Namespace) -> BTreeMap<IpAddr, Vec<IpAddr>> {
    let mut arrivals: BTreeMap<IpAddr, Vec<IpAddr>> = BTreeMap::new();
    let listed = namespace.answer(
        Command::new("nft").args(["list", "table", "inet", "noted"]),
        "",
    );
    let listed = listed.stdout();
    for pair in listed.split([',', '{', '}', '\n']) {
        let Some((source, destination)) = pair.split_once(" . ") else {
            continue;
        };
        let ends = (source.trim().parse(), destination.trim().parse());
        if let (Ok(source), Ok(destination)) = ends {
            arrivals.entry(destination).or_default().push(source);
        }
    }
    arrivals
}

/// Sends until something for this address has come.
pub(crate) fn wait_for(namespace: &Namespace, address: IpAddr, send: impl Fn()) {
    let until = Instant::now() + PATIENCE;
    send();
    while !arrivals(namespace).contains_key(&address) {
        assert!(Instant::now() < until, "nothing comes to {address}");
        thread::sleep(Duration::from_millis(20));
        send();
    }
}

/// How many packets a network's rules count for a purpose; none if nothing counts them.
pub(crate) fn counted(
    palisade: &Palisade<'_>,
    network: &str,
    family: &str,
    purpose: &str,
) -> Option<u64> {
    let text = palisade.ok(["--format", "json", "counters", network]);
    let all: Value = serde_json::from_str(&text).expect("JSON");
    let mut families = all.as_array().expect("an array").iter();
    let of_family = families.find(|one| one["family"] == family)?;
    let mut counters = of_family["counters"].as_array().expect("an array").iter();
    counters.find(|one| one["purpose"] == purpose)?["packets"].as_u64()
}
