//! What the host itself sends to all on a bridge is no connection: what multicast snooping and mDNS
//! say, and answers of DHCP.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use palisade_tests::probe::{Protocol, ask};
use palisade_tests::{Namespace, Palisade, Trials};
use serde_json::Value;
use socket2::{Domain, Socket, Type};

use crate::site::Site;
use palisade_tests::place::{Place, net};

pub(crate) fn add_to(mut trials: Trials) -> Trials {
    for place in Place::ALL {
        trials = trials.with(
            format!("{place:?}: multicast and broadcasts are no connections"),
            move || {
                only_connections_count(place);
            },
        );
    }
    trials
}

/// Counts, beside palisade, what leaves by the bridge to all.
const SEEN: &str = "\
table inet seen {
	chain leaving {
		type filter hook postrouting priority 300;
		oifname virbr1 ip saddr 10.1.0.1 ip daddr 224.0.0.22 counter
		oifname virbr1 ip saddr 10.1.0.1 ip daddr 224.0.0.251 counter
		oifname virbr1 ip saddr 10.1.0.1 ip daddr 255.255.255.255 counter
		oifname virbr1 ip6 saddr fd00:1::1 ip6 daddr ff02::fb counter
	}
}
";

fn only_connections_count(place: Place) {
    let site = Site::new();
    let palisade = place.palisade(&site.host);
    site.host
        .ip("addr add fd00:1::1/64 dev virbr1 nodad\nlink set virbr1 type bridge mcast_snooping 0");
    site.host.nft(SEEN);
    let nat = "<forward mode='nat'><nat ipv6='yes'/></forward>";
    palisade.apply([&net(1).forwarding(nat)]).stdout();

    // A bridge that looks for groups joins one, and says so.
    site.host.ip("link set virbr1 type bridge mcast_snooping 1");
    let mdns = Ipv4Addr::new(224, 0, 0, 251);
    say(&site.host, ([10, 1, 0, 1], 5353), (mdns, 5353));
    say(&site.host, ([10, 1, 0, 1], 67), (Ipv4Addr::BROADCAST, 68));
    let mdns = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb);
    let gateway = Ipv6Addr::new(0xfd00, 1, 0, 0, 0, 0, 0, 1);
    say(&site.host, (gateway, 5353), (mdns, 5353));
    wait_until_seen(&site.host);
    assert_eq!(connections(&palisade), [0, 0]);

    let outcome = ask(Protocol::Tcp, &site.guest_end(), &site.world_end());
    let host = "192.0.2.1".parse().expect("an address");
    assert!(outcome.is_answered_to(host), "{outcome:?}");
    assert_eq!(connections(&palisade), [1, 0]);
}

/// The host sends a datagram to all on the bridge.
#[track_caller]
fn say(host: &Namespace, from: (impl Into<IpAddr>, u16), to: (impl Into<IpAddr>, u16)) {
    let [from, to] = [SocketAddr::from(from), SocketAddr::from(to)];
    host.inside(|| {
        let socket = Socket::new(Domain::for_address(from), Type::DGRAM, None).expect("a socket");
        socket
            .bind_device(Some(b"virbr1"))
            .expect("bind to the bridge");
        socket.set_broadcast(true).expect("send to all");
        socket.bind(&from.into()).expect("bind to its address");
        let sent = socket.send_to(b"to all", &to.into());
        sent.unwrap_or_else(|error| panic!("cannot send to {to}: {error}"));
    });
}

/// Reports of groups are sent a little later.
#[track_caller]
fn wait_until_seen(host: &Namespace) {
    let until = Instant::now() + Duration::from_secs(5);
    loop {
        let mut nft = Command::new("nft");
        nft.args(["list", "table", "inet", "seen"]);
        let listed = host.answer(&mut nft, "").stdout();
        if !listed.contains("packets 0 ") {
            return;
        }
        assert!(Instant::now() < until, "some are not sent: {listed}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Connections with NAT of `net1`, by IPv4 and IPv6.
#[track_caller]
fn connections(palisade: &Palisade<'_>) -> [u64; 2] {
    let text = palisade.ok(["--format", "json", "counters", "net1"]);
    let all: Value = serde_json::from_str(&text).expect("JSON");
    ["ipv4", "ipv6"].map(|family| {
        let mut counters = all.as_array().expect("an array").iter();
        let of_family = counters.find(|one| one["family"] == family);
        let count = of_family.and_then(|one| one["nat_connections"].as_u64());
        count.unwrap_or_else(|| panic!("connections of {family}: {text}"))
    })
}
