use palisade_core::evaluate::{
    Doubt, DoubtKind, Fate, Flow, Ground, Nat, Outcome, Packet, Verdict,
};
use palisade_core::network::{Family, PortRange};

use super::Tables;
use crate::text;

const SAVED: &str = "\
*mangle
:FORWARD ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A FORWARD -d 192.0.2.66/32 -j DROP
-A POSTROUTING -o virbr0 -p udp -m udp --dport 68 -j CHECKSUM --checksum-fill
COMMIT
*nat
:POSTROUTING ACCEPT [0:0]
:PRT - [0:0]
[7:420] -A POSTROUTING -j PRT
-A PRT -s 10.0.0.0/24 -d 224.0.0.0/24 -j RETURN
-A PRT -s 10.0.0.0/24 ! -d 10.0.0.0/24 -p tcp -m comment --comment \"lab: nat tcp\" -j MASQUERADE --to-ports 1024-65535
-A PRT -s 10.0.0.0/24 ! -d 10.0.0.0/24 -j SNAT --to-source 192.0.2.1-192.0.2.9
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:FWI - [0:0]
:FWO - [0:0]
:WAY - [0:0]
-A INPUT -i virbr+ -p udp -m multiport --dports 53,67:68 -j ACCEPT
-A INPUT -i eth0 -m length --length 700 -j ACCEPT
-A INPUT ! -i eth0 -p icmp -j REJECT --reject-with icmp-port-unreachable
-A FORWARD -g WAY
-A FORWARD -j DROP
-A WAY -j FWI
-A WAY -j FWO
-A FWI -d 10.0.0.0/24 -o virbr0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FWI -o virbr0 -j REJECT --reject-with icmp-port-unreachable
-A FWO -s 10.0.0.0/24 -i virbr0 -j RETURN
-A FWO -i virbr0 -j REJECT --reject-with icmp-port-unreachable
COMMIT
";

fn tables(family: Family, saved: &str) -> Ground<'static> {
    Ground::of(Tables::of(family, &text::parse(saved).unwrap()))
}

fn outcome(packet: &Packet) -> Outcome {
    tables(Family::Ipv4, SAVED).evaluate(packet)
}

fn fate(packet: &Packet) -> Fate {
    let outcome = outcome(packet);
    assert!(outcome.is_certain(), "{:?}", outcome.doubts);
    let tables = tables(Family::Ipv4, SAVED);
    assert_eq!(tables.fate(packet), outcome.fate);
    outcome.fate
}

/// `virbr0 > eth0, 10.0.0.5 > 198.51.100.1, tcp 443`, where `-` is no interface.
fn packet(
    interfaces: (&str, &str),
    addresses: (&str, &str),
    protocol: (u8, Option<u16>),
) -> Packet {
    let (source, destination) = addresses;
    let mut packet = Packet::new(
        source.parse().unwrap(),
        destination.parse().unwrap(),
        protocol.0,
    )
    .unwrap();
    packet.in_interface = interfaces.0.parse().ok();
    packet.out_interface = interfaces.1.parse().ok();
    packet.destination_port = protocol.1;
    packet
}

const TCP: (u8, Option<u16>) = (6, Some(443));
const OUT: (&str, &str) = ("virbr0", "eth0");

fn accepted(nat: Nat) -> Fate {
    Fate {
        verdict: Verdict::Accept,
        nat,
    }
}

fn ends(verdict: Verdict) -> Fate {
    Fate {
        verdict,
        nat: Nat::None,
    }
}

#[test]
fn a_guest_leaves_translated() {
    let world = ("10.0.0.5", "198.51.100.1");
    let ports = Some(PortRange::new(1024, 65535).unwrap());
    assert_eq!(
        fate(&packet(OUT, world, TCP)),
        accepted(Nat::Masquerade { ports })
    );
    let udp = fate(&packet(OUT, world, (17, Some(53))));
    assert!(matches!(udp.nat, Nat::Snat { ports: None, .. }), "{udp:?}");
    for kept in ["224.0.0.1", "10.0.0.200"] {
        let kept = fate(&packet(OUT, ("10.0.0.5", kept), TCP));
        assert_eq!(kept, accepted(Nat::None));
    }
}

#[test]
fn nat_asks_about_first_packets_alone() {
    let mut packet = packet(OUT, ("10.0.0.5", "198.51.100.1"), TCP);
    for (flow, nat) in [
        (Flow::Established, Nat::Decided),
        (Flow::Related, Nat::Decided),
        (Flow::Invalid, Nat::None),
    ] {
        packet.flow = flow;
        assert_eq!(fate(&packet), accepted(nat), "{flow:?}");
    }
}

