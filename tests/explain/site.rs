//! A host between a guest and the world.

use palisade_tests::{Definition, Namespace, Palisade};

pub(crate) const GUEST: &str = "10.1.0.5";
/// Towards the world.
pub(crate) const HOST: &str = "192.0.2.1";
pub(crate) const WORLD: &str = "192.0.2.2";

/// A host with the bridges of `networks()` and an uplink `up0`, which forwards: packets have ways, and
/// nobody is at their ends.
pub(crate) fn routing_host() -> Namespace {
    let host = Namespace::new();
    host.sysctl("ipv4/ip_forward", "1");
    host.sysctl("ipv6/conf/all/forwarding", "1");
    host.bridges(["virbr0", "virbr1", "virbr2", "up0"]);
    host.ip("link set lo up\n\
         addr add 10.1.0.1/24 dev virbr0\naddr add fd00:1::1/64 dev virbr0 nodad\n\
         addr add 10.2.0.1/24 dev virbr1\naddr add 10.3.0.1/24 dev virbr2\n\
         addr add 203.0.113.2/24 dev up0\naddr add 2001:db8::2/64 dev up0 nodad\n\
         route add default via 203.0.113.1\nroute add default via 2001:db8::1");
    host
}

/// A guest behind `vnet0` of `virbr0`, and a world behind `wan0`.
pub(crate) struct Site {
    pub(crate) host: Namespace,
    pub(crate) guest: Namespace,
    pub(crate) world: Namespace,
}

impl Site {
    pub(crate) fn new() -> Self {
        let [host, guest, world] = [(); 3].map(|()| Namespace::new());
        host.sysctl("ipv4/ip_forward", "1");
        host.bridges(["virbr0"]);
        host.cable("vnet0", &guest, "eth0");
        host.cable("wan0", &world, "eth0");
        host.ip(
            "link set vnet0 master virbr0\naddr add 10.1.0.1/24 dev virbr0\n\
             addr add 192.0.2.1/24 dev wan0",
        );
        guest.ip("addr add 10.1.0.5/24 dev eth0\nroute add default via 10.1.0.1");
        world.ip("addr add 192.0.2.2/24 dev eth0\nroute add default via 192.0.2.1");
        Self { host, guest, world }
    }

    /// With the guest's network, which is translated.
    pub(crate) fn runs(&self, options: &[&str]) -> Palisade<'_> {
        let palisade = Palisade::new(&self.host).with(options.iter().copied());
        let network = Definition::nat("default", "virbr0", &["10.1.0.1/24"]);
        palisade.apply(&[network]).stdout();
        palisade
    }
}
