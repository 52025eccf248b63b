//! A guest, a router and the world.

use std::net::IpAddr;
use std::process::Command;

use palisade::network::Family;
use palisade_netlink::Socket;

use super::super::amount::Amount;
use super::super::ground::Ground;
use super::super::namespace::Namespace;
use super::rules::{Rules, forget_flows};
use super::traffic::{Ends, Traffic};
use crate::program::find;

/// Three namespaces and two cables.
pub(super) struct Lab {
    guest: Namespace,
    world: Namespace,
    /// To the router.
    socket: Socket,
    _router: Namespace,
    last: u16,
    /// How many times packets are sent in a run.
    slices: usize,
}

impl Lab {
    pub(super) fn new(ground: &Ground<'_>, rules: &Rules) -> Result<Self, String> {
        let (guest, router, world) = (Namespace::new()?, Namespace::new()?, Namespace::new()?);
        let ip = find("ip").ok_or("ip is not installed: cargo xtask setup")?;
        let last = rules.last();
        let [high, low] = last.to_be_bytes();
        let bridge = format!("virbr{last}");
        let run = |namespace: &Namespace, name: &str, lines: &str| {
            let file = ground.scratch.write(name, lines)?;
            let mut ip = Command::new(&ip);
            namespace.output(ip.arg("-batch").arg(file)).map(drop)
        };
        for namespace in [&guest, &router, &world] {
            // Duplicate address detection delays the first packets by a second.
            for (path, value) in [
                ("net/ipv6/conf/all/accept_dad", "0"),
                ("net/ipv6/conf/default/accept_dad", "0"),
                ("net/ipv6/conf/all/forwarding", "1"),
                ("net/ipv4/ip_forward", "1"),
            ] {
                namespace.inside(|| {
                    std::fs::write(format!("/proc/sys/{path}"), value)
                        .map_err(|error| format!("cannot write {path}: {error}"))
                })?;
            }
        }
        let here = |namespace: &Namespace| {
            let path = namespace.path().display().to_string();
            path.replace("/self/", &format!("/{}/", std::process::id()))
        };
        run(
            &router,
            "router.ip",
            &format!(
                "link add {bridge} type bridge forward_delay 0\n\
                 link add port type veth peer name eth0 netns {}\n\
                 link add world type veth peer name eth0 netns {}\n\
                 link set port master {bridge}\n\
                 link set port up\nlink set {bridge} up\nlink set world up\n\
                 addr add 10.{high}.{low}.1/24 dev {bridge}\n\
                 addr add fd00:0:0:{last:x}::1/64 dev {bridge}\n\
                 addr add 203.0.113.1/24 dev world\naddr add 2001:db8::1/64 dev world\n\
                 route add 198.18.0.0/15 via 203.0.113.2\n\
                 route add 2001:db8:1::/48 via 2001:db8::2\n",
                here(&guest),
                here(&world)
            ),
        )?;
        run(
            &guest,
            "guest.ip",
            &format!(
                "link set eth0 up\naddr add 10.{high}.{low}.2/24 dev eth0\n\
                 addr add fd00:0:0:{last:x}::2/64 dev eth0\n\
                 route add default via 10.{high}.{low}.1\n\
                 route add ::/0 via fd00:0:0:{last:x}::1\n"
            ),
        )?;
        // What is for nobody goes nowhere, and nobody answers it.
        run(
            &world,
            "world.ip",
            "link set lo up\nlink set eth0 up\naddr add 203.0.113.2/24 dev eth0\n\
             addr add 2001:db8::2/64 dev eth0\n\
             route add blackhole 198.18.0.0/15\nroute add blackhole 2001:db8:1::/48\n",
        )?;
        rules.install(ground, &router)?;
        Ok(Self {
            socket: router.socket()?,
            guest,
            world,
            _router: router,
            last,
            slices: rules.slices(),
        })
    }

    /// What one packet, round trip, connection or flow takes.
    pub(super) fn send(&mut self, traffic: Traffic, family: Family) -> Result<Amount, String> {
        forget_flows(&mut self.socket)?;
        let [high, low] = self.last.to_be_bytes();
        let (guest, world): (IpAddr, IpAddr) = match family {
            Family::Ipv4 => ([10, high, low, 2].into(), [203, 0, 113, 2].into()),
            Family::Ipv6 => (
                [0xfd00, 0, 0, self.last, 0, 0, 0, 2].into(),
                [0x2001, 0xdb8, 0, 0, 0, 0, 0, 2].into(),
            ),
        };
        let ends = Ends::new((&self.guest, guest), (&self.world, world))?;
        traffic.run(&ends, (&self.guest, &self.world), self.slices)
    }
}
