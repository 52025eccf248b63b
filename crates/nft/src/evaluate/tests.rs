use std::net::IpAddr;

use palisade_core::Network;
use palisade_core::evaluate::{
    self as core, Fate, Flow, Meaning, Nat, Outcome, Packet, Reading, Verdict,
};
use palisade_core::network::{self, Description, Forward, PortRange};

use super::{Tables, evaluate, fate};
use crate::layout::{Layout, TableName};
use crate::object::{
    BaseChain, Chain, Comparison, Element, Expression, Family, Hook, Policy, Range, Register, Rule,
    Set, Table, Userdata, Value, Verdict as Says,
};
use crate::object::{DataType, Lookup, LookupTarget, MetaKey, Payload, PayloadBase, SetData};
use crate::program::{FilledChain, FilledSet, Program};
use crate::statement::{
    Direction, End, Field, Match, Origin, Statement, Test, address, expressions, interface,
    known_flow,
};

fn packet(way: (&str, &str), ends: (&str, &str), protocol: u8, flow: Flow) -> Packet {
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    let mut packet = Packet::new(address(ends.0), address(ends.1), protocol).unwrap();
    packet.in_interface = way.0.parse().ok();
    packet.out_interface = way.1.parse().ok();
    packet.flow = flow;
    packet
}

/// From a guest to a web server in the world.
fn web() -> Packet {
    let mut packet = packet(("br0", "eth0"), ("10.0.0.5", "198.51.100.1"), 6, Flow::New);
    packet.source_port = Some(40000);
    packet.destination_port = Some(80);
    packet
}

mod ours {
    //! What our layouts make means what the rules say.

    use super::*;

    fn network(name: &str, bridge: &str, forward: Forward, subnets: &[&str]) -> Network {
        Network::new(Description {
            name: name.parse().unwrap(),
            bridge: Some(bridge.parse().unwrap()),
            zone: None,
            forward,
            subnets: subnets
                .iter()
                .map(|subnet| subnet.parse().unwrap())
                .collect(),
            ipv6: false,
            dhcp: true,
            tftp: false,
        })
        .unwrap()
    }