#[test]
fn chains_lead_on_and_back() {
    let to_guest = ("eth0", "virbr0");
    let mut packet = packet(to_guest, ("198.51.100.1", "10.0.0.5"), TCP);
    assert_eq!(fate(&packet), ends(Verdict::Reject));
    packet.flow = Flow::Established;
    assert_eq!(fate(&packet), accepted(Nat::Decided));
}

/// What went to a chain by `-g` comes back to the caller of the one that sent it there: here the
/// policy, past the DROP behind.
#[test]
fn goto_does_not_come_back() {
    let others = packet(("eth0", "eth1"), ("198.51.100.1", "192.0.2.5"), TCP);
    assert_eq!(fate(&others), accepted(Nat::None));
    let spoofed = packet(OUT, ("172.16.0.1", "192.0.2.5"), TCP);
    assert_eq!(fate(&spoofed), ends(Verdict::Reject));
}

/// Before the way is chosen, too.
#[test]
fn what_comes_in_is_asked_first() {
    for table in ["raw", "mangle"] {
        let saved = format!(
            "*{table}\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -d 192.0.2.5/32 -j DROP\nCOMMIT\n"
        );
        let tables = tables(Family::Ipv4, &saved);
        let forwarded = packet(OUT, ("10.0.0.5", "192.0.2.5"), TCP);
        let taken = packet(("virbr0", "-/-"), ("10.0.0.5", "192.0.2.5"), TCP);
        for packet in [forwarded, taken] {
            assert_eq!(tables.fate(&packet), ends(Verdict::Drop), "{table}");
        }
    }
}

#[test]
fn every_table_may_drop() {
    let dropped = packet(OUT, ("10.0.0.5", "192.0.2.66"), TCP);
    assert_eq!(fate(&dropped), ends(Verdict::Drop));
}

#[test]
fn to_the_host() {
    let host = ("10.0.0.5", "10.0.0.1");
    let to_host = |interface, protocol| packet((interface, "-/-"), host, protocol);
    let dns = accepted(Nat::None);
    for (port, expected) in [
        (53, &dns),
        (67, &dns),
        (68, &dns),
        (69, &ends(Verdict::Drop)),
    ] {
        assert_eq!(
            &fate(&to_host("virbr7", (17, Some(port)))),
            expected,
            "{port}"
        );
    }
    assert_eq!(fate(&to_host("virbr0", (1, None))), ends(Verdict::Reject));
    assert_eq!(fate(&to_host("virbr0", TCP)), ends(Verdict::Drop));
}

#[test]
fn what_a_packet_does_not_tell_is_a_doubt() {
    let outcome = outcome(&packet(("eth0", "-/-"), ("192.0.2.7", "10.0.0.1"), TCP));
    assert_eq!(outcome.fate, ends(Verdict::Drop));
    let [doubt] = outcome.doubts.as_slice() else {
        panic!("{:?}", outcome.doubts);
    };
    assert_eq!(doubt.rule, "-i eth0 -m length --length 700 -j ACCEPT");
    assert_eq!(doubt.may, [Verdict::Accept]);
    assert_eq!((&*doubt.table, &*doubt.chain), ("filter", "INPUT"));
}

#[test]
fn a_target_that_is_not_known_is_a_doubt() {
    let saved = "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -p tcp -j ODDITY --with 1\nCOMMIT\n";
    let tables = tables(Family::Ipv4, saved);
    let tcp = packet(OUT, ("10.0.0.5", "192.0.2.66"), TCP);
    let doubts = tables.evaluate(&tcp).doubts;
    assert_eq!(doubts[0].may, [Verdict::Reject, Verdict::Drop]);
    assert_eq!(doubts[0].kind, DoubtKind::Statement);
    let udp = packet(OUT, ("10.0.0.5", "192.0.2.66"), (17, None));
    assert!(tables.evaluate(&udp).is_certain());
}

/// Rules that the programs have no words for, in nft's.
#[test]
fn a_rule_in_words_of_nft_is_a_doubt() {
    let chains = ":FORWARD DROP [0:0]\n:T - [0:0]\n-A T -j ACCEPT\n";
    let tcp = packet(OUT, ("10.0.0.5", "192.0.2.66"), TCP);
    for (rule, may) in [
        ("ip saddr @some counter accept", Verdict::Accept),
        ("ip saddr @some counter jump T", Verdict::Accept),
        ("numgen random mod 2 0 goto T", Verdict::Accept),
    ] {
        let saved = format!("*filter\n{chains}-A FORWARD {rule}\nCOMMIT\n");
        let tables = tables(Family::Ipv4, &saved);
        let outcome = tables.evaluate(&tcp);
        assert_eq!(outcome.fate, ends(Verdict::Drop), "{rule}");
        assert!(outcome.doubts[0].may.contains(&may), "{rule}");
    }
}

