//! A host with one network, a guest on it, and a world outside.
//!
//! ```text
//!   guest eth0 ---- virbr0 [ host ] wan0 ---- eth0 world
//! ```

use std::io::ErrorKind;
use std::net::UdpSocket;
use std::thread::sleep;
use std::time::{Duration, Instant};

use palisade_tests::{Definition, Namespace, Palisade};

pub(crate) const SUBNETS: [&str; 2] = ["192.168.122.1/24", "fd00:122::1/64"];
const GATEWAY: &str = "192.168.122.1";
pub(crate) const GUEST: &str = "192.168.122.10";
const WORLD: &str = "198.51.100.2";

/// How long it takes to believe that nothing comes.
const PATIENCE: Duration = Duration::from_millis(1500);

/// A healthy host, as long as nobody does anything to it.
pub(crate) struct Lab {
    pub(crate) host: Namespace,
    pub(crate) guest: Namespace,
    pub(crate) world: Namespace,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let [host, guest, world] = [(); 3].map(|()| Namespace::new());
        host.sysctl("ipv4/ip_forward", "1");
        host.sysctl("ipv6/conf/all/forwarding", "1");
        host.bridges(["virbr0"]);
        host.cable("vnet0", &guest, "eth0");
        host.cable("wan0", &world, "eth0");
        host.ip("link set vnet0 master virbr0\n\
             addr add 192.168.122.1/24 dev virbr0\n\
             addr add fd00:122::1/64 dev virbr0\n\
             addr add 198.51.100.1/24 dev wan0\n\
             addr add 2001:db8:a::1/64 dev wan0\n\
             route add default via 198.51.100.2\n\
             route add ::/0 via 2001:db8:a::2");
        guest.ip("addr add 192.168.122.10/24 dev eth0\nroute add default via 192.168.122.1");
        world.ip("addr add 198.51.100.2/24 dev eth0");
        Self { host, guest, world }
    }

    /// The command on this host, and the network `default` running.
    pub(crate) fn palisade<'o>(&self, options: impl IntoIterator<Item = &'o str>) -> Palisade<'_> {
        let palisade = Palisade::new(&self.host).with(options);
        palisade.apply(&[default()]).stdout();
        palisade
    }

    /// Whether the guest gets an answer from the world.
    pub(crate) fn reaches_world(&self) -> bool {
        self.reaches(&self.world, (WORLD, 443))
    }

    /// Whether the guest gets an answer from the host at this port.
    pub(crate) fn reaches_host(&self, port: u16) -> bool {
        self.reaches(&self.host, (GATEWAY, port))
    }

    fn reaches(&self, there: &Namespace, to: (&str, u16)) -> bool {
        self.reaches_from(GUEST, there, to)
    }

    /// The same from one of the guest's addresses.
    pub(crate) fn reaches_from(&self, from: &str, there: &Namespace, to: (&str, u16)) -> bool {
        // A neighbour that was not found is asked for anew with the next packet.
        (0..2).any(|_| self.gets_answer(from, there, to))
    }

    /// Whether a guest whose address is routed gets what the world sends to it.
    pub(crate) fn is_reached(&self) -> bool {
        self.world
            .ip("route replace 192.168.122.0/24 via 198.51.100.1");
        let server = self.guest.inside(|| bind((GUEST, 443)));
        let client = self.world.inside(|| bind((WORLD, 0)));
        server
            .set_read_timeout(Some(PATIENCE))
            .expect("set a time limit");
        (0..2).any(|_| {
            client.send_to(b"question", (GUEST, 443)).expect("send");
            server.recv_from(&mut [0; 64]).is_ok()
        })
    }

    fn gets_answer(&self, from: &str, there: &Namespace, to: (&str, u16)) -> bool {
        let client = self.guest.inside(|| bind((from, 0)));
        let server = there.inside(|| bind(to));
        let is_heard = |socket: &UdpSocket| {
            socket
                .set_read_timeout(Some(PATIENCE))
                .expect("set a time limit");
            socket.recv_from(&mut [0; 64]).map(|(_, source)| source)
        };
        client.send_to(b"question", to).expect("send a question");
        let Ok(source) = is_heard(&server) else {
            return false;
        };
        // Where no way leads back, even sending fails.
        let _ = server.send_to(b"answer", source);
        is_heard(&client).is_ok()
    }
}

/// A program that another test starts holds a socket that was closed until it begins.
fn bind(to: (&str, u16)) -> UdpSocket {
    let until = Instant::now() + PATIENCE;
    loop {
        match UdpSocket::bind(to) {
            Ok(socket) => return socket,
            Err(error) if error.kind() == ErrorKind::AddrInUse && Instant::now() < until => {
                sleep(Duration::from_millis(10));
            }
            Err(error) => panic!("cannot bind to {to:?}: {error}"),
        }
    }
}

/// Behind NAT, with DHCP and both families.
pub(crate) fn default() -> Definition {
    Definition::nat("default", "virbr0", &SUBNETS)
        .forwarding("<forward mode='nat'><nat ipv6='yes'/></forward>")
        .with_dhcp()
}
