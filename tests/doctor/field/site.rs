//! The host of the cases: two guests on a bridge, and a world behind an uplink.

use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::Command;
use std::time::Duration;

use palisade_tests::{Definition, Namespace, Palisade};

/// How long it takes to believe that nothing comes.
const PATIENCE: Duration = Duration::from_millis(900);

pub(crate) const SUBNET: &str = "192.168.122.1/24";
pub(crate) const GUEST: &str = "192.168.122.10";
pub(crate) const OTHER: &str = "192.168.122.11";
pub(crate) const GATEWAY: &str = "192.168.122.1";
/// An address in the world, behind its router.
pub(crate) const WORLD: &str = "198.51.100.7";

pub(crate) struct Site {
    pub(crate) host: Namespace,
    pub(crate) guest: Namespace,
    pub(crate) other: Namespace,
    pub(crate) world: Namespace,
}

/// Who sends, and to whom.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Route {
    /// A guest to the world.
    Out,
    /// The world to a guest.
    In,
    /// A guest to the host.
    Host,
    /// A guest to the other one.
    Guests,
}

impl Site {
    pub(crate) fn new() -> Self {
        let [host, guest, other, world] = [(); 4].map(|()| Namespace::new());
        host.sysctl("ipv4/ip_forward", "1");
        for family in ["iptables", "ip6tables"] {
            host.sysctl(&format!("bridge/bridge-nf-call-{family}"), "0");
        }
        host.bridges(["virbr0"]);
        host.ip("addr add 192.168.122.1/24 dev virbr0");
        for (namespace, number) in [(&guest, 10), (&other, 11)] {
            host.cable(&format!("vnet{number}"), namespace, "eth0");
            host.ip(&format!("link set vnet{number} master virbr0"));
            namespace.ip(&format!(
                "addr add 192.168.122.{number}/24 dev eth0\nroute add default via 192.168.122.1"
            ));
        }
        host.cable("enp1", &world, "eth0");
        host.ip("addr add 203.0.113.2/24 dev enp1\nroute add default via 203.0.113.1");
        world.ip(
            "addr add 203.0.113.1/24 dev eth0\naddr add 198.51.100.7/32 dev lo\n\
             route add 192.168.122.0/24 via 203.0.113.2",
        );
        Self {
            host,
            guest,
            other,
            world,
        }
    }

    /// The command on this host, and one network running.
    pub(crate) fn running(&self, network: &Definition) -> Palisade<'_> {
        let palisade = Palisade::new(&self.host);
        palisade.apply(std::slice::from_ref(network)).stdout();
        palisade
    }

    /// Whether tcp connects.
    pub(crate) fn tcp(&self, route: Route, port: u16) -> bool {
        let (from, there, to) = self.ends(route, port);
        let Ok(_server) = there.inside(|| TcpListener::bind(to)) else {
            return false;
        };
        from.inside(|| TcpStream::connect_timeout(&to, PATIENCE).is_ok())
    }

    /// Whether a datagram gets there, and an answer back.
    pub(crate) fn udp(&self, route: Route, port: u16) -> bool {
        let (from, there, to) = self.ends(route, port);
        let Ok(server) = there.inside(|| UdpSocket::bind(to)) else {
            return false;
        };
        let client = from.inside(|| UdpSocket::bind("0.0.0.0:0").expect("a socket"));
        for socket in [&server, &client] {
            let limit = socket.set_read_timeout(Some(PATIENCE / 2));
            limit.expect("a time limit");
        }
        // A neighbour that was not found is asked for again with the next packet.
        (0..2).any(|_| {
            let mut bytes = [0; 8];
            let sent = client.send_to(b"question", to).is_ok();
            let source = server.recv_from(&mut bytes).ok().filter(|_| sent);
            let is_answered =
                source.is_some_and(|(_, source)| server.send_to(b"answer", source).is_ok());
            is_answered && client.recv(&mut bytes).is_ok()
        })
    }

    fn ends(&self, route: Route, port: u16) -> (&Namespace, &Namespace, SocketAddr) {
        let (from, there, address) = match route {
            Route::Out => (&self.guest, &self.world, WORLD),
            Route::In => (&self.world, &self.guest, GUEST),
            Route::Host => (&self.guest, &self.host, GATEWAY),
            Route::Guests => (&self.guest, &self.other, OTHER),
        };
        let address = address.parse().expect("an address");
        (from, there, SocketAddr::new(address, port))
    }

    /// Runs programs of iptables on the host.
    #[track_caller]
    pub(crate) fn iptables(&self, lines: &[&str]) {
        for line in lines {
            let mut words = line.split(' ');
            let mut command = Command::new(words.next().expect("a program"));
            self.host.answer(command.args(words), "").stdout();
        }
    }
}

/// The usual network behind NAT.
pub(crate) fn nat() -> Definition {
    Definition::nat("default", "virbr0", &[SUBNET]).with_dhcp()
}

/// The same without translation.
pub(crate) fn routed() -> Definition {
    Definition::route("default", "virbr0", &[SUBNET])
}
