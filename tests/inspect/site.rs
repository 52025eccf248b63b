//! A host with one guest on `net1`'s bridge and a world outside.

use std::net::IpAddr;

use palisade_tests::Namespace;
use palisade_tests::probe::{End, Outcome, Protocol, ask};

/// The host, a guest, and the world.
pub(crate) struct Site {
    pub(crate) host: Namespace,
    pub(crate) guest: Namespace,
    pub(crate) world: Namespace,
}

impl Site {
    pub(crate) fn new() -> Self {
        let host = Namespace::new();
        host.sysctl("ipv4/ip_forward", "1");
        let (guest, world) = (Namespace::new(), Namespace::new());
        host.cable("wan0", &world, "eth0");
        host.cable("port1", &guest, "eth0");
        host.ip("link add virbr1 type bridge\nlink set virbr1 up\n\
             link set port1 master virbr1\naddr add 10.1.0.1/24 dev virbr1\n\
             addr add 192.0.2.1/24 dev wan0");
        guest.ip("addr add 10.1.0.2/24 dev eth0\nroute add default via 10.1.0.1");
        world.ip("addr add 192.0.2.2/24 dev eth0\nroute add 10.1.0.0/24 via 192.0.2.1");
        Self { host, guest, world }
    }

    /// The guest asks the world in datagrams, each of which begins a flow and is answered.
    #[track_caller]
    pub(crate) fn ask(&self, times: usize) {
        for _ in 0..times {
            let outcome = ask(Protocol::Udp, &self.guest_end(), &self.world_end());
            assert!(matches!(outcome, Outcome::Answered(_)), "{outcome:?}");
        }
    }

    /// What the world asks the guest.
    pub(crate) fn intrude(&self) -> Outcome {
        ask(Protocol::Udp, &self.world_end(), &self.guest_end())
    }

    pub(crate) fn guest_end(&self) -> End<'_> {
        End::new(&self.guest, address("10.1.0.2"))
    }

    pub(crate) fn world_end(&self) -> End<'_> {
        End::new(&self.world, address("192.0.2.2"))
    }
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}
