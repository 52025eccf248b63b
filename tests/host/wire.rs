//! DHCP answers, as guests' devices get them.

use std::net::UdpSocket;

use palisade_tests::{Frame, Namespace, Palisade, Tap, Trials, trials};

use crate::site::{BRIDGE, actions, default};

pub(crate) fn trials() -> Trials {
    trials![dhcp_answers_have_a_right_checksum]
}

/// What the devices of two guests get of a datagram to DHCP clients: one that completes checksums
/// itself, and one that does not.
fn arrives(host: &Namespace, guests: &mut [Tap; 2]) -> [Frame; 2] {
    host.inside(|| {
        let server = UdpSocket::bind("192.168.122.1:67").expect("bind a socket");
        server.set_broadcast(true).expect("allow broadcasts");
        let sent = server.send_to(b"an offer", "192.168.122.255:68");
        sent.expect("send an answer");
    });
    guests.each_mut().map(|guest| guest.next_to(68))
}

fn dhcp_answers_have_a_right_checksum() {
    let host = Namespace::new();
    host.bridges([BRIDGE]);
    host.ip(&format!("addr add 192.168.122.1/24 brd + dev {BRIDGE}"));
    let mut guests = [("virtio", true), ("e1000", false)].map(|(name, has_offload)| {
        let guest = Tap::new(&host, name, has_offload);
        host.ip(&format!(
            "link set {name} master {BRIDGE}\nlink set {name} up"
        ));
        guest
    });
    let right = Frame {
        is_left_to_device: false,
        is_right: true,
    };
    let unfinished = Frame {
        is_left_to_device: true,
        is_right: false,
    };
    assert_eq!(arrives(&host, &mut guests), [unfinished, right]);
    let palisade = Palisade::new(&host);
    palisade.apply([&default()]).stdout();
    let can_recompute = actions(&palisade)[0]["state"] == "active";
    let expected = if can_recompute { right } else { unfinished };
    let arrived = arrives(&host, &mut guests);
    println!("recomputed: {can_recompute}; {arrived:?}");
    assert_eq!(arrived, [expected, right]);
    palisade.ok(["remove", "default"]);
    assert_eq!(arrives(&host, &mut guests), [unfinished, right]);
}
