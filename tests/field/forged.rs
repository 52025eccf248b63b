//! Difference 4: a forged source gets no answer and no way.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use palisade_tests::place::Place;
use palisade_tests::{Namespace, Palisade};

use crate::lab::{Lab, arrivals, counted, gateway, guest, note_arrivals, somewhere, victim};
use palisade_tests::raw::{self, Packet};

/// What a guest sends in the name of somebody in the world, and where to.
fn tricks(network: u16, v6: bool, first: u8) -> [(&'static str, Packet); 5] {
    let to_host = gateway(network, v6);
    let named = |number, to, payload| Packet::new(victim(v6, first + number), to, payload);
    let outside = somewhere(v6, first);
    [
        ("a datagram into the world", named(0, outside, raw::udp(9))),
        (
            "an echo request to the host",
            named(1, to_host, raw::echo(to_host, true)),
        ),
        (
            "a datagram to a closed port",
            named(2, to_host, raw::udp(9)),
        ),
        (
            "a packet that dies at the host",
            named(3, outside, raw::udp(9)).dying(),
        ),
        (
            "a datagram to a routed guest",
            named(4, guest(2, v6), raw::udp(9)),
        ),
    ]
}

/// The guests that try, each with its network and the first number of the victims.
const LIARS: [(u16, u8); 2] = [(0, 20), (1, 40)];

pub(crate) fn get_no_answer(place: Place) {
    let lab = Lab::new();
    note_arrivals(&lab.routed);
    let palisade = place.palisade(&lab.host);
    palisade.apply(&Lab::definitions()).stdout();
    for v6 in [false, true] {
        for (network, first) in LIARS {
            let liar = if network == 0 {
                &lab.natted
            } else {
                &lab.isolated
            };
            for (_, packet) in tricks(network, v6, first) {
                packet.send(liar);
            }
        }
    }
    // What has the right source is as before: also from addresses that only the host's routes know.
    lab.host
        .ip("addr add 10.77.0.1/24 dev virbr2\nroute add 10.78.0.0/24 via 10.2.0.2");
    lab.routed
        .ip("addr add 10.77.0.2/24 dev eth0\naddr add 10.78.0.2/24 dev eth0");
    for (number, own) in [(1_u8, [10, 77, 0, 2]), (2, [10, 78, 0, 2])] {
        let to = gateway(2, false);
        Packet::new(own.into(), to, raw::echo(to, true)).send(&lab.routed);
        assert!(is_answered(&lab.routed, own.into()), "{number}");
    }
    lab.settle();
    let (world, routed) = (arrivals(&lab.world), arrivals(&lab.routed));
    for v6 in [false, true] {
        for (network, first) in LIARS {
            for (name, packet) in tricks(network, v6, first) {
                let claimed = packet.source;
                let answered = world.contains_key(&claimed);
                let has_come = [&world, &routed].into_iter().flatten();
                let has_come = has_come.filter(|(_, sources)| sources.contains(&claimed));
                let gets_through = has_come.count() > 0;
                let may = place != Place::Mapped;
                assert_eq!(
                    answered || gets_through,
                    may,
                    "{name} from network {network}, as {claimed}"
                );
            }
        }
    }
    if place == Place::Mapped {
        assert_eq!(spoofed(&palisade, "natted"), [Some(5); 2]);
        assert_eq!(spoofed(&palisade, "quiet"), [Some(5); 2]);
        assert_eq!(spoofed(&palisade, "routed"), [Some(0); 2]);
    }
}

/// Whether the host's answer to an address has come to a guest.
fn is_answered(guest: &Namespace, own: IpAddr) -> bool {
    (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        arrivals(guest).contains_key(&own)
    })
}

/// What is counted as spoofed, by IPv4 and IPv6.
fn spoofed(palisade: &Palisade<'_>, network: &str) -> [Option<u64>; 2] {
    ["ipv4", "ipv6"].map(|family| counted(palisade, network, family, "spoofed"))
}

/// With established connections accepted first, a guest of an isolated network sends what fits into a
/// connection of another network.
pub(crate) fn enter_no_connection(place: Place) {
    let lab = Lab::new();
    let palisade = place.palisade(&lab.host).with(["--established", "first"]);
    palisade.apply(&Lab::definitions()).stdout();
    let server = somewhere(false, 50);
    let bound = |namespace: &Namespace, address: IpAddr, port: u16| {
        let socket = namespace.inside(|| UdpSocket::bind((address, port)).expect("bind"));
        let patience = Some(Duration::from_secs(5));
        socket.set_read_timeout(patience).expect("wait so long");
        socket
    };
    let theirs = bound(&lab.world, server, 5000);
    let own = bound(&lab.natted, guest(0, false), 4000);
    let mut buffer = [0; 64];
    own.send_to(b"hello", SocketAddr::from((server, 5000)))
        .expect("ask");
    let (_, seen) = theirs.recv_from(&mut buffer).expect("it arrives");
    theirs.send_to(b"welcome", seen).expect("answer");
    let (len, _) = own.recv_from(&mut buffer).expect("it is answered");
    assert_eq!(&buffer[..len], b"welcome");

    let forged = raw::udp_between(5000, seen.port());
    Packet::new(server, seen.ip(), forged).send(&lab.isolated);
    // What is sent later comes later: the way from the world is the longer one.
    std::thread::sleep(Duration::from_millis(50));
    theirs.send_to(b"last", seen).expect("answer again");
    let mut heard = Vec::new();
    while heard.last().map(Vec::as_slice) != Some(b"last".as_slice()) {
        let (len, _) = own.recv_from(&mut buffer).expect("the last one arrives");
        heard.push(buffer[..len].to_vec());
    }
    let is_entered = heard.contains(&b"forged!!".to_vec());
    assert_eq!(is_entered, place != Place::Mapped, "{heard:?}");
}
