//! Rules for frames, on bridges and devices: what is said of a packet is what the kernel does with it.

use std::net::UdpSocket;
use std::time::Duration;

use palisade_tests::{Palisade, Trials};
use serde_json::{Value, json};

use crate::running::explained;
use crate::site::{GUEST, Site, WORLD};

pub(crate) fn add_to(trials: Trials) -> Trials {
    trials
        .with("rules_of_bridges_and_devices", rules_of_bridges_and_devices)
        .with("one_port_of_several", one_port_of_several)
}

impl Site {
    /// Whether what the guest sends arrives.
    fn arrives(&self, port: u16) -> bool {
        let client = self
            .guest
            .inside(|| UdpSocket::bind((GUEST, 0)).expect("bind"));
        let server = self
            .world
            .inside(|| UdpSocket::bind((WORLD, port)).expect("bind"));
        let patience = Duration::from_millis(150);
        server
            .set_read_timeout(Some(patience))
            .expect("set a time limit");
        (0..2).any(|_| {
            client.send_to(b"frame", (WORLD, port)).expect("send");
            server.recv_from(&mut [0; 64]).is_ok()
        })
    }
}

fn asked(palisade: &Palisade<'_>) -> Value {
    explained(
        palisade,
        &format!("--from default/{GUEST} --to world/{WORLD} --proto udp --dport 5000"),
    )
}

/// What is said of a packet beside somebody else's chain with one rule.
fn beside(
    site: &Site,
    palisade: &Palisade<'_>,
    (family, chain, rule): (&str, &str, &str),
) -> Value {
    site.host.nft(&format!(
        "table {family} host {{\nchain c {{ {chain}\n{rule}\n}}\n}}"
    ));
    asked(palisade)
}

fn rules_of_bridges_and_devices() {
    let site = Site::new();
    let palisade = site.runs(&[]);
    assert!(site.arrives(5000));
    let ingress = "type filter hook ingress device";
    for (family, chain, rule, verdict) in [
        (
            "bridge",
            "type filter hook prerouting priority 0;",
            "iifname \"vnet*\" drop",
            "drop",
        ),
        (
            "bridge",
            "type filter hook input priority 0;",
            "iifname vnet0 ip saddr 10.1.0.0/24 drop",
            "drop",
        ),
        (
            "bridge",
            "type filter hook input priority 0;",
            "udp dport 5000 drop",
            "drop",
        ),
        (
            "bridge",
            "type filter hook input priority 0;",
            "ether type ip drop",
            "drop",
        ),
        (
            "bridge",
            "type filter hook input priority 0;",
            "ether type arp drop",
            "accept",
        ),
        (
            "bridge",
            "type filter hook input priority 0;",
            "iifname vnet7 drop",
            "accept",
        ),
        (
            "bridge",
            "type filter hook input priority 0;",
            "ip6 saddr ::/0 drop",
            "accept",
        ),
        (
            "bridge",
            "type filter hook forward priority 0; policy drop;",
            "",
            "accept",
        ),
        (
            "bridge",
            "type filter hook output priority 0; policy drop;",
            "",
            "accept",
        ),
        (
            "netdev",
            &format!("{ingress} vnet0 priority 0;"),
            "udp dport 5000 drop",
            "drop",
        ),
        (
            "netdev",
            &format!("{ingress} virbr0 priority 0;"),
            "ip daddr 192.0.2.2 drop",
            "drop",
        ),
        (
            "netdev",
            &format!("{ingress} wan0 priority 0;"),
            "drop",
            "accept",
        ),
        (
            "inet",
            &format!("{ingress} vnet0 priority 0;"),
            "udp dport 5000 drop",
            "drop",
        ),
        (
            "netdev",
            "type filter hook egress device wan0 priority 0;",
            "udp dport 5000 drop",
            "drop",
        ),
        (
            "netdev",
            "type filter hook egress device vnet0 priority 0;",
            "drop",
            "accept",
        ),
    ] {
        let told = beside(&site, &palisade, (family, chain, rule));
        assert_eq!(
            told["verdict"], verdict,
            "{family} {chain} {rule}: {told:#}"
        );
        assert_eq!(told["undecided"], json!([]), "{family} {chain} {rule}");
        let arrives = site.arrives(5000);
        assert_eq!(arrives, verdict == "accept", "{family} {chain} {rule}");
        site.host.nft(&format!("delete table {family} host"));
    }
}

/// Through which port a packet comes, nobody says: what depends on it is open.
fn one_port_of_several() {
    let site = Site::new();
    site.host
        .ip("link add vnet1 type veth peer name vnet1_\nlink set vnet1 master virbr0 up");
    let palisade = site.runs(&[]);
    for (family, chain, rule, verdict, may) in [
        (
            "bridge",
            "type filter hook input priority 0;",
            "iifname vnet0 drop",
            "accept",
            "drop",
        ),
        (
            "bridge",
            "type filter hook input priority 0;",
            "iifname \"vnet*\" drop",
            "drop",
            "",
        ),
        (
            "bridge",
            "type filter hook input priority 0;",
            "iifname eth0 drop",
            "accept",
            "",
        ),
        (
            "netdev",
            "type filter hook ingress device vnet0 priority 0;",
            "drop",
            "accept",
            "drop",
        ),
        (
            "netdev",
            "type filter hook ingress device vnet1 priority 0; policy drop;",
            "",
            "accept",
            "drop",
        ),
        (
            "netdev",
            "type filter hook ingress devices = { vnet0, vnet1 } priority 0;",
            "drop",
            "drop",
            "",
        ),
        (
            "netdev",
            "type filter hook ingress device vnet0 priority 0;",
            "udp dport 9 drop",
            "accept",
            "",
        ),
    ] {
        let told = beside(&site, &palisade, (family, chain, rule));
        let verdict = if may.is_empty() { verdict } else { "unknown" };
        assert_eq!(
            told["verdict"], verdict,
            "{family} {chain} {rule}: {told:#}"
        );
        let doubts = told["undecided"].as_array().expect("an array");
        let open: Vec<&Value> = doubts.iter().map(|doubt| &doubt["may"]).collect();
        match may {
            "" => assert!(open.is_empty(), "{family} {chain} {rule}: {open:?}"),
            may => assert_eq!(open, [&json!([may])], "{family} {chain} {rule}"),
        }
        site.host.nft(&format!("delete table {family} host"));
    }
}
