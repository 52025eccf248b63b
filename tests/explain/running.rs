//! Packets of running networks: what is said of them is what becomes of them.

use palisade_tests::{Definition, Palisade, Trials};
use serde_json::Value;

use crate::site::routing_host;

pub(crate) fn add_to(trials: Trials) -> Trials {
    trials
        .with("the_kernels_dump_is_asked", the_kernels_dump_is_asked)
        .with("every_place_says_the_same", every_place_says_the_same)
        .with(
            "counters_and_handles_are_the_kernels",
            counters_and_handles_are_the_kernels,
        )
        .with(
            "the_host_fills_in_what_is_not_said",
            the_host_fills_in_what_is_not_said,
        )
        .with(
            "the_hosts_own_address_is_that_of_its_route",
            the_hosts_own_address_is_that_of_its_route,
        )
        .with(
            "the_kernel_says_where_packets_go",
            the_kernel_says_where_packets_go,
        )
}

/// A network that is translated, one that is routed, and one that is isolated.
pub(crate) fn networks() -> [Definition; 3] {
    [
        Definition::nat("default", "virbr0", &["10.1.0.1/24", "fd00:1::1/64"]),
        Definition::route("lab", "virbr1", &["10.2.0.1/24"]),
        Definition::isolated("quiet", "virbr2", &["10.3.0.1/24"]),
    ]
}

/// What `explain` says as JSON, whatever its exit code.
pub(crate) fn explained(palisade: &Palisade<'_>, packet: &str) -> Value {
    let line = format!("--format json explain {packet}");
    let answer = palisade.answer(line.split(' '));
    let json: Value = serde_json::from_str(&answer.stdout).unwrap_or_else(|_| panic!("{answer}"));
    let code = if json["verdict"] == "accept" { 0 } else { 3 };
    assert_eq!(answer.code, Some(code), "{packet}");
    json
}

/// What somebody takes out of the kernel is gone from what is said too: nothing comes from records.
fn the_kernels_dump_is_asked() {
    let namespace = routing_host();
    let palisade = Palisade::with_layout(&namespace, "flat");
    palisade.apply(&networks()).stdout();
    let spoofed = "--in virbr0 --out eth0 --src 192.0.2.9 --dst 192.0.2.1 --proto udp";
    assert_eq!(explained(&palisade, spoofed)["verdict"], "reject");
    namespace.nft("flush chain ip palisade guest_output");
    assert_eq!(explained(&palisade, spoofed)["verdict"], "accept");
    namespace.nft("add rule ip palisade guest_output iifname virbr0 drop");
    let told = explained(&palisade, spoofed);
    assert_eq!(told["verdict"], "drop");
    let last = told["path"]
        .as_array()
        .expect("a path")
        .last()
        .expect("a rule");
    assert_eq!(last["rule"], "iifname \"virbr0\" drop");
}

/// The same packets in each backend and layout: equal but for the documented differences.
fn every_place_says_the_same() {
    let packets = [
        ("--from default --to world", "accept", "masquerade"),
        (
            "--from default --to world --proto icmp",
            "accept",
            "masquerade",
        ),
        ("--from default/fd00:1::5 --to world", "reject", ""),
        ("--from quiet --to world", "reject", ""),
        ("--from quiet --to quiet", "accept", ""),
        ("--from lab --to world", "accept", ""),
        ("--from world --to lab", "accept", ""),
        ("--from world --to default", "reject", ""),
        (
            "--from world --to default --ct established",
            "accept",
            "decided",
        ),
        (
            "--from default --to host --proto udp --dport 53",
            "accept",
            "",
        ),
        ("--from host --to quiet", "accept", ""),
    ];
    for place in [
        &["--layout", "mapped"][..],
        &["--layout", "flat"],
        &["--backend", "iptables", "--iptables", "legacy"],
        &["--backend", "iptables", "--iptables", "nft"],
    ] {
        let namespace = routing_host();
        let palisade = Palisade::new(&namespace).with(place.iter().copied());
        palisade.apply(&networks()).stdout();
        for (packet, verdict, nat) in packets {
            // Routed in IPv6, and so with its own address.
            let verdict = if packet.contains("fd00:1::5") {
                "accept"
            } else {
                verdict
            };
            let told = explained(&palisade, packet);
            assert_eq!(told["verdict"], verdict, "{place:?}: {packet}");
            let kind = told["nat"]["kind"].as_str().unwrap_or_default();
            assert_eq!(kind, nat, "{place:?}: {packet}");
            assert_eq!(
                told["undecided"],
                serde_json::json!([]),
                "{place:?}: {packet}"
            );
        }
        let leak = explained(&palisade, "--from quiet --to lab");
        let expected = if place.contains(&"mapped") {
            "reject"
        } else {
            "accept"
        };
        assert_eq!(leak["verdict"], expected, "{place:?}");
    }
}

