//! A host between a guest and the world.

use palisade_tests::{Definition, Namespace, Palisade};

pub(crate) const GUEST: &str = "10.1.0.5";
/// Towards the world.
pub(crate) const HOST: &str = "192.0.2.1";
pub(crate) const WORLD: &str = "192.0.2.2";

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
