//! Real packets through a host with six networks, in both layouts, and once without any rules: what
//! the rules stop must arrive there, or the lab would show nothing.

mod isolation;
mod local;
mod matrix;
mod nat;
mod route;
mod topology;

use std::process::ExitCode;
use std::sync::{Arc, LazyLock};
use std::thread::{self, ScopedJoinHandle};

use palisade_tests::Trials;
use palisade_tests::probe::{Outcome, Protocol, ask};

use topology::{Ends, Topology};

/// Which rules the packets meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rules {
    None,
    Flat,
    Mapped,
}

/// The topology, with its rules.
struct Lab {
    topology: Topology,
    rules: Rules,
}

type Test = fn(&Lab);

fn main() -> ExitCode {
    let [none, flat, mapped] = [Rules::None, Rules::Flat, Rules::Mapped].map(|rules| {
        // Built by the first test that can run, ended with the last.
        let lab = LazyLock::new(move || Lab::build(rules));
        (rules, Arc::new(lab))
    });
    let mut trials = Trials::new();
    for (rules, lab) in [&none, &flat, &mapped] {
        for (name, test) in tests(*rules) {
            let lab = Arc::clone(lab);
            trials = trials.with(format!("{rules:?}: {name}"), move || test(&lab));
        }
    }
    let (flat, mapped) = (flat.1, mapped.1);
    trials = trials.with("everybody to everybody: the layouts agree", move || {
        matrix::layouts_agree(&flat, &mapped);
    });
    drop(none);
    // They mostly wait.
    palisade_tests::run_side_by_side(trials, 8)
}

fn tests(rules: Rules) -> Vec<(&'static str, Test)> {
    if rules == Rules::None {
        return vec![
            ("every packet arrives as it was sent", route::all_is_open),
            (
                "what a made-up source sends arrives",
                isolation::lies_arrive,
            ),
        ];
    }
    vec![
        ("nat hides guests behind the host", nat::hides_guests),
        (
            "nat keeps to ports from 1024 on",
            nat::keeps_to_unprivileged_ports,
        ),
        ("nat refuses who was not asked", nat::refuses_unsolicited),
        (
            "nat refuses a source that is made up",
            nat::refuses_made_up_sources,
        ),
        (
            "nat uses the range of addresses and ports",
            nat::uses_its_ranges,
        ),
        (
            "nat serves each of several subnets",
            nat::serves_each_subnet,
        ),
        (
            "nat through a device, and no other",
            nat::keeps_to_its_device,
        ),
        (
            "nat leaves traffic of its subnet alone",
            nat::leaves_its_subnet_alone,
        ),
        (
            "nat leaves broadcasts and multicast alone",
            local::keeps_the_source,
        ),
        ("routed is open both ways", route::is_open_both_ways),
        (
            "routed refuses a source that is made up",
            route::refuses_made_up_sources,
        ),
        ("isolated reaches nothing", isolation::reaches_nothing),
        (
            "isolated is reached by nobody",
            isolation::is_reached_by_nobody,
        ),
        (
            "isolated still reaches the host",
            isolation::reaches_the_host,
        ),
        (
            "guests of one bridge talk",
            route::guests_of_one_bridge_talk,
        ),
        ("from network to network", route::from_network_to_network),
        (
            "difference 1: isolated towards routed",
            isolation::towards_routed,
        ),
        (
            "difference 1: a made-up source towards routed",
            isolation::lies_towards_routed,
        ),
        (
            "difference 1: bound to another device",
            isolation::another_device_towards_routed,
        ),
        (
            "difference 2: ipv6 past a network without it",
            isolation::ipv6_past_ipv4,
        ),
    ]
}

impl Lab {
    fn build(rules: Rules) -> Self {
        let topology = match rules {
            Rules::None => Topology::bare(),
            Rules::Flat => Topology::with_rules("flat"),
            Rules::Mapped => Topology::with_rules("mapped"),
        };
        Self { topology, rules }
    }
}

/// All protocols, by IPv4 and by IPv6: what became of each, with words for a failure.
fn ask_all(from: Ends<'_>, to: Ends<'_>) -> Vec<(String, Outcome)> {
    // Side by side, since to be refused a connection takes a second here: the first refusal comes
    // while the socket is still busy connecting, and only the one of the next attempt counts.
    thread::scope(|scope| {
        let ask = |protocol, from, to| scope.spawn(move || ask(protocol, from, to));
        let ends = from.iter().zip(&to);
        let asked: Vec<_> = ends
            .flat_map(|(from, to)| Protocol::ALL.map(|protocol| (protocol, from, to)))
            .map(|(protocol, from, to)| {
                let told = format!("{protocol:?} from {} to {}", from.address, to.address);
                (told, ask(protocol, from, to))
            })
            .collect();
        let outcome = |asking: ScopedJoinHandle<'_, Outcome>| match asking.join() {
            Ok(outcome) => outcome,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        asked
            .into_iter()
            .map(|(told, asking)| (told, outcome(asking)))
            .collect()
    })
}

/// Everything is answered, by one who saw the sender's own address.
#[track_caller]
fn assert_open(from: Ends<'_>, to: Ends<'_>) {
    assert_seen_as(from, to, [from[0].address, from[1].address]);
}

/// Everything is answered, by one who saw this source.
#[track_caller]
fn assert_seen_as(from: Ends<'_>, to: Ends<'_>, sources: [std::net::IpAddr; 2]) {
    for (told, outcome) in ask_all(from, to) {
        let is_expected = sources.iter().any(|&source| outcome.is_answered_to(source));
        assert!(
            is_expected,
            "{told}: {outcome:?}, expected an answer to {sources:?}"
        );
    }
}

/// Everything is refused: the sender hears that the port is unreachable.
#[track_caller]
fn assert_refused(from: Ends<'_>, to: Ends<'_>) {
    for (told, outcome) in ask_all(from, to) {
        assert_eq!(outcome, Outcome::Refused, "{told}");
    }
}