/// Where a packet goes that names no way out, the kernel says.
fn the_kernel_says_where_packets_go() {
    let host = routing_host();
    let palisade = Palisade::new(&host);
    palisade.apply(&networks()).stdout();
    for (packet, out) in [
        ("--in virbr2 --src 10.3.0.9 --dst 198.51.100.10", "up0"),
        ("--in virbr2 --dst 198.51.100.10", "up0"),
        ("--in virbr2", "up0"),
        ("--src 10.3.0.9 --dst 198.51.100.10", "up0"),
        ("--from quiet --to host/198.51.100.10", "up0"),
        ("--from quiet", "up0"),
        ("--to lab", "virbr1"),
        ("--dst 10.2.0.9", "virbr1"),
        ("--in up0 --dst 10.2.0.9", "virbr1"),
        ("--in virbr0 --src fd00:1::9 --dst 2001:db8:7::1", "up0"),
    ] {
        let told = explained(&palisade, packet);
        assert_eq!(told["packet"]["out_interface"], out, "{packet}");
        assert_eq!(told["route"]["device"], out, "{packet}");
    }
    for taken in [
        "--in virbr2 --src 10.3.0.9 --dst 10.3.0.1",
        "--in virbr2 --src 10.3.0.9 --dst 10.3.0.255",
        "--in virbr2 --src 10.3.0.9 --dst 255.255.255.255 --proto udp",
        "--in virbr2 --src 10.3.0.9 --dst 224.0.0.251 --proto udp",
        "--from quiet --to host",
        "--from quiet --to host/203.0.113.2",
    ] {
        let told = explained(&palisade, taken);
        assert_eq!(
            told["packet"]["out_interface"],
            Value::Null,
            "{taken}: {told}"
        );
        assert_eq!(told["notes"], serde_json::json!([]), "{taken}");
        assert_ne!(told["verdict"], "unroutable", "{taken}");
    }
    let elsewhere = explained(&palisade, "--from default --to world --out virbr1");
    let caveats = elsewhere["caveats"].to_string();
    assert!(caveats.contains("leads through `up0`"), "{caveats}");
    let taken = explained(&palisade, "--from quiet --to host/198.51.100.10");
    let caveats = taken["caveats"].to_string();
    assert!(caveats.contains("no address of the host"), "{caveats}");
}

/// The rules are those that `nft -a` lists, with what they have counted.
fn counters_and_handles_are_the_kernels() {
    let namespace = routing_host();
    let palisade = Palisade::with_layout(&namespace, "flat");
    palisade.apply(&networks()).stdout();
    let listed = namespace
        .answer(
            std::process::Command::new("nft").args(["-a", "list", "ruleset"]),
            "",
        )
        .stdout();
    let told = explained(&palisade, "--from default --to world");
    let path = told["path"].as_array().expect("a path");
    let with_handles = path.iter().filter(|visit| visit["handle"].is_number());
    let mut seen = 0;
    for visit in with_handles {
        let (rule, handle) = (visit["rule"].as_str().expect("a text"), &visit["handle"]);
        // `nft` prints counters, and its own words for what it knows.
        let comment = rule.rsplit_once(" comment ").expect("a comment").1;
        let line = format!("comment {comment} # handle {handle}");
        assert!(listed.contains(&line), "{line}\n{listed}");
        // Bridges that come up send packets of their own.
        assert!(visit["counter"]["packets"].is_u64());
        seen += 1;
    }
    assert!(seen > 5, "{seen}");
}

/// Bridges, addresses and routes are the host's.
fn the_host_fills_in_what_is_not_said() {
    let host = routing_host();
    let palisade = Palisade::new(&host);
    palisade.apply(&networks()).stdout();
    host.ip("addr del 10.1.0.1/24 dev virbr0\naddr add 10.1.0.77/24 dev virbr0");
    let told = explained(&palisade, "--from default --to world");
    assert_eq!(told["packet"]["out_interface"], "up0");
    let notes = told["notes"].to_string();
    assert!(notes.contains("203.0.113.2"), "{notes}");
    let told = explained(&palisade, "--from default --to host");
    assert_eq!(told["packet"]["destination"], "10.1.0.77");
    host.ip("link del virbr1");
    let told = explained(&palisade, "--from lab --to world");
    assert_eq!(told["verdict"], "unroutable");
    assert_eq!(told["no_way"]["kind"], "interface-missing", "{told}");
    assert_eq!(told["no_way"]["interface"], "virbr1");
}

/// What the host sends itself bears the address of the interface that its route leads through; that
/// it has none is told.
fn the_hosts_own_address_is_that_of_its_route() {
    let host = routing_host();
    let palisade = Palisade::new(&host);
    palisade.apply(&networks()).stdout();
    // Whoever has an address of the network's is not taken for its guest.
    host.ip("addr del 10.1.0.1/24 dev virbr0\naddr add 10.1.0.2/24 dev virbr0");
    for (packet, end, guest) in [
        ("--from default --to world", "source", "10.1.0.3"),
        ("--from world --to default", "destination", "10.1.0.4"),
    ] {
        assert_eq!(explained(&palisade, packet)["packet"][end], guest);
    }

    host.ip(
        "addr add 192.0.2.9/24 dev up0\nlink add up1 type bridge\nlink set up1 up\n\
         addr add 100.64.0.7/24 dev up1\nroute add 198.18.0.0/15 dev up1",
    );
    for (to, address, interface) in [
        ("world", "203.0.113.2", "up0"),
        ("world/198.18.0.1", "100.64.0.7", "up1"),
    ] {
        let told = explained(&palisade, &format!("--from host --to {to}"));
        assert_eq!(told["packet"]["source"], address);
        assert_eq!(told["packet"]["out_interface"], interface);
        assert_eq!(told["notes"], serde_json::json!([]));
        let assumed = told["assumptions"].to_string();
        let of_address = format!("from {address}, the host's address on `{interface}`");
        assert!(assumed.contains(&of_address), "{assumed}");
    }
    let back = explained(&palisade, "--from world --to host");
    assert_eq!(back["packet"]["destination"], "203.0.113.2");
    assert_eq!(back["packet"]["in_interface"], "up0");
    host.ip("route add blackhole 198.18.7.0/24");
    let lost = explained(&palisade, "--from host --to world/198.18.7.7");
    assert_eq!(lost["no_way"]["kind"], "blackhole", "{lost}");
}
