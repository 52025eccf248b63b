//! A host with six networks, two worlds outside, two guests on each network.
//!
//! ```text
//!   world ---- wan0 [ host ] wan1 ---- second world
//!     virbr0 nat   virbr1 uplink  virbr2 route  virbr3 quiet  virbr4 quiet4  virbr5 twin
//!      |   |        |   |          |   |         |   |         |   |          |   |
//!     two guests   two guests     two guests    two guests    two guests     two guests
//! ```
//!
//! All know the way to all through the host, so that it is the rules alone that stop a packet. A
//! guest knows no other guest on its link: what it sends to one goes through the host, as it does
//! where bridges filter.

use std::net::IpAddr;

use palisade_tests::probe::End;
use palisade_tests::{Definition, Namespace, Palisade};

/// Where the host meets the world.
pub(crate) const WAN0: Pair = ["192.0.2.1", "2001:db8:a::1"];
/// The world.
const WORLD: Pair = ["192.0.2.2", "2001:db8:a::2"];
/// Where the host meets the second world.
const WAN1: Pair = ["198.51.100.1", "2001:db8:b::1"];
/// The second world, which finds the addresses that `uplink` translates to at the host.
const SECOND_WORLD: Pair = ["198.51.100.2", "2001:db8:b::2"];
/// Sources that guests make up: on no network, and nobody knows the way there.
const MADE_UP: Pair = ["172.31.0.9", "2001:db8:dead::9"];
/// Sources that guests take from the subnet of `nat`.
const STOLEN: Pair = ["192.168.122.77", "fd00:122::77"];

/// An address of IPv4 and one of IPv6.
pub(crate) type Pair = [&'static str; 2];

/// A network with its guests.
struct Site {
    name: &'static str,
    bridge: &'static str,
    /// The host's address and prefix in each subnet, IPv4 first.
    gateways: &'static [&'static str],
    forward: &'static str,
    guests: [Pair; 2],
}

const SITES: [Site; 6] = [
    Site {
        name: "nat",
        bridge: "virbr0",
        gateways: &["192.168.122.1/24", "fd00:122::1/64"],
        forward: "<forward mode='nat'><nat ipv6='yes'/></forward>",
        guests: [
            ["192.168.122.10", "fd00:122::10"],
            ["192.168.122.11", "fd00:122::11"],
        ],
    },
    Site {
        name: "uplink",
        bridge: "virbr1",
        gateways: &["10.40.0.1/26", "2001:db8:40::1/64"],
        forward: "<forward mode='nat' dev='wan1'><nat>\
                  <address start='203.0.113.7' end='203.0.113.9'/>\
                  <port start='20000' end='20100'/></nat></forward>",
        guests: [
            ["10.40.0.10", "2001:db8:40::10"],
            ["10.40.0.11", "2001:db8:40::11"],
        ],
    },
    Site {
        name: "route",
        bridge: "virbr2",
        gateways: &["10.20.0.1/25", "2001:db8:20::1/64"],
        forward: "<forward mode='route'/>",
        guests: [
            ["10.20.0.10", "2001:db8:20::10"],
            ["10.20.0.11", "2001:db8:20::11"],
        ],
    },
    Site {
        name: "quiet",
        bridge: "virbr3",
        gateways: &["10.30.0.1/24", "2001:db8:30::1/64"],
        forward: "",
        guests: [
            ["10.30.0.10", "2001:db8:30::10"],
            ["10.30.0.11", "2001:db8:30::11"],
        ],
    },
    Site {
        name: "quiet4",
        bridge: "virbr4",
        gateways: &["10.31.0.1/24"],
        forward: "",
        guests: [
            ["10.31.0.10", "2001:db8:31::10"],
            ["10.31.0.11", "2001:db8:31::11"],
        ],
    },
    Site {
        name: "twin",
        bridge: "virbr5",
        gateways: &[
            "10.50.0.1/24",
            "10.51.0.1/17",
            "fd00:50::1/64",
            "fd00:51::1/75",
        ],
        forward: "<forward mode='nat'><nat ipv6='yes'><port start='40000' end='50000'/></nat></forward>",
        guests: [["10.50.0.10", "fd00:50::10"], ["10.51.3.10", "fd00:51::10"]],
    },
];

/// The whole of it.
pub(crate) struct Topology {
    host: Namespace,
    world: Namespace,
    second_world: Namespace,
    /// In the order of [`SITES`].
    guests: Vec<[Namespace; 2]>,
}

/// Two ends that are the same machine, by IPv4 and by IPv6.
pub(crate) type Ends<'a> = [End<'a>; 2];

impl Topology {
    /// Without any rules.
    pub(crate) fn bare() -> Self {
        let host = Namespace::new();
        host.sysctl("ipv4/ip_forward", "1");
        host.sysctl("ipv6/conf/all/forwarding", "1");
        for what in ["all", "default"] {
            host.sysctl(&format!("ipv4/conf/{what}/send_redirects"), "0");
        }
        // Each refusal shall be heard.
        host.sysctl("ipv4/icmp_ratelimit", "0");
        host.sysctl("ipv4/icmp_msgs_per_sec", "100000");
        host.sysctl("ipv4/icmp_msgs_burst", "100000");
        host.sysctl("ipv6/icmp/ratelimit", "0");
        let world = outside(&host, "wan0", WAN0, WORLD);
        let second_world = outside(&host, "wan1", WAN1, SECOND_WORLD);
        let guests = SITES.iter().map(|site| site.build(&host)).collect();
        Self {
            host,
            world,
            second_world,
            guests,
        }
    }

