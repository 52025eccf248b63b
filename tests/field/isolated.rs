//! Difference 6: guests of isolated ports do not reach each other by way of the host either.

use palisade::network::{Description, Established, Forward, Network};
use palisade::{Choice, Firewall, Options};
use palisade_tests::Namespace;
use palisade_tests::place::Place;

use crate::lab::{arrivals, note_arrivals, wait_for};
use palisade_tests::raw::{self, Packet};

/// Where a network's rules go.
fn choice(place: Place, established: Established) -> Choice {
    let parsed = |word: &str| word.parse().ok();
    let mut choice = Choice {
        backend: place.backend().parse().ok(),
        established: Some(established),
        ..Choice::default()
    };
    match place {
        Place::Mapped | Place::Flat => choice.layout = place.word().parse().ok(),
        Place::Legacy | Place::Nft => choice.iptables = parsed(place.word()),
    }
    choice
}

fn network(isolated_ports: bool, established: Established) -> Network {
    let network = Network::new(Description {
        isolated_ports,
        subnets: vec!["10.3.0.1/24".parse().expect("a subnet")],
        ..Description::new(
            "apart".parse().expect("a name"),
            "virbr3".parse().ok(),
            Forward::Route { device: None },
        )
    });
    network.expect("a network").with_established(established)
}

pub(crate) fn do_not_meet_by_the_host(place: Place) {
    for established in Established::ALL {
        stay_apart(place, established);
    }
}

fn stay_apart(place: Place, established: Established) {
    let (host, guests) = (Namespace::new(), [Namespace::new(), Namespace::new()]);
    host.sysctl("ipv4/ip_forward", "1");
    host.sysctl("ipv4/conf/all/send_redirects", "0");
    host.sysctl("ipv4/conf/default/send_redirects", "0");
    host.bridges(["virbr3"]);
    host.ip("addr add 10.3.0.1/24 dev virbr3");
    for (number, guest) in guests.iter().enumerate() {
        host.cable(&format!("port{number}"), guest, "eth0");
        host.ip(&format!(
            "link set port{number} master virbr3\nlink set port{number} type bridge_slave isolated on"
        ));
        // Each finds the other by the host alone.
        guest.ip(&format!(
            "addr add 10.3.0.1{number}/32 dev eth0\nroute add 10.3.0.1 dev eth0\n\
             route add default via 10.3.0.1"
        ));
        note_arrivals(guest);
    }
    let [one, other] = &guests;
    let address = |last: u8| [10, 3, 0, last].into();
    let state = tempfile::tempdir().expect("a directory");
    let options = Options {
        state_directory: Some(state.path().to_owned()),
        namespace: Some(host.path()),
        choice: choice(place, established),
        ..Options::default()
    };
    let mut firewall = Firewall::open(&options).expect("open the firewall");
    firewall
        .apply(&[network(true, established)])
        .expect("apply");
    let send = || Packet::new(address(10), address(11), raw::udp(9)).send(one);
    // The host looks for the second guest first, which takes its time, and knows it then.
    for _ in 0..3 {
        send();
    }
    let ping = raw::echo(address(1), true);
    wait_for(other, address(11), || {
        Packet::new(address(11), address(1), ping.clone()).send(other);
    });
    send();
    // Nor by what belongs to a known flow of the other's.
    Packet::new(address(11), address(1), raw::udp_between(9, 9)).send(other);
    Packet::new(
        address(10),
        address(11),
        raw::error_about(address(11), address(1)),
    )
    .send(one);
    // The answer to the guest itself comes behind what was sent before.
    wait_for(one, address(10), || {
        Packet::new(address(10), address(1), ping.clone()).send(one);
    });
    let from_one = |guest| {
        arrivals(guest)
            .get(&address(11))
            .cloned()
            .unwrap_or_default()
    };
    assert!(
        !from_one(other).contains(&address(10)),
        "{:?}",
        from_one(other)
    );
    assert_eq!(firewall.verify(&[]).expect("verify"), []);

    // Without the choice it is the way that libvirt leaves open.
    firewall
        .apply(&[network(false, established)])
        .expect("apply again");
    let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while !from_one(other).contains(&address(10)) {
        assert!(std::time::Instant::now() < until, "nothing gets through");
        send();
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
