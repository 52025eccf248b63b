//! What networks refuse is logged, each with its reason, and nothing else is.

use std::net::IpAddr;
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use palisade::Traffic;
use palisade::refusals::{Refusals, RefusalsError, Refused, Waking};
use palisade_core::network::{Description, Forward, LogRefused, Nat, Network};
use palisade_netlink::nflog::Nflog;
use palisade_tests::Trials;
use palisade_tests::place::Place;
use palisade_tests::raw::{self, Packet};

use crate::between::Lab;
use crate::library::Library;

/// How long packets may take until they are read.
const PATIENCE: Duration = Duration::from_millis(800);

pub(crate) fn add_to(mut trials: Trials) -> Trials {
    for place in Place::ALL {
        let name =
            format!("{place:?}: what is refused is logged with its reason, and nothing else");
        trials = trials.with(name, move || logged(place));
        let name = format!("{place:?}: no more is logged than the rate of each network");
        trials = trials.with(name, move || limited(place));
        let name = format!("{place:?}: networks log from when they start until they are removed");
        trials = trials.with(name, move || changed(place));
    }
    trials
}

fn logged(place: Place) {
    let lab = Lab::new();
    let mut library = Library::new(&lab.host, place);
    library.apply(&[
        natted(log("1000/second", None, Some(5))),
        isolated(log("1000/second", Some("quiet: "), Some(6))),
    ]);
    library.assert_clean();
    let mut refusals = library.refusals().expect("the groups");
    for family in [0, 1] {
        let of = |number| Lab::address(number, family);
        let send = |number: u8, source: IpAddr, to: IpAddr, payload| {
            Packet::new(source, to, payload).send(&lab.guests[usize::from(number) - 1]);
        };
        // What passes.
        send(1, of(1), of(4), raw::udp(11));
        // Out of an isolated network, and into both.
        send(2, of(2), of(4), raw::udp(12));
        send(4, of(4), of(1), raw::udp(13));
        send(4, of(4), of(2), raw::tcp_between(40_000, 14, 2));
        // Somebody else's source.
        send(1, of(3), of(4), raw::udp(15));
        // What belongs to no connection.
        send(1, of(1), of(4), raw::tcp_between(40_000, 16, 0x14));
    }
    let found = all(&mut refusals);
    let mut expected = Vec::new();
    for family in [0, 1] {
        let mut expect = |network: &str, purpose, (from, to), (protocol, port)| {
            expected.push(Refused {
                network: network.parse().expect("a name"),
                purpose,
                source: Some(Lab::address(from, family)),
                destination: Some(Lab::address(to, family)),
                protocol: Some(protocol),
                port: Some(port),
            });
        };
        let is_strict = place == Place::Mapped;
        expect("isolated", Traffic::RefusedOut, (2, 4), (17, 12));
        expect("natted", Traffic::RefusedIn, (4, 1), (17, 13));
        expect("isolated", Traffic::RefusedIn, (4, 2), (6, 14));
        let reason = match is_strict {
            true => Traffic::Spoofed,
            false => Traffic::RefusedOut,
        };
        expect("natted", reason, (3, 4), (17, 15));
        if is_strict {
            expect("natted", Traffic::Invalid, (1, 4), (6, 16));
        }
    }
    expected.sort();
    assert_eq!(found, expected);
}

fn limited(place: Place) {
    let lab = Lab::new();
    let mut library = Library::new(&lab.host, place);
    library.apply(&[
        natted(log("2/hour", None, Some(5))),
        isolated(log("3/day", None, Some(5))),
    ]);
    let mut refusals = library.refusals().expect("the group");
    for number in 0..200 {
        for guest in [1, 2] {
            let to = Lab::address(guest, 0);
            Packet::new(Lab::address(4, 0), to, raw::udp(1000 + number)).send(&lab.guests[3]);
        }
    }
    let found = all(&mut refusals);
    let of = |network: &str| {
        let its = |refused: &&Refused| refused.network.as_str() == network;
        found.iter().filter(its).count()
    };
    // The bursts, since an hour is long.
    assert_eq!((of("natted"), of("isolated")), (5, 3), "{found:?}");
}

