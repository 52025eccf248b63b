//! Networks of every kind, and packets between all that they can tell apart.

use super::examples::{addresses, networks, packet};
use super::{Difference, Fate, Flow, Ground, Meaning, Nat, Packet, Reading, Verdict};
use crate::network::PortRange;
use crate::rules::{Guard, RuleKind, Ruleset};

fn masquerade(ports: Option<PortRange>) -> Nat {
    Nat::Masquerade { ports }
}

fn accepted(nat: Nat) -> Fate {
    let verdict = Verdict::Accept;
    Fate { verdict, nat }
}

const REFUSED: Fate = Fate {
    verdict: Verdict::Reject,
    nat: Nat::None,
};

fn flat(packet: &Packet) -> Fate {
    let ruleset = Ruleset::of(&networks(), Guard::Libvirt);
    Ground::of(Reading::InOrder.of(&ruleset)).fate(packet)
}

#[test]
fn what_libvirts_rules_say() {
    let world = "198.51.100.1";
    let out =
        |source, protocol, flow| flat(&packet(("br0", "eth0"), (source, world), protocol, flow));
    assert_eq!(
        out("10.0.0.5", 6, Flow::New),
        accepted(masquerade(Some(PortRange::default())))
    );
    assert_eq!(out("10.0.0.5", 1, Flow::New), accepted(masquerade(None)));
    assert_eq!(
        out("10.0.0.5", 6, Flow::Established),
        accepted(Nat::Decided)
    );
    assert_eq!(out("10.0.0.5", 6, Flow::Invalid), accepted(Nat::None));
    assert_eq!(out("10.9.0.5", 6, Flow::New), REFUSED);

    let back = |flow| flat(&packet(("eth0", "br0"), (world, "10.0.0.5"), 6, flow));
    assert_eq!(back(Flow::New), REFUSED);
    assert_eq!(back(Flow::Related), accepted(Nat::Decided));

    let routed = flat(&packet(
        ("eth0", "br1"),
        (world, "10.1.0.127"),
        6,
        Flow::New,
    ));
    assert_eq!(routed, accepted(Nat::None));
    let beside = flat(&packet(
        ("eth0", "br1"),
        (world, "10.1.0.128"),
        6,
        Flow::New,
    ));
    assert_eq!(beside, REFUSED);

    let bound = |out| flat(&packet(("br3", out), ("10.3.0.5", world), 17, Flow::New));
    assert_eq!(bound("eth0"), REFUSED);
    let snat = Nat::Snat {
        addresses: addresses(),
        ports: Some(PortRange::default()),
    };
    assert_eq!(bound("eth1"), accepted(snat));
}

#[test]
fn exceptions_from_nat_are_told() {
    let ruleset = Ruleset::of(&networks(), Guard::Libvirt);
    let rules = Ground::of(Reading::InOrder.of(&ruleset));
    let told = |to| {
        let packet = packet(("", "br0"), ("10.0.0.1", to), 17, Flow::New);
        let outcome = rules.evaluate(&packet);
        assert_eq!(outcome.fate, accepted(Nat::None));
        let last = outcome
            .path
            .into_iter()
            .rfind(|visit| visit.matched == Some(true));
        (last.and_then(|visit| visit.purpose), outcome.nat_because)
    };
    let (purpose, because) = told("224.0.0.22");
    assert_eq!(purpose, Some(RuleKind::KeepMulticast));
    assert_eq!(
        because,
        "nat: link-local multicast keeps its source: it is not routed"
    );
    assert_eq!(told("255.255.255.255").0, Some(RuleKind::KeepBroadcast));
    assert_eq!(told("10.0.0.9").1, "no rule translates it");
}

#[test]
fn the_host_and_its_guests() {
    let ruleset = Ruleset::of(&networks(), Guard::Libvirt);
    let rules = Ground::of(Reading::InOrder.of(&ruleset));
    let mut asks = packet(("br0", ""), ("10.0.0.5", "10.0.0.1"), 17, Flow::New);
    asks.destination_port = Some(53);
    let outcome = rules.evaluate(&asks);
    assert_eq!(outcome.fate, accepted(Nat::None));
    assert_eq!(outcome.path.last().unwrap().purpose, Some(RuleKind::Dns));

    let mut offer = packet(("", "br0"), ("10.0.0.1", "255.255.255.255"), 17, Flow::New);
    offer.destination_port = Some(68);
    let outcome = rules.evaluate(&offer);
    let applied = outcome
        .path
        .iter()
        .filter(|visit| visit.matched == Some(true));
    let purposes: Vec<_> = applied.map(|visit| visit.purpose.unwrap()).collect();
    assert_eq!(
        purposes,
        [
            RuleKind::DhcpReply,
            RuleKind::Checksum,
            RuleKind::KeepBroadcast
        ]
    );
}

/// Every packet between these ends: the fates differ exactly where a difference says so.
#[test]
fn differences_are_exactly_where_they_are_meant() {
    const INTERFACES: [&str; 7] = ["br0", "br1", "br2", "br3", "br4", "eth0", "eth1"];
    const V4: [&str; 7] = [
        "10.0.0.5",
        "10.1.0.5",
        "10.1.0.128",
        "10.2.0.5",
        "10.3.0.5",
        "10.4.0.2",
        "198.51.100.1",
    ];
    const V6: [&str; 5] = ["fd00::5", "fd01::5", "fd03::5", "2001:db8::1", "ff02::16"];
    let networks = networks();
    let meaning = Meaning::of(&networks);
    let (in_order, both) = (
        Ground::of(Reading::InOrder.of(&meaning.as_defined)),
        Ground::of(Reading::BothAgree.of(&meaning.strict)),
    );
    let mut seen = [0; Difference::ALL.len()];
    for (input, output) in pairs(&INTERFACES) {
        for (source, destination) in pairs(&V4).chain(pairs(&V6)) {
            let flows = Flow::ALL.into_iter().chain([Flow::Untracked]);
            for (flow, path) in flows.flat_map(|flow| [true, false].map(|path| (flow, path))) {
                let mut packet = packet((input, output), (source, destination), 17, flow);
                packet.reverse_path = Some(path);
                let flat = in_order.fate(&packet);
                let mapped = both.fate(&packet);
                let between = Difference::between(&meaning, &packet, &flat, &mapped);
                assert_eq!(flat != mapped, between.is_some(), "{packet:?}");
                if let Some(difference) = between {
                    seen[difference as usize] += 1;
                }
            }
        }
    }
    assert!(seen.iter().all(|&count| count > 5), "{seen:?}");
}

fn pairs<'a>(all: &'a [&'a str]) -> impl Iterator<Item = (&'a str, &'a str)> {
    all.iter()
        .flat_map(move |&a| all.iter().map(move |&b| (a, b)))
}
