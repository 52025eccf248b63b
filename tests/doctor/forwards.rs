//! Forwards of ports: guests that are not there, and others that use the same port.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use palisade_tests::{Namespace, Palisade, Trials};

use crate::examined::{assert_healthy, examine};
use crate::lab::{GUEST, Lab, default};

pub(crate) fn add_to(trials: Trials) -> Trials {
    trials
        .with("a_forward_to_nobody", a_forward_to_nobody)
        .with("a_listener_at_a_forward", a_listener_at_a_forward)
        .with(
            "others_translate_the_same_port",
            others_translate_the_same_port,
        )
        .with("a_guest_and_its_own_forward", a_guest_and_its_own_forward)
}

const HOST: &str = "198.51.100.1";

/// A host on which frames do not meet the rules of IP, with these forwards.
fn forwarding<'l>(lab: &'l Lab, forwards: &[&str]) -> Palisade<'l> {
    for family in ["iptables", "ip6tables"] {
        lab.host
            .sysctl(&format!("bridge/bridge-nf-call-{family}"), "0");
    }
    let palisade = lab.palisade([]);
    palisade
        .apply(&[default().with_forwards(forwards)])
        .stdout();
    palisade
}

fn listen(namespace: &Namespace, address: &str, port: u16) -> TcpListener {
    let listener = namespace.inside(|| TcpListener::bind((address, port)));
    let listener = listener.expect("listen");
    listener.set_nonblocking(true).expect("a listener");
    listener
}

/// Which of these a connection from the world to the host's port comes to.
fn reached(lab: &Lab, port: u16, listeners: &[&TcpListener]) -> Option<usize> {
    let to: SocketAddr = format!("{HOST}:{port}").parse().expect("an address");
    let patience = Duration::from_millis(500);
    let _client = lab
        .world
        .inside(|| TcpStream::connect_timeout(&to, patience));
    listeners
        .iter()
        .position(|listener| match listener.accept() {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                false
            }
        })
}

fn a_forward_to_nobody() {
    let lab = Lab::new();
    let palisade = forwarding(&lab, &[&format!("tcp 8080 -> {GUEST}:80")]);
    assert_healthy(&lab.host, &palisade);
    let nobody = "tcp 8080 -> 192.168.122.77:80";
    let forwards = [nobody, &format!("udp 53 -> {GUEST}:53")];
    palisade
        .apply(&[default().with_forwards(&forwards)])
        .stdout();
    let examined = examine(&lab.host, &palisade);
    examined.assert_only(&["forward-target"]);
    let words = ["192.168.122.77", nobody, "`default`", "virbr0"];
    let found = examined.one("forward-target", &words);
    assert_eq!(found["severity"], "note");
    lab.guest.ip("addr add 192.168.122.77/24 dev eth0");
    assert_healthy(&lab.host, &palisade);
}

fn a_listener_at_a_forward() {
    let lab = Lab::new();
    let forward = format!("tcp 8000-8100 -> {GUEST}:8000-8100");
    let palisade = forwarding(&lab, &[&forward]);
    let of_host = listen(&lab.host, "0.0.0.0", 8080);
    let of_guest = listen(&lab.guest, GUEST, 8080);
    assert_eq!(reached(&lab, 8080, &[&of_host, &of_guest]), Some(1));
    let examined = examine(&lab.host, &palisade);
    examined.assert_only(&["forwarded-port"]);
    let words = [
        "8080",
        &forward,
        "the forward wins",
        "/proc/net/tcp",
        "0.0.0.0:8080",
    ];
    let found = examined.one("forwarded-port", &words);
    assert_eq!(found["severity"], "warning");
    drop(of_host);
    // One that serves the host alone is not concerned.
    let _local = listen(&lab.host, "127.0.0.1", 8081);
    assert_healthy(&lab.host, &palisade);
}

fn others_translate_the_same_port() {
    let lab = Lab::new();
    let palisade = forwarding(&lab, &[&format!("tcp 8080 -> {GUEST}:80")]);
    let [ours, theirs] = [80, 81].map(|port| listen(&lab.guest, GUEST, port));
    for (priority, wins) in [(-110, 1), (-90, 0)] {
        let chain = format!("chain c {{ type nat hook prerouting priority {priority};");
        let rule = format!("tcp dport 8080 dnat to {GUEST}:81");
        lab.host
            .nft(&format!("table ip host {{ {chain}\n{rule}\n}}\n}}"));
        let reached = reached(&lab, 8080, &[&ours, &theirs]);
        let examined = examine(&lab.host, &palisade);
        examined.assert_only(&["forwarded-port"]);
        let wins_or_loses = if wins == 0 {
            "the forward wins"
        } else {
            "the forward loses"
        };
        let words = ["ip host", &rule, "8080", wins_or_loses];
        let found = examined.one("forwarded-port", &words);
        assert_eq!(found["severity"], "warning");
        // A network lets packets in to the ports of its forwards alone.
        let expected = (wins == 0).then_some(0);
        assert_eq!(reached, expected, "{found:#}");
        lab.host.nft("delete table ip host");
    }
    assert_healthy(&lab.host, &palisade);
}

fn a_guest_and_its_own_forward() {
    let lab = Lab::new();
    let palisade = forwarding(&lab, &[&format!("tcp 8080 -> {GUEST}:80")]);
    lab.host.sysctl("bridge/bridge-nf-call-iptables", "1");
    let examined = examine(&lab.host, &palisade);
    examined.assert_only(&["forward-hairpin"]);
    let words = ["default", "bridge-nf-call-iptables", "ipv4"];
    let found = examined.one("forward-hairpin", &words);
    assert_eq!(found["severity"], "note");
    examined.assert_mended();
}
