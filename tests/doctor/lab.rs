//! A host with one network, a guest on it, and a world outside.
//!
//! ```text
//!   guest eth0 ---- virbr0 [ host ] wan0 ---- eth0 world
//! ```

use std::net::IpAddr;

use palisade_tests::probe::{End, Outcome, Protocol, ask};
use palisade_tests::{Definition, Namespace, Palisade};

pub(crate) const SUBNETS: [&str; 2] = ["192.168.122.1/24", "fd00:122::1/64"];
const GATEWAY: &str = "192.168.122.1";
const GUEST: &str = "192.168.122.10";
const WORLD: &str = "198.51.100.2";

/// A healthy host, as long as nobody does anything to it.
pub(crate) struct Lab {
    pub(crate) host: Namespace,
    guest: Namespace,
    world: Namespace,
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

    fn reaches(&self, there: &Namespace, (address, port): (&str, u16)) -> bool {
        let end = |namespace, address: &str| {
            End::new(namespace, address.parse::<IpAddr>().expect("an address"))
        };
        let (from, to) = (end(&self.guest, GUEST), end(there, address).at(port));
        matches!(ask(Protocol::Udp, &from, &to), Outcome::Answered(_))
    }
}

/// Behind NAT, with DHCP and both families.
pub(crate) fn default() -> Definition {
    Definition::nat("default", "virbr0", &SUBNETS)
        .forwarding("<forward mode='nat'><nat ipv6='yes'/></forward>")
        .with_dhcp()
}
