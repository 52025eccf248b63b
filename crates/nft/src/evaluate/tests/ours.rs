//! What our layouts make means what the rules say.

use palisade_core::evaluate::examples::networks;

use super::*;

fn programs(layout: Layout) -> Vec<Program> {
    let name = TableName::default();
    let networks = networks();
    let placed: Vec<_> = networks.iter().map(|network| (layout, network)).collect();
    let of = |family| Program::of(&name, family, &placed);
    network::Family::BOTH.into_iter().filter_map(of).collect()
}

const V4: [&str; 9] = [
    "10.0.0.5",
    "10.1.0.5",
    "10.1.0.128",
    "10.2.0.5",
    "10.3.0.5",
    "10.3.0.64",
    "198.51.100.1",
    "224.0.0.9",
    "255.255.255.255",
];
const V6: [&str; 6] = [
    "fd00::5",
    "fd01::5",
    "fd03::5",
    "2001:db8::1",
    "ff02::16",
    "fe80::1",
];

#[test]
fn both_layouts_do_what_the_rules_say() {
    let meaning = Meaning::of(&networks());
    let (flat, mapped) = (programs(Layout::Flat), programs(Layout::Mapped));
    let (flat, mapped) = (ground(&flat), ground(&mapped));
    let (in_order, both) = (
        Ground::of(Reading::InOrder.of(&meaning.as_defined)),
        Ground::of(Reading::BothAgree.of(&meaning.strict)),
    );
    let interfaces = ["", "br0", "br1", "br2", "br3", "eth0", "eth1"];
    for (input, output) in pairs(&interfaces) {
        for (source, destination) in pairs(&V4).chain(pairs(&V6)) {
            for (protocol, flow) in [
                (6, Flow::New),
                (17, Flow::Established),
                (1, Flow::New),
                (6, Flow::Invalid),
            ] {
                let packet = packet((input, output), (source, destination), protocol, flow);
                let expected = in_order.fate(&packet);
                assert_eq!(flat.fate(&packet), expected, "flat: {packet:?}");
                let expected = both.fate(&packet);
                assert_eq!(mapped.fate(&packet), expected, "mapped: {packet:?}");
            }
        }
    }
}

fn pairs<'a>(all: &'a [&'a str]) -> impl Iterator<Item = (&'a str, &'a str)> {
    all.iter()
        .flat_map(move |&a| all.iter().map(move |&b| (a, b)))
}

#[test]
fn the_path_names_networks_and_purposes() {
    for layout in Layout::ALL {
        let programs = programs(layout);
        let outcome = ground(&programs).evaluate(&web());
        assert!(outcome.is_certain());
        assert_eq!(
            outcome.nat_because,
            "nat: guests leave with another address"
        );
        let applied = outcome
            .path
            .iter()
            .filter(|visit| visit.matched == Some(true));
        let told: Vec<String> = applied
            .filter_map(|visit| {
                let purpose = visit.purpose?;
                Some(format!(
                    "{} {}: {purpose}",
                    visit.table.as_ref()?,
                    visit.network.as_ref()?
                ))
            })
            .collect();
        let expected: &[&str] = match layout {
            Layout::Flat => &[
                "ip palisade nat: administrator from guests",
                "ip palisade nat: out",
                "ip palisade nat: nat",
            ],
            // Into the kind, and there.
            Layout::Mapped => &[
                "ip palisade nat: administrator from guests",
                "ip palisade nat: out",
                "ip palisade nat: nat",
                "ip palisade nat: nat",
            ],
        };
        assert_eq!(told, expected);
    }
}

#[test]
fn exceptions_from_nat_are_told() {
    for layout in Layout::ALL {
        let programs = programs(layout);
        let tables = ground(&programs);
        let because = |to| {
            let packet = packet(("", "eth0"), ("10.0.0.1", to), 17, Flow::New);
            let outcome = tables.evaluate(&packet);
            assert_eq!(outcome.fate.nat, Nat::None);
            outcome.nat_because
        };
        assert_eq!(
            because("224.0.0.22"),
            "nat: link-local multicast keeps its source: it is not routed"
        );
        assert_eq!(
            because("255.255.255.255"),
            "nat: broadcasts keep their source: DHCP needs it"
        );
    }
}