#[test]
fn the_path_has_every_rule_that_was_met() {
    let met = outcome(&packet(OUT, ("10.0.0.5", "198.51.100.1"), TCP));
    let shown: Vec<String> = met
        .path
        .iter()
        .map(|visit| format!("{} {}: {}", visit.chain, visit.rule, visit.why))
        .collect();
    let [.., first, kept, last] = shown.as_slice() else {
        panic!("{shown:?}");
    };
    assert_eq!(first, "POSTROUTING -j PRT: on to PRT");
    assert_eq!(
        kept,
        "PRT -s 10.0.0.0/24 -d 224.0.0.0/24 -j RETURN: not -d 224.0.0.0/24"
    );
    assert!(
        last.ends_with("--to-ports 1024-65535: translated"),
        "{last}"
    );
    assert_eq!(met.nat_because, "lab: guests leave with another address");
    let jump = &met.path[met.path.len() - 3];
    assert_eq!(jump.counter.map(|counted| counted.packets), Some(7));
    let masquerade = met.path.last().unwrap();
    assert_eq!(
        masquerade
            .network
            .as_ref()
            .map(palisade_core::network::Name::as_str),
        Some("lab")
    );
}

#[test]
fn no_words_panic() {
    for words in [
        "",
        "!",
        "-s",
        "-j",
        "-g",
        "! -s",
        "-s x -d y",
        "-p 0",
        "-m",
        "--dport 1:",
        "-j SNAT",
        "-j SNAT --to-source :1-2",
        "-j MASQUERADE --to-ports 9-1",
        "-m tcp --tcp-flags SYN SYN",
    ] {
        let saved = format!("*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD {words}\nCOMMIT\n");
        let Ok(saved) = text::parse(&saved) else {
            continue;
        };
        let _ = Ground::of(Tables::of(Family::Ipv4, &saved)).evaluate(&packet(
            OUT,
            ("10.0.0.5", "192.0.2.66"),
            TCP,
        ));
    }
}

/// A jump that leads back to where it came from, which the kernel would not take.
#[test]
fn loops_end() {
    let saved = "*filter\n:FORWARD ACCEPT [0:0]\n:A - [0:0]\n-A FORWARD -j A\n-A A -j A\n-A A -j A\nCOMMIT\n";
    let tables = tables(Family::Ipv4, saved);
    let packet = packet(OUT, ("10.0.0.5", "192.0.2.66"), TCP);
    assert!(!tables.evaluate(&packet).is_certain());
}

/// What ufw has in front of its own rules.
#[test]
fn the_way_tells_the_kind_of_destination() {
    let saved = "*filter\n:INPUT ACCEPT [0:0]\n\
                 -A INPUT -m addrtype --dst-type LOCAL -j RETURN\n\
                 -A INPUT -m addrtype --dst-type BROADCAST -j RETURN\n\
                 -A INPUT -j DROP\nCOMMIT\n";
    let tables = tables(Family::Ipv4, saved);
    let to = |destination| {
        let dns = packet(("virbr0", ""), ("10.0.0.5", destination), (17, Some(53)));
        let outcome = tables.evaluate(&dns);
        outcome.is_certain().then_some(outcome.fate.verdict)
    };
    assert_eq!(to("10.0.0.1"), Some(Verdict::Accept));
    assert_eq!(to("255.255.255.255"), Some(Verdict::Accept));
    assert_eq!(to("224.0.0.251"), Some(Verdict::Drop));
    // Everybody in 10.0.0.0/24, or a host in 10.0.0.0/8.
    assert_eq!(to("10.0.0.255"), None);
}

#[test]
fn no_packet_has_extension_headers() {
    let saved = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m rt --rt-type 0 -j DROP\nCOMMIT\n";
    let tables = tables(Family::Ipv6, saved);
    let outcome = tables.evaluate(&packet(("virbr0", ""), ("fd00::5", "fd00::1"), TCP));
    assert!(outcome.is_certain());
    assert_eq!(outcome.fate.verdict, Verdict::Accept);
}

/// Of IPv6 addresses all kinds must hold, and the host's own are unicast too.
#[test]
fn kinds_of_ipv6_addresses_are_asked_together() {
    let verdict = |kinds: &str| {
        let saved = format!(
            "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m addrtype --dst-type {kinds} -j DROP\nCOMMIT\n"
        );
        let tables = tables(Family::Ipv6, &saved);
        let to_host = packet(("virbr0", ""), ("fd00::5", "fd00::1"), TCP);
        tables.fate(&to_host).verdict
    };
    assert_eq!(verdict("UNICAST"), Verdict::Drop);
    assert_eq!(verdict("LOCAL,UNICAST"), Verdict::Drop);
    assert_eq!(verdict("LOCAL,MULTICAST"), Verdict::Accept);
}

