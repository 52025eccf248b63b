//! `explain` of definitions: what it says of packets, without a kernel.

use serde_json::{Value, json};

use crate::documents::read;
use crate::palisade::Palisade;

/// Those of `docs/layouts.md`.
fn palisade() -> Palisade {
    let palisade = Palisade::new();
    palisade.file("networks.toml", &read("docs/examples/networks.toml"));
    palisade
}

fn told(palisade: &Palisade, packet: &str) -> String {
    palisade.transcript(&format!("explain --definitions networks.toml {packet}"))
}

#[test]
fn from_whom_to_whom() {
    let palisade = palisade();
    let told = |packet| told(&palisade, packet);
    insta::assert_snapshot!(
        [
            told("--from default --to world/192.0.2.7 --proto udp --dport 53"),
            told("--from quiet --to lab"),
            told("--from default/fd00:122::7 --to host --proto icmpv6"),
            told("--from quiet --to quiet"),
            told("--from host --to default/224.0.0.22"),
            told("--from world --to default --ct established"),
        ]
        .join("\n")
    );
}

#[test]
fn in_every_layout_and_backend() {
    let palisade = palisade();
    let packet = "--in virbr3 --out enp0s7 --src 10.40.0.5 --dst 192.0.2.7 --proto tcp --dport 80";
    let told = |choice| told(&palisade, &format!("{packet} {choice}"));
    insta::assert_snapshot!(
        [
            told("--layout flat"),
            told("--backend iptables"),
            told("--backend none"),
        ]
        .join("\n")
    );
}

#[test]
fn what_cannot_be_asked() {
    let palisade = palisade();
    let told = |packet| told(&palisade, packet);
    insta::assert_snapshot!(
        [
            told("--from nosuch --to world"),
            told("--from default/10.0.0.0/8 --to world"),
            told("--proto udp"),
            told("--in virbr0 --src 192.0.2.1 --dst fd00::1"),
            told("--from host --to host"),
            told("--from default/10.122.0.5 --to world --proto icmpv6"),
            told("--in virbr0 --src fd00::1 --dst fd00::2 --proto icmp"),
            told("--from default --to world --proto icmp --dport 80"),
            told("--in virbr0 --src 192.0.2.1 --dst 192.0.2.2 --proto 47 --sport 80"),
            palisade.transcript("explain --definitions nosuch.toml --from a --to b"),
        ]
        .join("\n")
    );
}

fn json_of(palisade: &Palisade, packet: &str) -> (Value, Option<i32>) {
    let line = format!("--format json explain --definitions networks.toml {packet}");
    let arguments: Vec<&str> = line.split(' ').collect();
    let output = palisade.command(&arguments).output().unwrap();
    let json = serde_json::from_slice(&output.stdout).unwrap();
    (json, output.status.code())
}

/// The keys that scripts rely on.
#[test]
fn in_json() {
    let palisade = palisade();
    let (accepted, code) = json_of(&palisade, "--from uplink --to world");
    assert_eq!((&accepted["verdict"], code), (&json!("accept"), Some(0)));
    let addresses = json!({ "start": "203.0.113.7", "end": "203.0.113.9" });
    let ports = json!({ "start": 20000, "end": 20100 });
    assert_eq!(
        accepted["nat"],
        json!({ "kind": "snat", "addresses": addresses, "ports": ports })
    );
    let path = accepted["path"].as_array().unwrap();
    let out = path.iter().find(|visit| visit["purpose"] == "out").unwrap();
    assert_eq!(out["network"], "uplink");
    assert_eq!(out["table"], "ip palisade");
    assert_eq!(out["matched"], true);
    assert_eq!(accepted["undecided"], json!([]));
    assert_eq!(accepted["packet"]["out_interface"], "enp0s7");

    let (refused, code) = json_of(&palisade, "--from quiet --to world");
    assert_eq!((&refused["verdict"], code), (&json!("reject"), Some(3)));
    assert_eq!(refused["nat"], Value::Null);
}