#[test]
fn what_stays_on_its_bridge_is_translated_by_flat_alone() {
    let nat_of = |layout, to| {
        let programs = programs(layout);
        let ssdp = packet(("", "br0"), ("10.0.0.5", to), 17, Flow::New);
        let outcome = ground(&programs).evaluate(&ssdp);
        (outcome.fate.nat, outcome.nat_because)
    };
    for to in ["239.255.255.250", "10.9.0.1"] {
        assert!(nat_of(Layout::Flat, to).0.translates());
        let because = "nat: packets that stay on the bridge keep their source".to_owned();
        assert_eq!(nat_of(Layout::Mapped, to), (Nat::None, because));
    }
}

#[test]
fn forged_sources_end_before_all_else_and_those_without_an_address_do_not() {
    let programs = programs(Layout::Mapped);
    let tables = ground(&programs);
    let outcome = |way, ends, ports: Option<(u16, u16)>, reverse_path| {
        let mut packet = packet(way, ends, 17, Flow::Established);
        (packet.source_port, packet.destination_port) = ports.unzip();
        packet.reverse_path = reverse_path;
        tables.evaluate(&packet)
    };
    let verdict = |way, ends, ports| outcome(way, ends, ports, Some(false)).fate.verdict;
    let to_host = ("br2", "");
    let ends = ("198.51.100.7", "10.2.0.1");
    assert_eq!(verdict(to_host, ends, Some((1, 2))), Verdict::Drop);
    assert_eq!(verdict(("br2", "br0"), ends, Some((1, 2))), Verdict::Drop);
    let routed = ("198.51.100.7", "10.1.0.9");
    assert_eq!(
        verdict(("eth0", "br1"), routed, Some((1, 2))),
        Verdict::Accept
    );
    let dhcp = ("0.0.0.0", "255.255.255.255");
    assert_eq!(verdict(to_host, dhcp, Some((68, 67))), Verdict::Accept);
    assert_eq!(verdict(to_host, dhcp, Some((68, 53))), Verdict::Drop);
    assert_eq!(verdict(to_host, ("::", "ff02::1"), None), Verdict::Accept);
    assert_eq!(
        verdict(to_host, ("fd09::1", "ff02::1"), None),
        Verdict::Drop
    );
    let unknown = outcome(to_host, ends, Some((1, 2)), None);
    assert_eq!(unknown.doubts[0].may, [Verdict::Drop]);
    assert_eq!(unknown.doubts[0].kind, DoubtKind::Route);
}

/// `mapped` has them for all: each is of the network that would be translated without it.
#[test]
fn an_exception_for_all_is_of_one_network() {
    let programs = programs(Layout::Mapped);
    let tables = ground(&programs);
    let met = |out, from| {
        let packet = packet(("", out), (from, "224.0.0.22"), 17, Flow::New);
        let outcome = tables.evaluate(&packet);
        let mut path = outcome.path.into_iter();
        let purpose = Some(palisade_core::rules::RuleKind::KeepMulticast);
        let exception = path.find(|visit| visit.purpose == purpose).unwrap();
        assert_eq!(exception.matched, Some(true));
        let network = exception.network.map(|network| network.to_string());
        (network, outcome.nat_because)
    };
    let because = "link-local multicast keeps its source: it is not routed";
    let of = |network: &str| (Some(network.to_owned()), format!("{network}: {because}"));
    assert_eq!(met("eth0", "10.0.0.1"), of("nat"));
    assert_eq!(met("eth1", "10.3.0.1"), of("bound"));
    let nobody = (None, because.to_owned());
    assert_eq!(met("br4", "10.3.0.1"), nobody, "not its device");
    assert_eq!(met("br1", "10.1.0.1"), nobody, "not translated");
}
