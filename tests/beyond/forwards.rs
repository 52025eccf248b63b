//! Port forwards: who reaches a guest by a port of the host, and who does not.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use nix::sys::socket::{self, AddressFamily, SockFlag, SockType, SockaddrStorage};
use palisade_core::network::{Description, Forward, Nat, Network, PortForward};
use palisade_tests::place::Place;
use palisade_tests::{Namespace, Trials};

use crate::library::Library;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_millis(1200);

pub(crate) fn add_to(mut trials: Trials) -> Trials {
    for place in Place::ALL {
        let name = format!("{place:?}: forwards lead to guests, and open nothing else");
        trials = trials.with(name, move || reached(place));
        let name =
            format!("{place:?}: exactly the connections end that a change of forwards concerns");
        trials = trials.with(name, move || ended(place));
    }
    trials
}

/// The addresses of a family.
pub(crate) struct Addresses {
    /// Two of the host's on the wire.
    pub(crate) host: [&'static str; 2],
    /// Two of the world's.
    pub(crate) world: [&'static str; 2],
    /// The host's on the bridges.
    pub(crate) gateways: [&'static str; 2],
    /// Two guests of the NAT network, and one of the isolated one.
    pub(crate) guests: [&'static str; 3],
    prefix: u8,
}

pub(crate) const FAMILIES: [Addresses; 2] = [
    Addresses {
        host: ["203.0.113.1", "203.0.113.7"],
        world: ["203.0.113.99", "203.0.113.100"],
        gateways: ["192.168.122.1", "10.30.0.1"],
        guests: ["192.168.122.11", "192.168.122.12", "10.30.0.11"],
        prefix: 24,
    },
    Addresses {
        host: ["2001:db8:7::1", "2001:db8:7::7"],
        world: ["2001:db8:7::99", "2001:db8:7::100"],
        gateways: ["fd00:122::1", "fd00:30::1"],
        guests: ["fd00:122::11", "fd00:122::12", "fd00:30::11"],
        prefix: 64,
    },
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Tcp,
    Udp,
}

fn reached(place: Place) {
    let lab = Lab::new();
    let mut library = Library::new(&lab.host, place);
    let [nat, isolated] = [nat_network(&forwards()), isolated_network(true)];
    library.apply(&[nat.clone(), isolated.clone()]);
    library.assert_clean();
    for of in &FAMILIES {
        lab.assert_reached(of);
    }
    // Whoever starts later stands above: the order changes nothing.
    library.remove_all();
    library.apply(&[isolated, nat.clone()]);
    for of in &FAMILIES {
        lab.assert_reached(of);
    }
    // Without forwards nobody is reached, and nothing of them is installed.
    library.apply(&[nat_network(&[]), isolated_network(false)]);
    library.assert_clean();
    for of in &FAMILIES {
        let guest = (&lab.guests[0], at(of.guests[0], 80));
        for port in [8080, 8081] {
            let to = at(of.host[1], port);
            assert_eq!(ask(By::Tcp, &lab.world, None, to, guest), None, "{to}");
        }
    }
    let standing = place.standing(&lab.host);
    assert!(
        !standing.contains("dnat to") && !standing.contains("DNAT"),
        "{standing}"
    );
    library.apply(&[nat]);
    let guest = (&lab.guests[0], at(FAMILIES[0].guests[0], 80));
    let to = at(FAMILIES[0].host[1], 8080);
    let world = FAMILIES[0].world[0].parse().ok();
    assert_eq!(ask(By::Tcp, &lab.world, None, to, guest), world);
    library.remove_all();
    assert_eq!(place.standing(&lab.host).trim(), "");
}

/// Each change ends one of the connections, udp too, and none of the others.
fn ended(place: Place) {
    let lab = Lab::new();
    let mut library = Library::new(&lab.host, place);
    let of = &FAMILIES[0];
    let (host, [first, second, _]) = (of.host[1], of.guests);
    let forward = |text: String| text.parse::<PortForward>().expect("a forward");
    let web = |guest: &str| forward(format!("tcp {host}:8080 -> {guest}:80"));
    let names = forward(format!("udp 5353 -> {second}:53"));
    let service = forward(format!("udp 6000 -> {second}:54"));
    let one =
        ["1 connection to a forwarded port was ended: it had begun before the forward changed"];
    let mut apply = |forwards: &[PortForward]| library.apply(&[nat_network(forwards)]);
    assert!(apply(&[web(first), names.clone()]).is_empty());
    let listener = lab.guests[0].inside(|| listen(at(first, 80)));
    let mut web_client = lab
        .world
        .inside(|| TcpStream::connect(at(host, 8080)).expect("connect"));
    let (mut web_server, _) = listener.accept().expect("accept");
    let arrives = |client: &mut TcpStream, server: &mut TcpStream| {
        client.write_all(b"?").expect("send");
        server.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        server.read(&mut [0; 8]).is_ok_and(|count| count > 0)
    };
    let udp = |namespace: &Namespace, address: SocketAddr| {
        let socket = namespace.inside(|| UdpSocket::bind(address).expect("bind"));
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        socket
    };
    let client = udp(&lab.world, at(of.world[0], 4000));
    let [to_names, to_guest, to_host] = [
        udp(&lab.guests[1], at(second, 53)),
        udp(&lab.guests[1], at(second, 54)),
        udp(&lab.host, at(host, 6000)),
    ];
    let asks = |port: u16, server: &UdpSocket| {
        client.send_to(b"?", at(host, port)).expect("send");
        server.recv_from(&mut [0; 8]).is_ok()
    };
    assert!(arrives(&mut web_client, &mut web_server));
    assert!(asks(5353, &to_names) && asks(6000, &to_host));
    // One comes: what went to the host's own service goes to the guest.
    assert_eq!(apply(&[web(first), names.clone(), service.clone()]), one);
    assert!(asks(6000, &to_guest) && asks(5353, &to_names));
    assert!(arrives(&mut web_client, &mut web_server));
    assert!(apply(&[web(first), names.clone(), service.clone()]).is_empty());
    // One changes.
    assert_eq!(apply(&[web(second), names.clone(), service.clone()]), one);
    assert!(!arrives(&mut web_client, &mut web_server));
    assert!(asks(6000, &to_guest) && asks(5353, &to_names));
    // One goes: the host's own service is back.
    assert_eq!(apply(&[web(second), names]), one);
    assert!(asks(6000, &to_host) && asks(5353, &to_names));
    // The network goes, and its forward with it.
    assert_eq!(library.remove(&["default"]), one);
    assert!(!asks(5353, &to_names) && asks(6000, &to_host));
}

pub(crate) fn at(address: &str, port: u16) -> SocketAddr {
    SocketAddr::new(address.parse().expect("an address"), port)
}

fn forwards() -> Vec<PortForward> {
    let of_family = |of: &Addresses| {
        let [first, second, _] = of.guests;
        let forward = |protocol: &str, listen: String, to: SocketAddr| {
            let forward = format!("{protocol} {listen} -> {to}");
            forward.parse::<PortForward>().expect("a forward")
        };
        let allowed = PortForward::parse_source(of.world[0]).expect("a source");
        [
            forward("tcp", at(of.host[1], 8080).to_string(), at(first, 80)),
            forward("tcp", "8081".to_owned(), at(first, 80)),
            forward("udp", "5353".to_owned(), at(second, 53)),
            forward("tcp", "8082".to_owned(), at(second, 80))
                .with_sources(vec![allowed])
                .expect("a forward"),
        ]
    };
    FAMILIES.iter().flat_map(of_family).collect()
}

pub(crate) fn nat_network(forwards: &[PortForward]) -> Network {
    let nat = Nat {
        ipv6: true,
        ..Nat::default()
    };
    network("default", 0, Forward::Nat(nat), forwards)
}

pub(crate) fn isolated_network(has_forwards: bool) -> Network {
    let forward = |of: &Addresses| {
        let forward = format!("tcp 8083 -> {}", at(of.guests[2], 80));
        forward.parse().expect("a forward")
    };
    let forwards: Vec<PortForward> = FAMILIES.iter().map(forward).collect();
    let forwards = if has_forwards { &forwards[..] } else { &[] };
    network("quiet", 1, Forward::Isolated, forwards)
}

fn network(name: &str, number: usize, forward: Forward, forwards: &[PortForward]) -> Network {
    let bridge = format!("virbr{number}").parse().expect("a bridge");
    let subnets = FAMILIES.iter().map(|of| {
        let subnet = format!("{}/{}", of.gateways[number], of.prefix);
        subnet.parse().expect("a subnet")
    });
    let network = Network::new(Description {
        subnets: subnets.collect(),
        forwards: forwards.to_vec(),
        ..Description::new(name.parse().expect("a name"), Some(bridge), forward)
    });
    network.expect("a network")
}

/// A world, a host, two guests on `virbr0` and one on `virbr1`.
pub(crate) struct Lab {
    pub(crate) host: Namespace,
    pub(crate) world: Namespace,
    pub(crate) guests: Vec<Namespace>,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let (host, world) = (Namespace::new(), Namespace::new());
        host.bridges(["virbr0", "virbr1"]);
        host.sysctl("ipv4/ip_forward", "1");
        host.sysctl("ipv6/conf/all/forwarding", "1");
        for family in ["iptables", "ip6tables"] {
            host.sysctl(&format!("bridge/bridge-nf-call-{family}"), "0");
        }
        host.cable("wan0", &world, "eth0");
        let guests: Vec<Namespace> = (0..3).map(|_| Namespace::new()).collect();
        for (number, guest) in guests.iter().enumerate() {
            host.cable(&format!("port{number}"), guest, "eth0");
            let bridge = format!("virbr{}", number / 2);
            host.ip(&format!("link set port{number} master {bridge}"));
        }
        for of in &FAMILIES {
            let Addresses { prefix, .. } = of;
            let nodad = if *prefix == 64 { " nodad" } else { "" };
            let give = |namespace: &Namespace, device: &str, address: &str| {
                namespace.ip(&format!("addr add {address}/{prefix} dev {device}{nodad}"));
            };
            for address in of.host {
                give(&host, "wan0", address);
            }
            for address in of.world {
                give(&world, "eth0", address);
            }
            for (number, gateway) in of.gateways.iter().enumerate() {
                give(&host, &format!("virbr{number}"), gateway);
            }
            for (number, guest) in guests.iter().enumerate() {
                give(guest, "eth0", of.guests[number]);
                guest.ip(&format!(
                    "route add default via {}",
                    of.gateways[number / 2]
                ));
            }
            world.ip(&format!("route add default via {}", of.host[0]));
        }
        Self {
            host,
            world,
            guests,
        }
    }

    /// The table "tried" of the design.
    fn assert_reached(&self, of: &Addresses) {
        let address = |text: &str| -> IpAddr { text.parse().expect("an address") };
        let [first, second, quiet] =
            [0, 1, 2].map(|number| (&self.guests[number], of.guests[number]));
        let web = |(namespace, guest): (_, &str)| (namespace, at(guest, 80));
        let names = (second.0, at(second.1, 53));
        let world = |number: usize| Some(address(of.world[number]));
        let [one, seven] = of.host;
        let from_world = |by, to, port, guest| ask(by, &self.world, world(0), at(to, port), guest);
        assert_eq!(
            from_world(By::Tcp, seven, 8080, web(first)),
            world(0),
            "at the address"
        );
        assert_eq!(
            from_world(By::Tcp, one, 8080, web(first)),
            None,
            "at another address"
        );
        for to in of.host {
            assert_eq!(
                from_world(By::Tcp, to, 8081, web(first)),
                world(0),
                "{to} 8081"
            );
            assert_eq!(from_world(By::Udp, to, 5353, names), world(0), "{to} 5353");
            assert_eq!(
                from_world(By::Tcp, to, 8082, web(second)),
                world(0),
                "{to} 8082"
            );
            let other = ask(By::Tcp, &self.world, world(1), at(to, 8082), web(second));
            assert_eq!(other, None, "{to} 8082 from another source");
            assert_eq!(
                from_world(By::Tcp, to, 8083, web(quiet)),
                world(0),
                "{to} 8083"
            );
        }
        // Nothing else is open, also to who knows the guest.
        for (namespace, guest) in [first, quiet] {
            let server = (namespace, at(guest, 80));
            assert_eq!(from_world(By::Tcp, guest, 80, server), None, "{guest}");
            assert_eq!(
                from_world(By::Tcp, guest, 81, (namespace, at(guest, 81))),
                None
            );
        }
        let outside = (&self.world, at(of.world[0], 80));
        assert_eq!(
            ask(By::Tcp, quiet.0, None, outside.1, outside),
            None,
            "out of isolation"
        );
        // The host itself.
        for (to, port) in [(seven, 8080), (of.gateways[0], 8081)] {
            let seen = ask(By::Tcp, &self.host, None, at(to, port), web(first));
            assert!(seen.is_some(), "the host, {to} {port}");
            let seen = ask(By::Tcp, second.0, None, at(to, port), web(first));
            assert_eq!(seen, Some(address(of.gateways[0])), "a guest, {to} {port}");
        }
        assert!(ask(By::Tcp, &self.host, None, at(one, 8083), web(quiet)).is_some());
        let itself = ask(By::Tcp, first.0, None, at(seven, 8080), web(first));
        assert_eq!(itself, Some(address(of.gateways[0])), "the guest itself");
        // Other networks' guests.
        let refused = ask(By::Tcp, quiet.0, None, at(seven, 8080), web(first));
        assert_eq!(refused, None, "a guest of the isolated network");
        let seen = ask(By::Tcp, first.0, None, at(one, 8083), web(quiet));
        assert_eq!(
            seen,
            Some(address(of.gateways[1])),
            "into the isolated network"
        );
    }
}

/// Whom the server sees, if it is reached and its answer comes back.
pub(crate) fn ask(
    by: By,
    client: &Namespace,
    from: Option<IpAddr>,
    to: SocketAddr,
    (namespace, server): (&Namespace, SocketAddr),
) -> Option<IpAddr> {
    let any: IpAddr = match to {
        SocketAddr::V4(_) => [0, 0, 0, 0].into(),
        SocketAddr::V6(_) => [0_u16; 8].into(),
    };
    let from = SocketAddr::new(from.unwrap_or(any), 0);
    match by {
        By::Udp => {
            let server = namespace.inside(|| UdpSocket::bind(server).expect("bind"));
            server.set_read_timeout(Some(PATIENCE)).expect("a timeout");
            let client = client.inside(|| UdpSocket::bind(from).expect("bind"));
            client.set_read_timeout(Some(PATIENCE)).expect("a timeout");
            client.connect(to).ok()?;
            client.send(b"?").ok()?;
            let (_, seen) = server.recv_from(&mut [0; 8]).ok()?;
            server.send_to(b"!", seen).ok()?;
            client.recv(&mut [0; 8]).ok()?;
            Some(seen.ip())
        }
        By::Tcp => {
            let listener = namespace.inside(|| listen(server));
            client.inside(|| connects(from, to)).then_some(())?;
            listener.set_nonblocking(true).expect("a listener");
            match listener.accept() {
                Ok((_, seen)) => Some(seen.ip()),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    None
                }
            }
        }
    }
}

/// A program that another test starts may hold a descriptor for a moment, until it runs.
pub(crate) fn listen(at: SocketAddr) -> TcpListener {
    let mut tries = (0..100).map(|_| {
        let listener = TcpListener::bind(at);
        if listener.is_err() {
            std::thread::sleep(Duration::from_millis(10));
        }
        listener
    });
    tries.find_map(Result::ok).expect("listen")
}

/// Whether a connection from this address is taken.
fn connects(from: SocketAddr, to: SocketAddr) -> bool {
    let family = match to {
        SocketAddr::V4(_) => AddressFamily::Inet,
        SocketAddr::V6(_) => AddressFamily::Inet6,
    };
    let kind = (SockType::Stream, SockFlag::SOCK_CLOEXEC);
    let client = socket::socket(family, kind.0, kind.1, None).expect("a socket");
    let patience = nix::sys::time::TimeVal::new(1, 200_000);
    socket::setsockopt(&client, socket::sockopt::SendTimeout, &patience).expect("a timeout");
    let raw = std::os::fd::AsRawFd::as_raw_fd(&client);
    socket::bind(raw, &SockaddrStorage::from(from)).expect("bind");
    socket::connect(raw, &SockaddrStorage::from(to)).is_ok()
}