    fn networks() -> Vec<Network> {
        let addresses =
            network::AddressRange::new([203, 0, 113, 7].into(), [203, 0, 113, 9].into());
        let natted = |device: Option<&str>, ipv6, addresses| {
            Forward::Nat(network::Nat {
                device: device.map(|device| device.parse().unwrap()),
                ipv6,
                addresses,
                ports: PortRange::default(),
            })
        };
        vec![
            network(
                "nat",
                "br0",
                natted(None, true, None),
                &["10.0.0.1/24", "fd00::1/64"],
            ),
            network(
                "routed",
                "br1",
                Forward::Route { device: None },
                &["10.1.0.1/25", "fd01::1/64"],
            ),
            network("quiet", "br2", Forward::Isolated, &["10.2.0.1/24"]),
            network(
                "bound",
                "br3",
                natted(Some("eth1"), false, addresses.ok()),
                &["10.3.0.1/26", "fd03::1/64"],
            ),
        ]
    }

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
        let (flat, mapped) = (Tables::of(&flat), Tables::of(&mapped));
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
                    let in_order = core::fate(&meaning.as_defined, &packet, Reading::InOrder);
                    assert_eq!(fate(&flat, &packet), in_order, "flat: {packet:?}");
                    let agree = core::fate(&meaning.every_bridge, &packet, Reading::BothAgree);
                    assert_eq!(fate(&mapped, &packet), agree, "mapped: {packet:?}");
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
            let outcome = evaluate(&Tables::of(&programs), &web());
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
                Layout::Flat => &["ip palisade nat: out", "ip palisade nat: nat"],
                // Into the kind, and there.
                Layout::Mapped => &[
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
            let tables = Tables::of(&programs);
            let because = |to| {
                let packet = packet(("", "br0"), ("10.0.0.1", to), 17, Flow::New);
                let outcome = evaluate(&tables, &packet);
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

    /// `mapped` has them for all: each is of the network that would be translated without it.
    #[test]
    fn an_exception_for_all_is_of_one_network() {
        let programs = programs(Layout::Mapped);
        let tables = Tables::of(&programs);
        let met = |out, from| {
            let packet = packet(("", out), (from, "224.0.0.22"), 17, Flow::New);
            let outcome = evaluate(&tables, &packet);
            let mut path = outcome.path.into_iter();
            let purpose = Some(palisade_core::rules::Purpose::KeepMulticast);
            let exception = path.find(|visit| visit.purpose == purpose).unwrap();
            assert_eq!(exception.matched, Some(true));
            let network = exception.network.map(|network| network.to_string());
            (network, outcome.nat_because)
        };
        let because = "link-local multicast keeps its source: it is not routed";
        let of = |network: &str| (Some(network.to_owned()), format!("{network}: {because}"));
        assert_eq!(met("br0", "10.0.0.1"), of("nat"));
        assert_eq!(met("eth1", "10.3.0.1"), of("bound"));
        let nobody = (None, because.to_owned());
        assert_eq!(met("br3", "10.3.0.1"), nobody, "not its device");
        assert_eq!(met("br1", "10.1.0.1"), nobody, "not translated");
    }
}

fn rule(chain: &str, expressions: Vec<Expression>) -> Rule {
    Rule {
        family: Family::Inet,
        table: "host".to_owned(),
        chain: chain.to_owned(),
        expressions,
        userdata: Userdata::default(),
        handle: None,
        position: None,
        extra: Vec::new(),
    }
}

fn chain(
    name: &str,
    base: Option<(Hook, i32, Policy)>,
    rules: Vec<Vec<Expression>>,
) -> FilledChain {
    let base = base.map(|(hook, priority, policy)| BaseChain {
        kind: "filter".to_owned(),
        hook,
        priority,
        policy,
        hook_extra: Vec::new(),
    });
    FilledChain {
        chain: Chain {
            family: Family::Inet,
            table: "host".to_owned(),
            name: name.to_owned(),
            base,
            flags: 0,
            userdata: Userdata::default(),
            handle: None,
            extra: Vec::new(),
        },
        rules: rules
            .into_iter()
            .map(|expressions| rule(name, expressions))
            .collect(),
    }
}

/// A base chain at the forward hook.
fn forward(policy: Policy, rules: Vec<Vec<Expression>>) -> FilledChain {
    chain("forward", Some((Hook::FORWARD, 0, policy)), rules)
}

fn host(chains: Vec<FilledChain>, sets: Vec<FilledSet>) -> Program {
    Program {
        table: Table {
            family: Family::Inet,
            name: "host".to_owned(),
            flags: 0,
            userdata: Userdata::default(),
            handle: None,
            extra: Vec::new(),
        },
        sets,
        chains,
    }
}

fn set(flags: u32, key_len: u32, elements: Vec<Element>) -> FilledSet {
    FilledSet {
        set: Set {
            family: Family::Inet,
            table: "host".to_owned(),
            name: "s".to_owned(),
            id: None,
            flags,
            key_type: DataType::default(),
            key_len,
            data: None,
            expressions: Vec::new(),
            userdata: Userdata::default(),
            handle: None,
            extra: Vec::new(),
        },
        elements,
    }
}

fn says(verdict: Says) -> Expression {
    Expression::Verdict(verdict)
}

fn entering(name: &str) -> Expressions {
    Expressions(expressions(&[interface(
        Direction::In,
        &name.parse().unwrap(),
    )]))
}

/// Expressions, to be followed by others.
struct Expressions(Vec<Expression>);

impl Expressions {
    fn then(mut self, expression: Expression) -> Vec<Expression> {
        self.0.push(expression);
        self.0
    }
}

/// `meta mark 1`: nothing that is known of a packet.
fn marked() -> Expressions {
    let origin = Origin::Meta(MetaKey(3));
    Expressions(expressions(&[Statement::Match(Match {
        fields: vec![Field { origin, mask: None }],
        test: Test::Compare(Comparison::Equal, vec![1, 0, 0, 0]),
    })]))
}

fn of(program: &Program) -> Outcome {
    evaluate(&Tables::of([program]), &web())
}

fn verdict(program: &Program) -> Verdict {
    of(program).fate.verdict
}

/// `th dport` in register 1.
fn port() -> Expression {
    Expression::Payload(Payload {
        base: PayloadBase::TRANSPORT,
        offset: 2,
        len: 2,
        destination: Register::FIRST,
    })
}

fn look_up(target: LookupTarget, inverted: bool) -> Expression {
    Expression::Lookup(Lookup {
        set: "s".to_owned(),
        set_id: None,
        source: Register::FIRST,
        target,
        inverted,
    })
}

#[test]
fn a_policy_is_the_end_of_a_base_chain() {
    assert_eq!(
        verdict(&host(vec![forward(Policy::ACCEPT, vec![])], vec![])),
        Verdict::Accept
    );
    let dropping = host(vec![forward(Policy::DROP, vec![])], vec![]);
    assert_eq!(verdict(&dropping), Verdict::Drop);
    assert_eq!(of(&dropping).path.last().unwrap().rule, "policy drop");
    let mut dormant = dropping.clone();
    dormant.table.flags = 1;
    assert_eq!(verdict(&dormant), Verdict::Accept);
    let mut bridged = dropping;
    bridged.chains[0].chain.family = Family::Bridge;
    assert_eq!(verdict(&bridged), Verdict::Accept);
}

#[test]
fn an_accept_ends_its_base_chain_a_drop_ends_all() {
    let accepting = || {
        chain(
            "early",
            Some((Hook::FORWARD, -5, Policy::DROP)),
            vec![vec![says(Says::Accept)]],
        )
    };
    let program = host(vec![forward(Policy::DROP, vec![]), accepting()], vec![]);
    let outcome = of(&program);
    assert_eq!(outcome.fate.verdict, Verdict::Drop);
    let chains: Vec<_> = outcome
        .path
        .iter()
        .map(|visit| visit.chain.as_str())
        .collect();
    assert_eq!(chains, ["early", "forward"]);
    let late = chain(
        "late",
        Some((Hook::POSTROUTING, 0, Policy::ACCEPT)),
        vec![vec![says(Says::Drop)]],
    );
    assert_eq!(
        verdict(&host(vec![late, accepting()], vec![])),
        Verdict::Drop
    );
}

#[test]
fn jumps_come_back_and_gotos_do_not() {
    let calls = |call: Says, sub: Vec<Vec<Expression>>| {
        let base = forward(
            Policy::DROP,
            vec![vec![says(call)], vec![says(Says::Accept)]],
        );
        verdict(&host(vec![base, chain("sub", None, sub)], vec![]))
    };
    let jump = || Says::Jump("sub".to_owned());
    let goto = || Says::Goto("sub".to_owned());
    assert_eq!(calls(jump(), vec![]), Verdict::Accept);
    assert_eq!(calls(goto(), vec![]), Verdict::Drop);
    let returns = || vec![vec![says(Says::Return)], vec![says(Says::Drop)]];
    assert_eq!(calls(jump(), returns()), Verdict::Accept);
    assert_eq!(calls(goto(), returns()), Verdict::Drop);
    // Around and around: no kernel takes it, and nothing hangs here.
    assert_eq!(calls(jump(), vec![vec![says(jump())]]), Verdict::Accept);
}

#[test]
fn what_is_not_known_is_told_and_not_guessed() {
    let marked_drop = || marked().then(says(Says::Drop));
    let outcome = of(&host(
        vec![forward(Policy::ACCEPT, vec![marked_drop()])],
        vec![],
    ));
    assert_eq!(outcome.fate.verdict, Verdict::Accept);
    let [doubt] = outcome.doubts.as_slice() else {
        panic!("{:?}", outcome.doubts);
    };
    assert_eq!(
        (doubt.table.as_str(), doubt.chain.as_str()),
        ("inet host", "forward")
    );
    assert_eq!(doubt.may, [Verdict::Drop]);
    assert_eq!(outcome.path[0].matched, None);

    // Where it comes to the same, nothing is in doubt.
    let rules = vec![marked_drop(), vec![says(Says::Drop)]];
    let outcome = of(&host(vec![forward(Policy::ACCEPT, rules)], vec![]));
    assert_eq!(
        (outcome.fate.verdict, outcome.is_certain()),
        (Verdict::Drop, true)
    );

    // What is known not to hold leaves no doubt about the rest of the rule.
    let mut other = entering("br9").0;
    other.extend(marked_drop());
    assert!(of(&host(vec![forward(Policy::ACCEPT, vec![other])], vec![])).is_certain());
}

#[test]
fn doubts_follow_jumps_and_returns() {
    let jump = || marked().then(says(Says::Jump("sub".to_owned())));
    let may = |rules, sub| {
        let outcome = of(&host(
            vec![forward(Policy::ACCEPT, rules), chain("sub", None, sub)],
            vec![],
        ));
        let doubts = outcome.doubts.iter().map(|doubt| doubt.may.clone());
        (outcome.fate.verdict, doubts.collect::<Vec<_>>())
    };
    let drop = || vec![says(Says::Drop)];
    use Verdict::{Accept, Drop};
    assert_eq!(may(vec![jump()], vec![drop()]), (Accept, vec![vec![Drop]]));
    assert_eq!(may(vec![jump()], vec![]), (Accept, vec![]));
    assert_eq!(
        may(vec![jump(), drop()], vec![vec![says(Says::Accept)]]),
        (Drop, vec![vec![Accept]])
    );
    // A return that may pass a drop by.
    let back = || marked().then(says(Says::Return));
    assert_eq!(
        may(vec![back(), drop()], vec![]),
        (Drop, vec![vec![Accept]])
    );
    let in_sub = vec![vec![says(Says::Jump("sub".to_owned()))]];
    assert_eq!(
        may(in_sub, vec![back(), drop()]),
        (Drop, vec![vec![Accept]])
    );
    let goto = marked().then(says(Says::Goto("sub".to_owned())));
    assert_eq!(may(vec![goto, drop()], vec![]), (Drop, vec![vec![Accept]]));
}

#[test]
fn unknown_expressions_may_do_what_they_want() {
    let unknown = |name: &str| Expression::Unknown {
        name: name.to_owned(),
        data: Vec::new(),
    };
    let with = |name: &str| {
        of(&host(
            vec![forward(
                Policy::ACCEPT,
                vec![vec![unknown(name), says(Says::Drop)]],
            )],
            vec![],
        ))
    };
    assert_eq!(with("log").fate.verdict, Verdict::Drop);
    let limited = with("limit");
    assert_eq!(limited.fate.verdict, Verdict::Accept);
    assert_eq!(limited.doubts[0].why, "what `limit` asks is not known here");
    let queued = with("queue");
    assert_eq!(queued.fate.verdict, Verdict::Accept);
    assert_eq!(queued.doubts[0].may, [Verdict::Reject, Verdict::Drop]);
}

#[test]
fn ranges_and_inverted_ones() {
    let range = |inverted, first: u16, last: u16| {
        let range = Expression::Range(Range {
            source: Register::FIRST,
            inverted,
            first: first.to_be_bytes().to_vec(),
            last: last.to_be_bytes().to_vec(),
        });
        let rule = vec![port(), range, says(Says::Drop)];
        verdict(&host(vec![forward(Policy::ACCEPT, vec![rule])], vec![]))
    };
    assert_eq!(range(false, 80, 80), Verdict::Drop);
    assert_eq!(range(false, 81, 90), Verdict::Accept);
    assert_eq!(range(true, 80, 90), Verdict::Accept);
    assert_eq!(range(true, 1, 79), Verdict::Drop);
}

#[test]
fn intervals_end_before_their_end() {
    let element = |key: u16, flags| Element {
        flags,
        ..Element::of_key(key.to_be_bytes().to_vec())
    };
    let with = |elements: Vec<Element>| {
        let rule = vec![port(), look_up(LookupTarget::None, false), says(Says::Drop)];
        verdict(&host(
            vec![forward(Policy::ACCEPT, vec![rule])],
            vec![set(4, 2, elements)],
        ))
    };
    assert_eq!(
        with(vec![element(81, 1), element(80, 0), element(0, 1)]),
        Verdict::Drop
    );
    assert_eq!(
        with(vec![element(80, 1), element(22, 0), element(0, 1)]),
        Verdict::Accept
    );
    // One ends where the next begins.
    assert_eq!(
        with(vec![element(80, 1), element(80, 0), element(22, 0)]),
        Verdict::Drop
    );
    // Without an end it goes on for ever.
    assert_eq!(with(vec![element(22, 0)]), Verdict::Drop);
    assert_eq!(with(vec![element(0, 2)]), Verdict::Drop);
}

#[test]
fn concatenated_intervals() {
    // `ip saddr . th dport`.
    let address = Expression::Payload(Payload {
        base: PayloadBase::NETWORK,
        offset: 12,
        len: 4,
        destination: Register::FIRST,
    });
    let port = Expression::Payload(Payload {
        base: PayloadBase::TRANSPORT,
        offset: 2,
        len: 2,
        destination: Register::at_word(1).unwrap(),
    });
    let with = |last: [u8; 8]| {
        let element = Element {
            key_end: last.to_vec(),
            ..Element::of_key(vec![10, 0, 0, 0, 0, 80, 0, 0])
        };
        let mut set = set(4 | 0x80, 8, vec![element]);
        set.set.key_type = DataType::concatenation(&[DataType::IPV4_ADDR, DataType::INET_SERVICE]);
        let rule = vec![
            address.clone(),
            port.clone(),
            look_up(LookupTarget::None, false),
            says(Says::Drop),
        ];
        verdict(&host(vec![forward(Policy::ACCEPT, vec![rule])], vec![set]))
    };
    assert_eq!(with([10, 0, 0, 255, 0, 80, 0, 0]), Verdict::Drop);
    assert_eq!(with([10, 0, 0, 4, 0, 90, 0, 0]), Verdict::Accept);
}

#[test]
fn maps_of_verdicts_and_inverted_sets() {
    let element = |key: u16, says: Option<Says>| Element {
        value: says.map(Value::Verdict),
        ..Element::of_key(key.to_be_bytes().to_vec())
    };
    let with = |key, target, inverted, says| {
        let mut rule = vec![port(), look_up(target, inverted)];
        if target == LookupTarget::None {
            rule.push(Expression::Verdict(Says::Drop));
        }
        let mut set = set(0, 2, vec![element(key, says)]);
        set.set.data = Some(SetData {
            data_type: DataType::VERDICT,
            len: 0,
        });
        verdict(&host(vec![forward(Policy::ACCEPT, vec![rule])], vec![set]))
    };
    let map = LookupTarget::Verdict;
    assert_eq!(with(80, map, false, Some(Says::Drop)), Verdict::Drop);
    assert_eq!(with(81, map, false, Some(Says::Drop)), Verdict::Accept);
    assert_eq!(with(80, LookupTarget::None, true, None), Verdict::Accept);
    assert_eq!(with(81, LookupTarget::None, true, None), Verdict::Drop);
}

#[test]
fn a_set_that_packets_fill_leaves_a_doubt() {
    let rule = vec![port(), look_up(LookupTarget::None, false), says(Says::Drop)];
    let outcome = of(&host(
        vec![forward(Policy::ACCEPT, vec![rule])],
        vec![set(0x20, 2, vec![])],
    ));
    assert_eq!(
        (outcome.fate.verdict, outcome.doubts.len()),
        (Verdict::Accept, 1)
    );
}

#[test]
fn conntrack_comes_before_most_chains() {
    let known = || {
        let mut rule = expressions(&[known_flow()]);
        rule.push(says(Says::Drop));
        vec![rule]
    };
    let at = |priority, flow| {
        let base = chain(
            "early",
            Some((Hook::PREROUTING, priority, Policy::ACCEPT)),
            known(),
        );
        let program = host(vec![base], vec![]);
        let packet = packet(("br0", "eth0"), ("10.0.0.5", "198.51.100.1"), 6, flow);
        fate(&Tables::of([&program]), &packet).verdict
    };
    assert_eq!(at(-150, Flow::Established), Verdict::Drop);
    assert_eq!(at(-150, Flow::New), Verdict::Accept);
    assert_eq!(at(-300, Flow::Established), Verdict::Accept);
}

#[test]
fn interfaces_by_number_are_known_if_told() {
    let origin = Origin::Meta(MetaKey::IIF);
    let mut rule = expressions(&[Statement::Match(Match {
        fields: vec![Field { origin, mask: None }],
        test: Test::Compare(Comparison::Equal, 7_u32.to_ne_bytes().to_vec()),
    })]);
    rule.push(says(Says::Drop));
    let program = host(vec![forward(Policy::ACCEPT, vec![rule])], vec![]);
    assert!(!of(&program).is_certain());
    let tables = Tables::of([&program]).with_interfaces([("br0".to_owned(), 7)]);
    let outcome = evaluate(&tables, &web());
    assert_eq!(
        (outcome.fate.verdict, outcome.is_certain()),
        (Verdict::Drop, true)
    );
}

#[test]
fn a_header_of_another_family_is_bytes_like_any() {
    // `ip saddr 10.0.0.0/24` in a chain that sees both, without asking for the family.
    let source = address(
        End::Source,
        Comparison::Equal,
        "10.0.0.0/24".parse().unwrap(),
    );
    let mut rule = expressions(&[source]);
    rule.push(says(Says::Drop));
    let program = host(vec![forward(Policy::ACCEPT, vec![rule])], vec![]);
    assert_eq!(verdict(&program), Verdict::Drop);
    let v6 = packet(("br0", "eth0"), ("fd00::5", "2001:db8::1"), 6, Flow::New);
    let fate = fate(&Tables::of([&program]), &v6);
    let accepted = Fate {
        verdict: Verdict::Accept,
        nat: Nat::None,
    };
    assert_eq!(fate, accepted);
}
