//! A host that forwards between four interfaces, and one beside it that sends whatever it likes.

use std::cell::Cell;
use std::net::SocketAddr;

use palisade_tests::{Chance, Namespace};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::packets::{self, Ends, Headers};

/// Where packets come in.
pub(crate) const IN: [&str; 2] = ["in0", "in1"];
/// The address of the outgoing device, of both families: what masquerading makes of the source.
pub(crate) const OUT: [(&str, &str, &str); 3] = [
    ("out0", "10.1.255.1", "fd01::ffff:1"),
    ("out1", "10.2.255.1", "fd02::ffff:1"),
    ("in0", "10.4.255.1", "fd04::ffff:1"),
];

/// The host, and what sends to it.
pub(crate) struct Router {
    pub(crate) host: Namespace,
    /// Keeps the other ends of `in0` and `in1`.
    _sender: Namespace,
    /// For each interface, raw sockets of IPv4 and IPv6 that write headers themselves.
    sockets: [[Socket; 2]; 2],
    /// What the next packet is told by.
    number: Cell<u16>,
}

/// A packet that was sent.
pub(crate) struct Sent {
    pub(crate) ends: Ends,
    /// The interface that it came in through.
    pub(crate) in_interface: &'static str,
    /// What it is told by.
    pub(crate) number: u16,
}

impl Router {
    pub(crate) fn new() -> Self {
        let (host, sender) = (Namespace::new(), Namespace::new());
        host.sysctl("ipv4/ip_forward", "1");
        host.sysctl("ipv6/conf/all/forwarding", "1");
        for what in ["all", "default"] {
            host.sysctl(&format!("ipv4/conf/{what}/send_redirects"), "0");
        }
        let link = "02:00:00:00:00:01";
        for (number, name) in IN.iter().enumerate() {
            host.cable(name, &sender, name);
            // Nobody is asked who has which address.
            host.ip(&format!(
                "link set {name} down\nlink set {name} address {link} arp off\nlink set {name} up"
            ));
            sender.ip(&format!(
                "addr add 10.10{number}.0.2/24 dev {name}\n\
                 addr add fd10:{number}::2/64 dev {name}\n\
                 neigh replace 10.10{number}.0.1 lladdr {link} nud permanent dev {name}\n\
                 neigh replace fd10:{number}::1 lladdr {link} nud permanent dev {name}\n\
                 route add default via 10.10{number}.0.1 dev {name} metric 1{number}\n\
                 route add ::/0 via fd10:{number}::1 dev {name} metric 1{number}"
            ));
        }
        for (name, v4, v6) in OUT {
            if !IN.contains(&name) {
                // What is sent there is for nobody.
                host.cable(name, &sender, name);
                host.ip(&format!("link set {name} arp off"));
            }
            host.ip(&format!(
                "addr add {v4}/16 dev {name}\naddr add {v6}/16 dev {name}"
            ));
        }
        host.ip("addr add 10.9.0.1/32 dev lo\naddr add 10.9.0.2/32 dev lo\n\
             addr add fd09::1/128 dev lo\naddr add fd09::2/128 dev lo\n\
             route add 10.5.0.0/16 dev out1\nroute add fd05::/16 dev out1");
        let sockets = IN.map(|name| {
            [Domain::IPV4, Domain::IPV6].map(|domain| sender.inside(|| raw(domain, name)))
        });
        Self {
            host,
            _sender: sender,
            sockets,
            number: Cell::new(0),
        }
    }

    /// Sends so many packets, some of which answer others.
    pub(crate) fn send(&self, chance: &mut Chance, count: usize, headers: Headers) -> Vec<Sent> {
        let mut sent: Vec<Sent> = Vec::new();
        for _ in 0..count {
            let answer = match chance.below(2) {
                0 if !sent.is_empty() => chance.one_of(&sent).ends.answer(),
                _ => None,
            };
            let ends = answer.unwrap_or_else(|| Ends::random(chance));
            // The kernel would take none for one of its own choice.
            let number = self.number.get() % u16::MAX + 1;
            self.number.set(number);
            let packet = packets::packet(chance, ends, headers, number);
            let way = usize::try_from(chance.below(2)).unwrap_or(0);
            sent.push(Sent {
                ends,
                in_interface: IN[way],
                number,
            });
            let socket = &self.sockets[way][usize::from(packet.destination.is_ipv6())];
            let to = SocketAddr::from((packet.destination, 0));
            let written = socket.send_to(&packet.bytes(), &SockAddr::from(to));
            written.unwrap_or_else(|error| panic!("cannot send to {to}: {error}"));
        }
        sent
    }
}

fn raw(domain: Domain, device: &str) -> Socket {
    // `IPPROTO_RAW`.
    let socket = Socket::new(domain, Type::RAW, Some(Protocol::from(255))).expect("a raw socket");
    if domain == Domain::IPV4 {
        socket
            .set_header_included_v4(true)
            .expect("write headers of IPv4");
    } else {
        socket
            .set_header_included_v6(true)
            .expect("write headers of IPv6");
    }
    socket
        .bind_device(Some(device.as_bytes()))
        .expect("bind to a device");
    socket.set_send_buffer_size(4 << 20).expect("room to send");
    socket
}