fn changed(place: Place) {
    let lab = Lab::new();
    let mut library = Library::new(&lab.host, place);
    library.apply(&[natted(None), isolated(log("10/second", None, None))]);
    library.assert_clean();
    assert!(
        library
            .refusals()
            .is_err_and(|error| matches!(error, RefusalsError::NoGroup))
    );
    library.apply(&[isolated(None)]);
    let silent = place.standing(&lab.host);
    assert!(!silent.to_lowercase().contains("log"), "{silent}");

    library.apply(&[natted(log("10/second", None, Some(5)))]);
    let mut refusals = library.refusals().expect("the group");
    let refuse = |port: u16| {
        for number in [1, 2] {
            let ends = (Lab::address(4, 0), Lab::address(number, 0));
            Packet::new(ends.0, ends.1, raw::udp(port)).send(&lab.guests[3]);
        }
    };
    let seen = |refusals: &mut Refusals| {
        let found = all(refusals).into_iter();
        let names = found.map(|refused| refused.network.to_string());
        names.collect::<Vec<_>>()
    };
    refuse(1);
    assert_eq!(seen(&mut refusals), ["natted"]);
    // A group has one reader.
    let error = library.refusals().err().expect("the group is read already");
    assert!(error.to_string().contains("group 5"), "{error}");
    // Another group, of a network that logs from now on, which another program reads at first.
    let mut other = Nflog::open(Some(&lab.host.path())).expect("open NFLOG");
    other.read_groups(&[7].into()).expect("read the group");
    library.apply(&[isolated(log("10/second", None, Some(7)))]);
    library.assert_clean();
    refuse(5);
    let until = Instant::now() + Duration::from_secs(3);
    while Instant::now() < until {
        let found = seen(&mut refusals);
        assert!(!found.contains(&"isolated".to_owned()), "{found:?}");
    }
    drop(other);
    while !seen(&mut refusals).contains(&"isolated".to_owned()) {
        refuse(2);
    }
    while seen(&mut refusals).is_empty() {
        refuse(2);
    }
    refuse(3);
    assert_eq!(seen(&mut refusals), ["isolated", "natted"]);
    library.apply(&[natted(None), isolated(None)]);
    refuse(4);
    assert_eq!(seen(&mut refusals), [""; 0]);
    library.assert_clean();
    assert_eq!(place.standing(&lab.host), silent);
    library.remove_all();
    assert_eq!(place.standing(&lab.host).trim(), "");
}

/// All that was refused, in order.
fn all(refusals: &mut Refusals) -> Vec<Refused> {
    let (wake, _held) = UnixDatagram::pair().expect("a pair of sockets");
    let until = Instant::now() + PATIENCE;
    let mut found = Vec::new();
    while Instant::now() < until {
        match refusals.wait(wake.as_fd(), Some(until)).expect("wait") {
            Waking::Woken => panic!("nothing was sent"),
            Waking::Refused {
                packets,
                is_overrun,
            } => {
                assert!(!is_overrun);
                found.extend(packets);
            }
        }
    }
    found.sort();
    found
}

fn log(rate: &str, prefix: Option<&str>, group: Option<u16>) -> Option<LogRefused> {
    Some(LogRefused {
        prefix: prefix.map(|prefix| prefix.parse().expect("a prefix")),
        rate: rate.parse().expect("a rate"),
        group,
    })
}

fn natted(log: Option<LogRefused>) -> Network {
    let nat = Nat {
        ipv6: true,
        ..Nat::default()
    };
    network("natted", 1, Forward::Nat(nat), log)
}

fn isolated(log: Option<LogRefused>) -> Network {
    network("isolated", 2, Forward::Isolated, log)
}

fn network(name: &str, number: u8, forward: Forward, log: Option<LogRefused>) -> Network {
    let bridge = Some(format!("virbr{number}").parse().expect("a bridge"));
    let subnets = [
        format!("10.{number}.0.1/24"),
        format!("fd00:{number}::1/64"),
    ];
    let subnets = subnets.map(|subnet| subnet.parse().expect("a subnet"));
    let network = Network::new(Description {
        subnets: subnets.to_vec(),
        log,
        ..Description::new(name.parse().expect("a name"), bridge, forward)
    });
    network.expect("a network")
}