/// The words win; in front of a name, another word says that it is one.
#[test]
fn networks_that_are_called_like_words() {
    let palisade = Palisade::new();
    palisade.file(
        "networks.toml",
        "[[network]]\nname = \"host\"\nbridge = \"br7\"\nmode = \"nat\"\n\
         subnets = [\"10.7.0.1/24\"]\n",
    );
    let (own, _) = json_of(&palisade, "--from host --to world");
    assert_eq!(own["packet"]["in_interface"], Value::Null);
    let (guest, _) = json_of(&palisade, "--from network:host --to world");
    assert_eq!(guest["packet"]["in_interface"], "br7");
    assert_eq!(guest["nat"]["kind"], "masquerade");
    let (with_address, _) = json_of(&palisade, "--from network:host/10.7.0.9 --to world");
    assert_eq!(with_address["packet"]["source"], "10.7.0.9");
}

/// Both ends speak the family that is assumed, and what stands for the world is in no network.
#[test]
fn what_is_assumed_fits_the_networks() {
    let palisade = Palisade::new();
    palisade.file(
        "networks.toml",
        "[[network]]\nname = \"both\"\nbridge = \"br1\"\nmode = \"route\"\n\
         subnets = [\"10.1.0.1/24\", \"fd00:1::1/64\"]\n\
         [[network]]\nname = \"six\"\nbridge = \"br2\"\nmode = \"route\"\n\
         subnets = [\"fd00:2::1/64\"]\n\
         [[network]]\nname = \"doc\"\nbridge = \"br3\"\nmode = \"nat\"\n\
         subnets = [\"198.51.100.1/24\"]\n",
    );
    for packet in ["--from both --to six", "--from six --to both"] {
        let (told, code) = json_of(&palisade, packet);
        assert_eq!((&told["verdict"], code), (&json!("accept"), Some(0)));
        let source = told["packet"]["source"].as_str().unwrap();
        assert!(source.starts_with("fd00:"), "{packet}: {source}");
    }
    let (told, _) = json_of(&palisade, "--from doc --to world");
    assert_eq!(told["nat"]["kind"], "masquerade");
    assert_eq!(told["packet"]["destination"], "203.0.113.10");
}

/// `docs/layouts.md` shows the differences by packets: here they are.
#[test]
fn the_differences_of_the_document() {
    let palisade = palisade();
    let document = read("docs/layouts.md");
    for (line, packet, mapped) in [
        (
            "in virbr2, out virbr1, 10.30.0.5 > 10.20.0.9, udp",
            "--in virbr2 --out virbr1 --src 10.30.0.5 --dst 10.20.0.9 --proto udp",
            "reject",
        ),
        (
            "in virbr0, out virbr1, 198.51.100.7 > 10.20.0.9",
            "--in virbr0 --out virbr1 --src 198.51.100.7 --dst 10.20.0.9 --proto udp",
            "drop",
        ),
        (
            "in virbr3, out virbr1, 10.40.0.5 > 10.20.0.9",
            "--in virbr3 --out virbr1 --src 10.40.0.5 --dst 10.20.0.9 --proto udp",
            "reject",
        ),
        (
            "in virbr2, out enp0s7, 2001:db8:30::5 > 2001:db8::1, any protocol",
            "--in virbr2 --out enp0s7 --src 2001:db8:30::5 --dst 2001:db8::1 --proto 47",
            "drop",
        ),
        (
            "in virbr0, out enp0s7, 192.168.122.10 > 198.51.100.1, tcp, invalid",
            "--in virbr0 --out enp0s7 --src 192.168.122.10 --dst 198.51.100.1 --proto tcp --ct invalid",
            "drop",
        ),
    ] {
        assert!(document.contains(line), "{line}");
        for (choice, verdict) in [
            ("--layout mapped", mapped),
            ("--layout flat", "accept"),
            ("--backend iptables", "accept"),
        ] {
            let (told, _) = json_of(&palisade, &format!("{packet} {choice}"));
            assert_eq!(told["verdict"], verdict, "{packet} {choice}");
        }
    }
}
