//! MSS clamping: real transfers through a narrow uplink behind which no ICMP errors come back.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use palisade_core::network::{Description, Forward, MssClamp, Nat, Network, SegmentSize};
use palisade_tests::place::Place;
use palisade_tests::{Namespace, Trials};

use crate::library::Library;

/// More than a few segments.
const BYTES: usize = 100_000;
/// How long a transfer may rest.
const PATIENCE: Duration = Duration::from_millis(1500);

const GUEST: [&str; 2] = ["10.1.0.2", "fd00:1::2"];
const WORLD: [&str; 2] = ["198.51.100.2", "2001:db8:b::2"];

pub(crate) fn add_to(mut trials: Trials) -> Trials {
    for place in Place::ALL {
        let name =
            format!("{place:?}: transfers pass where segments are clamped, and hang elsewhere");
        trials = trials.with(name, move || clamped(place));
    }
    trials
}

fn clamped(place: Place) {
    let lab = Lab::new();
    let mut library = Library::new(&lab.host, place);
    library.apply(&[network(None)]);
    for world in WORLD {
        for way in Way::BOTH {
            assert!(
                !lab.transfers(world, way),
                "{world}: {way:?} without a clamp"
            );
        }
    }
    let size = SegmentSize::new(1000).expect("a size");
    for clamp in [MssClamp::RouteMtu, MssClamp::Size(size)] {
        library.apply(&[network(Some(clamp))]);
        library.assert_clean();
        for world in WORLD {
            for way in Way::BOTH {
                assert!(lab.transfers(world, way), "{world}: {way:?}, {clamp:?}");
            }
        }
    }
    library.remove_all();
    assert_eq!(place.standing(&lab.host).trim(), "");
}

fn network(mss_clamp: Option<MssClamp>) -> Network {
    let nat = Nat {
        ipv6: true,
        ..Nat::default()
    };
    let name = "net1".parse().expect("a name");
    let bridge = Some("virbr1".parse().expect("a bridge"));
    let subnets = ["10.1.0.1/24", "fd00:1::1/64"];
    let subnets = subnets.map(|subnet| subnet.parse().expect("a subnet"));
    let network = Network::new(Description {
        subnets: subnets.to_vec(),
        mss_clamp,
        ..Description::new(name, bridge, Forward::Nat(nat))
    });
    network.expect("a network")
}

#[derive(Debug, Clone, Copy)]
enum Way {
    Down,
    Up,
}

impl Way {
    const BOTH: [Self; 2] = [Self::Down, Self::Up];
}

/// `guest -- virbr1 [ host ] wan0 == up0 [ router ] out0 -- world`, of which `==` is narrow.
struct Lab {
    host: Namespace,
    guest: Namespace,
    world: Namespace,
    _router: Namespace,
}

impl Lab {
    fn new() -> Self {
        let [host, guest, world, router] = [(); 4].map(|()| Namespace::new());
        for forwarding in [&host, &router] {
            forwarding.sysctl("ipv4/ip_forward", "1");
            forwarding.sysctl("ipv6/conf/all/forwarding", "1");
            // Nobody is told that a packet is too big.
            forwarding.nft(
                "table inet silence {\n chain out {\n type filter hook output priority 0;\n \
                 icmp type destination-unreachable drop\n icmpv6 type packet-too-big drop\n }\n}",
            );
        }
        host.bridges(["virbr1"]);
        host.cable("port1", &guest, "eth0");
        host.cable("wan0", &router, "up0");
        router.cable("out0", &world, "eth0");
        host.ip("link set port1 master virbr1\nlink set wan0 mtu 1300\n\
             addr add 10.1.0.1/24 dev virbr1\naddr add fd00:1::1/64 dev virbr1 nodad\n\
             addr add 192.0.2.1/24 dev wan0\naddr add 2001:db8:a::1/64 dev wan0 nodad\n\
             route add default via 192.0.2.9\nroute add ::/0 via 2001:db8:a::9");
        router.ip("link set up0 mtu 1300\naddr add 192.0.2.9/24 dev up0\n\
             addr add 2001:db8:a::9/64 dev up0 nodad\naddr add 198.51.100.9/24 dev out0\n\
             addr add 2001:db8:b::9/64 dev out0 nodad");
        guest.ip(&format!(
            "addr add {}/24 dev eth0\naddr add {}/64 dev eth0 nodad\n\
             route add default via 10.1.0.1\nroute add ::/0 via fd00:1::1",
            GUEST[0], GUEST[1]
        ));
        world.ip(&format!(
            "addr add {}/24 dev eth0\naddr add {}/64 dev eth0 nodad\n\
             route add default via 198.51.100.9\nroute add ::/0 via 2001:db8:b::9",
            WORLD[0], WORLD[1]
        ));
        Self {
            host,
            guest,
            world,
            _router: router,
        }
    }

    /// Whether all bytes arrive.
    fn transfers(&self, world: &str, way: Way) -> bool {
        let address = SocketAddr::new(world.parse::<IpAddr>().expect("an address"), 0);
        let listener = self
            .world
            .inside(|| TcpListener::bind(address).expect("listen"));
        let address = listener.local_addr().expect("a port that is free");
        thread::scope(|scope| {
            let server = scope.spawn(|| {
                let (stream, _) = listener.accept().expect("a connection");
                match way {
                    Way::Down => sends(stream),
                    Way::Up => receives(stream),
                }
            });
            let client = self
                .guest
                .inside(|| TcpStream::connect(address).expect("connect"));
            let client = match way {
                Way::Down => receives(client),
                Way::Up => sends(client),
            };
            server.join().expect("the server") && client
        })
    }
}

fn sends(mut stream: TcpStream) -> bool {
    stream.set_write_timeout(Some(PATIENCE)).expect("a timeout");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    // The other end says that it has all.
    stream.write_all(&vec![7; BYTES]).is_ok() && stream.read_exact(&mut [0]).is_ok()
}

fn receives(mut stream: TcpStream) -> bool {
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.read_exact(&mut vec![0; BYTES]).is_ok() && stream.write_all(&[1]).is_ok()
}