/// Before a packet's way is chosen no rule knows through which interface it leaves, and before
/// conntrack none knows its flow.
#[test]
fn rules_know_what_is_known_at_their_place() {
    let verdict = |table: &str, asks: &str| {
        let saved = format!(
            "*{table}\n:PREROUTING ACCEPT [0:0]\n:user - [0:0]\n-A PREROUTING -j user\n\
             -A user {asks} -j DROP\nCOMMIT\n"
        );
        let tables = tables(Family::Ipv4, &saved);
        tables
            .fate(&packet(OUT, ("10.0.0.5", "192.0.2.5"), TCP))
            .verdict
    };
    assert_eq!(verdict("mangle", "-o eth0"), Verdict::Accept);
    assert_eq!(verdict("mangle", "! -o eth0"), Verdict::Drop);
    let new = "-m conntrack --ctstate NEW";
    assert_eq!(verdict("mangle", new), Verdict::Drop);
    assert_eq!(verdict("raw", new), Verdict::Accept);
    let invalid = "-m conntrack --ctstate INVALID";
    assert_eq!(verdict("raw", invalid), Verdict::Drop);
}

/// What conntrack does not look at has no flow and is not translated.
#[test]
fn conntrack_may_be_kept_away() {
    let with = |asks: &str| {
        let saved = format!(
            "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING {asks} -j CT --notrack\nCOMMIT\n{SAVED}"
        );
        tables(Family::Ipv4, &saved)
    };
    let leaving = packet(OUT, ("10.0.0.5", "198.51.100.1"), TCP);
    let outcome = with("-s 10.0.0.0/24").evaluate(&leaving);
    assert_eq!(outcome.fate, accepted(Nat::None));
    assert!(
        outcome.nat_because.starts_with("conntrack"),
        "{}",
        outcome.nat_because
    );
    let outcome = with("-m length --length 700").evaluate(&leaving);
    assert!(matches!(outcome.fate.nat, Nat::Masquerade { .. }));
    assert_eq!(outcome.doubts[0].kind, DoubtKind::Untracked);
    assert!(outcome.doubts[0].may_translate);
}

/// As the kernel says it, whichever of them was told.
#[test]
fn packets_without_a_flow_are_known_by_that() {
    let saved = "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -s 10.0.0.0/24 -j CT --notrack\nCOMMIT\n\
                 *filter\n:FORWARD ACCEPT [0:0]\n\
                 -A FORWARD -m conntrack --ctstate UNTRACKED -j DROP\nCOMMIT\n";
    let tables = tables(Family::Ipv4, saved);
    let from = |source| {
        let outcome = tables.evaluate(&packet(OUT, (source, "198.51.100.1"), TCP));
        outcome.is_certain().then_some(outcome.fate.verdict)
    };
    assert_eq!(from("10.0.0.5"), Some(Verdict::Drop));
    assert_eq!(from("10.0.1.5"), Some(Verdict::Accept));
}

/// Where a rule asks the host's routes, nobody has to look for that in its words.
#[test]
fn doubts_have_a_kind() {
    let kind = |asks: &str| {
        let saved =
            format!("*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING {asks} -j DROP\nCOMMIT\n");
        let packet = packet(OUT, ("10.0.0.5", "198.51.100.1"), TCP);
        tables(Family::Ipv4, &saved).evaluate(&packet).doubts[0].kind
    };
    assert_eq!(kind("-m rpfilter --invert"), DoubtKind::Route);
    assert_eq!(kind("-m length --length 700"), DoubtKind::Match);
}

/// What comes in may be sent elsewhere, by others: what becomes of it behind that is another question.
#[test]
fn another_destination_is_a_doubt() {
    let saved = "*nat\n:PREROUTING ACCEPT [0:0]\n\
                 -A PREROUTING -i eth0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5:8080\n\
                 -A PREROUTING -i eth1 -m length --length 700 -j REDIRECT --to-ports 3128\nCOMMIT\n\
                 *filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -d 10.0.0.0/24 -j ACCEPT\n\
                 -A FORWARD -s 192.0.2.7/32 -j DROP\nCOMMIT\n";
    let tables = tables(Family::Ipv4, saved);
    let from = |interface, port| {
        packet(
            (interface, "virbr0"),
            ("192.0.2.7", "10.0.0.1"),
            (6, Some(port)),
        )
    };
    let rules = |packet: &Packet| -> Vec<String> {
        let doubts = tables.evaluate(packet).doubts;
        let place = |doubt: Doubt| format!("{} {}", doubt.table, doubt.chain);
        doubts.into_iter().map(place).collect()
    };
    assert_eq!(rules(&from("eth0", 80)), ["nat PREROUTING"]);
    assert_eq!(rules(&from("eth0", 81)), [""; 0]);
    assert_eq!(rules(&from("eth1", 81)), ["nat PREROUTING"]);
    let mut known = from("eth0", 80);
    known.flow = Flow::Established;
    assert_eq!(rules(&known), [""; 0], "the first packet decided");
}