    /// With the rules of all networks, in this layout.
    pub(crate) fn with_rules(layout: &str) -> Self {
        let topology = Self::bare();
        let palisade = Palisade::with_layout(&topology.host, layout);
        palisade
            .apply(&SITES.map(|site| site.definition()))
            .stdout();
        topology
    }

    /// The world, reached through `wan0`.
    pub(crate) fn world(&self) -> Ends<'_> {
        ends(&self.world, WORLD)
    }

    /// The second world, reached through `wan1`.
    pub(crate) fn second_world(&self) -> Ends<'_> {
        ends(&self.second_world, SECOND_WORLD)
    }

    /// The first guest of a network.
    pub(crate) fn guest(&self, network: &str) -> Ends<'_> {
        self.guests(network)[0]
    }

    /// Both guests of a network.
    pub(crate) fn guests(&self, network: &str) -> [Ends<'_>; 2] {
        let (site, [first, second]) = SITES
            .iter()
            .zip(&self.guests)
            .find(|(site, _)| site.name == network)
            .unwrap_or_else(|| panic!("no network `{network}` in the lab"));
        [ends(first, site.guests[0]), ends(second, site.guests[1])]
    }

    /// The first guest of a network, with a source that it made up.
    pub(crate) fn liar(&self, network: &str) -> Ends<'_> {
        ends(self.guest(network)[0].namespace, MADE_UP)
    }

    /// The same, with a source of the network `nat`.
    pub(crate) fn thief(&self, network: &str) -> Ends<'_> {
        ends(self.guest(network)[0].namespace, STOLEN)
    }

    /// The host's own addresses on a network's bridge.
    pub(crate) fn gateway(&self, network: &str) -> Vec<End<'_>> {
        let site = SITES.iter().find(|site| site.name == network);
        let gateways = site.map_or(&[][..], |site| site.gateways).iter();
        gateways
            .map(|gateway| End::new(&self.host, address(without_prefix(gateway))))
            .collect()
    }
}

impl Site {
    fn definition(&self) -> Definition {
        Definition::isolated(self.name, self.bridge, self.gateways).forwarding(self.forward)
    }

    /// The bridge on the host, and the guests on it.
    fn build(&self, host: &Namespace) -> [Namespace; 2] {
        host.bridges([self.bridge]);
        let bridge = self.bridge;
        let mut commands = format!("addr add fe80::1/64 dev {bridge}\n");
        for gateway in self.gateways {
            commands += &format!("addr add {gateway} dev {bridge}\n");
        }
        if !self.gateways.iter().any(|gateway| gateway.contains(':')) {
            // The way there is known all the same.
            for [_, v6] in self.guests {
                commands += &format!("route add {v6} dev {bridge}\n");
            }
        }
        host.ip(&commands);
        let mut number = 0;
        self.guests.map(|[v4, v6]| {
            let guest = Namespace::new();
            number += 1;
            let port = format!("{bridge}p{number}");
            guest.sysctl("ipv6/conf/default/accept_redirects", "0");
            host.cable(&port, &guest, "eth0");
            host.ip(&format!("link set {port} master {bridge}"));
            let via = without_prefix(self.gateways[0]);
            // A guest takes no packet for another's that says to come from its own address: so the
            // first guests lie, the second ones listen.
            if number == 1 {
                for [v4, v6] in [MADE_UP, STOLEN] {
                    guest.ip(&format!(
                        "addr add {v4}/32 dev eth0\naddr add {v6}/128 dev eth0"
                    ));
                }
            }
            guest.ip(&format!(
                "addr add {v4}/32 dev eth0\n\
                 addr add {v6}/128 dev eth0\n\
                 route add {via} dev eth0\n\
                 route add default via {via} dev eth0\n\
                 route add ::/0 via fe80::1 dev eth0"
            ));
            guest
        })
    }
}

/// A world on a device of the host, which it sends everything to.
fn outside(host: &Namespace, device: &str, here: Pair, there: Pair) -> Namespace {
    let world = Namespace::new();
    host.cable(device, &world, "eth0");
    let ([host4, host6], [world4, world6]) = (here, there);
    host.ip(&format!(
        "addr add {host4}/24 dev {device}\naddr add {host6}/64 dev {device}"
    ));
    world.ip(&format!(
        "addr add {world4}/24 dev eth0\naddr add {world6}/64 dev eth0\n\
         route add default via {host4}\nroute add ::/0 via {host6}"
    ));
    world
}

fn ends(namespace: &Namespace, pair: Pair) -> Ends<'_> {
    pair.map(|text| End::new(namespace, address(text)))
}

/// An address of the lab.
pub(crate) fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn without_prefix(subnet: &str) -> &str {
    subnet.split('/').next().unwrap_or_default()
}
