//! NAT networks that translate nothing between networks.

use std::net::IpAddr;

use palisade_core::network::{Description, Forward, Nat, Network};
use palisade_tests::place::Place;
use palisade_tests::probe::{End, Outcome, Protocol, ask};
use palisade_tests::{Namespace, Trials};

use crate::library::Library;

pub(crate) fn add_to(mut trials: Trials) -> Trials {
    for place in Place::ALL {
        let name =
            format!("{place:?}: sources are kept between networks that run, and nowhere else");
        trials = trials.with(name, move || kept(place));
    }
    trials
}

fn kept(place: Place) {
    let lab = Lab::new();
    let mut library = Library::new(&lab.host, place);
    let own = |family: usize| Some(Lab::address(1, family));
    let gateway = |bridge: u8, family: usize| Some(GATEWAYS[family](bridge));
    // The default is as libvirt has it.
    library.apply(&[net1(true), net2()]);
    for family in [0, 1] {
        assert_eq!(lab.seen(family, 2), gateway(2, family));
    }
    for order in [[net1(false), net2()], [net2(), net1(false)]] {
        library.remove_all();
        for network in order {
            library.apply(&[network]);
        }
        library.assert_clean();
        for family in [0, 1] {
            assert_eq!(lab.seen(family, 2), own(family));
            // The bridge of no network, and the world.
            assert_eq!(lab.seen(family, 3), gateway(3, family));
            assert_eq!(lab.seen(family, 4), gateway(4, family));
        }
    }
    // Connections that keep their source are not ended when the rules come again.
    let notes = library.apply(&[net1(true), net2()]);
    assert!(notes.iter().any(|note| note.contains("ended")), "{notes:?}");
    library.apply(&[net1(false), net2()]);
    assert_eq!(lab.seen(0, 2), own(0));
    let notes = library.apply(&[net2(), net1(false)]);
    assert_eq!(notes, [""; 0]);
    assert!(library.remove(&["net2"]).is_empty());
    assert_eq!(lab.seen(0, 2), gateway(2, 0));
    library.remove_all();
    assert_eq!(place.standing(&lab.host).trim(), "");
}

fn net1(between_networks: bool) -> Network {
    let nat = Nat {
        ipv6: true,
        between_networks,
        ..Nat::default()
    };
    network(1, Forward::Nat(nat))
}

fn net2() -> Network {
    network(2, Forward::Route { device: None })
}

fn network(number: u8, forward: Forward) -> Network {
    let name = format!("net{number}").parse().expect("a name");
    let bridge = Some(format!("virbr{number}").parse().expect("a bridge"));
    let subnets = [
        format!("10.{number}.0.1/24"),
        format!("fd00:{number}::1/64"),
    ];
    let subnets = subnets.map(|subnet| subnet.parse().expect("a subnet"));
    let network = Network::new(Description {
        subnets: subnets.to_vec(),
        ..Description::new(name, bridge, forward)
    });
    network.expect("a network")
}

const GATEWAYS: [fn(u8) -> IpAddr; 2] = [
    |number| format!("10.{number}.0.1").parse().expect("an address"),
    |number| format!("fd00:{number}::1").parse().expect("an address"),
];

/// A host with four bridges, and a guest on each: two of networks, one of none, and one for the world.
pub(crate) struct Lab {
    pub(crate) host: Namespace,
    pub(crate) guests: Vec<Namespace>,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let host = Namespace::new();
        host.sysctl("ipv4/ip_forward", "1");
        host.sysctl("ipv6/conf/all/forwarding", "1");
        let guests = (1..=4).map(|number| {
            let guest = Namespace::new();
            let bridge = format!("virbr{number}");
            host.bridges([bridge.as_str()]);
            host.cable(&format!("port{number}"), &guest, "eth0");
            host.ip(&format!(
                "link set port{number} master {bridge}\naddr add 10.{number}.0.1/24 dev {bridge}\n\
                 addr add fd00:{number}::1/64 dev {bridge} nodad"
            ));
            guest.ip(&format!(
                "addr add 10.{number}.0.2/24 dev eth0\naddr add fd00:{number}::2/64 dev eth0 nodad\n\
                 route add default via 10.{number}.0.1\nroute add ::/0 via fd00:{number}::1"
            ));
            guest
        });
        let guests = guests.collect();
        Self { host, guests }
    }

    pub(crate) fn address(number: u8, family: usize) -> IpAddr {
        let address = [format!("10.{number}.0.2"), format!("fd00:{number}::2")];
        address[family].parse().expect("an address")
    }

    /// The source that the guest with this number sees of the first guest.
    fn seen(&self, family: usize, number: u8) -> Option<IpAddr> {
        let end = |number: u8| {
            let guest = &self.guests[usize::from(number) - 1];
            End::new(guest, Self::address(number, family))
        };
        let outcome: Outcome = ask(Protocol::Udp, &end(1), &end(number));
        outcome.source().map(|source| source.ip())
    }
}
