//! The administrator's place: chains that palisade creates, leads packets to before it decides on
//! them, and never touches.

use std::process::{Command, ExitCode};

use palisade_tests::place::{Place, assert_clean, net, routed};
use palisade_tests::probe::{End, Outcome, Protocol, ask};
use palisade_tests::{Namespace, Palisade, Trials};

fn main() -> ExitCode {
    let mut trials = Trials::new();
    for place in Place::ALL {
        let named = |what: &str| format!("{place:?}: {what}");
        trials = trials
            .with(named("rules decide before palisade's"), move || {
                decide(place);
            })
            .with(
                named("rules stay, whatever becomes of palisade's"),
                move || {
                    stay(place);
                },
            );
    }
    trials = trials
        .with("rules move from layout to layout", from_layout_to_layout)
        .with("a dormant table wakes around them", wakes);
    palisade_tests::run(trials)
}

/// `guest -- virbr1 [ host ] wan0 -- world`
struct Lab {
    host: Namespace,
    guest: Namespace,
    world: Namespace,
}

impl Lab {
    fn new() -> Self {
        let [host, guest, world] = [(); 3].map(|()| Namespace::new());
        host.sysctl("ipv4/ip_forward", "1");
        host.cable("wan0", &world, "eth0");
        host.cable("port1", &guest, "eth0");
        host.bridges(["virbr1"]);
        host.ip(
            "link set port1 master virbr1\naddr add 10.1.0.1/24 dev virbr1\n\
             addr add 192.0.2.1/24 dev wan0",
        );
        guest.ip("addr add 10.1.0.2/24 dev eth0\nroute add default via 10.1.0.1");
        world.ip("addr add 192.0.2.2/24 dev eth0\nroute add 10.1.0.0/24 via 192.0.2.1");
        Self { host, guest, world }
    }

    fn asks(&self, from: Who, to: Who) -> Outcome {
        let end = |who| {
            let (namespace, address) = match who {
                Who::Guest => (&self.guest, "10.1.0.2"),
                Who::Host => (&self.host, "10.1.0.1"),
                Who::World => (&self.world, "192.0.2.2"),
            };
            End::new(namespace, address.parse().expect("an address"))
        };
        ask(Protocol::Udp, &end(from), &end(to))
    }

    #[track_caller]
    fn passes(&self, from: Who, to: Who) {
        let outcome = self.asks(from, to);
        assert!(
            matches!(outcome, Outcome::Answered(_)),
            "{from:?} to {to:?}: {outcome:?}"
        );
    }

    /// Whether the guest's packets to the world are dropped, as the administrator's rule has it.
    #[track_caller]
    fn is_dropped(&self) {
        assert_eq!(self.asks(Who::Guest, Who::World), Outcome::Silent);
    }

    /// Puts a rule at the end of a chain of the administrator's.
    #[track_caller]
    fn rule(&self, place: Place, chain: Chain, target: &str) {
        let name = chain.name(place);
        match place {
            Place::Mapped | Place::Flat => {
                let protocol = "ip protocol udp";
                self.host
                    .nft(&format!("add rule ip palisade {name} {protocol} {target}"));
            }
            Place::Legacy | Place::Nft => {
                let target = target.to_uppercase();
                self.iptables(place, &["-A", name, "-p", "udp", "-j", &target]);
            }
        }
    }

    #[track_caller]
    fn flush(&self, place: Place, chain: &str) {
        match place {
            Place::Mapped | Place::Flat => {
                self.host.nft(&format!("flush chain ip palisade {chain}"));
            }
            Place::Legacy | Place::Nft => self.iptables(place, &["-F", chain]),
        }
    }

    #[track_caller]
    fn iptables(&self, place: Place, words: &[&str]) {
        let mut command = Command::new(format!("iptables-{}", place.word()));
        self.host.answer(command.args(words), "").stdout();
    }
}

#[derive(Debug, Clone, Copy)]
enum Who {
    Guest,
    Host,
    World,
}

#[derive(Debug, Clone, Copy)]
enum Chain {
    FromGuest,
    ToGuest,
    Input,
}

impl Chain {
    const ALL: [Self; 3] = [Self::FromGuest, Self::ToGuest, Self::Input];

    fn name(self, place: Place) -> &'static str {
        match (self, place.backend()) {
            (Self::FromGuest, "nftables") => "admin_from_guest",
            (Self::ToGuest, "nftables") => "admin_to_guest",
            (Self::Input, "nftables") => "admin_input",
            (Self::FromGuest, _) => "PALISADE_ADMIN_FWO",
            (Self::ToGuest, _) => "PALISADE_ADMIN_FWI",
            (Self::Input, _) => "PALISADE_ADMIN_INP",
        }
    }
}

fn decide(place: Place) {
    let lab = Lab::new();
    let palisade = place.palisade(&lab.host);
    // What is established is accepted first of all that palisade decides.
    let palisade = palisade.with(["--established", "first"]);
    palisade.apply([&net(1)]).stdout();
    let explain = |what: &[&str]| {
        let packet = [
            "--format", "json", "explain", "--proto", "udp", "--dport", "9",
        ];
        palisade.answer(packet.iter().chain(what)).stdout
    };
    let out = [
        "--in",
        "virbr1",
        "--out",
        "wan0",
        "--src",
        "10.1.0.2",
        "--dst",
        "192.0.2.2",
    ];
    lab.passes(Who::Guest, Who::World);
    lab.passes(Who::Guest, Who::Host);
    assert_eq!(lab.asks(Who::World, Who::Guest), Outcome::Refused);

    lab.rule(place, Chain::ToGuest, "accept");
    lab.passes(Who::World, Who::Guest);
    lab.rule(place, Chain::FromGuest, "drop");
    lab.is_dropped();
    // The guest's answer is established, and meets the administrator's rules all the same.
    assert!(matches!(
        lab.asks(Who::World, Who::Guest),
        Outcome::Arrived(_)
    ));
    lab.passes(Who::Guest, Who::Host);
    lab.rule(place, Chain::Input, "drop");
    assert_eq!(lab.asks(Who::Guest, Who::Host), Outcome::Silent);

    let explained = explain(&out);
    assert!(explained.contains("\"verdict\": \"drop\""), "{explained}");
    assert!(
        explained.contains(Chain::FromGuest.name(place)),
        "{explained}"
    );
    assert_clean(&palisade);
}

fn stay(place: Place) {
    let lab = Lab::new();
    let palisade = place.palisade(&lab.host);
    palisade.apply([&net(1)]).stdout();
    lab.rule(place, Chain::FromGuest, "drop");
    let kept = |what: &str| {
        lab.is_dropped();
        assert_clean(&palisade);
        let dump = standing(place, &lab);
        assert!(dump.contains("udp"), "after {what}: {dump}");
    };
    palisade.apply([&routed(1)]).stdout();
    kept("another definition");
    palisade.apply([&net(1), &net(2)]).stdout();
    palisade
        .on_files("sync", palisade.files([&net(1)]))
        .stdout();
    kept("sync");
    for chain in ours(place) {
        lab.flush(place, chain);
        assert_eq!(palisade.answer(["verify"]).code, Some(3));
        palisade.ok(["repair"]);
        kept(chain);
    }
    let removed = palisade.answer(["remove", "--all"]);
    let told = removed.stdout.clone() + &removed.stderr;
    assert!(told.contains(Chain::FromGuest.name(place)), "{told}");
    removed.stdout();
    assert!(standing(place, &lab).contains("udp"));
    palisade.ok(["verify"]);
    palisade.apply([&net(1)]).stdout();
    kept("another start");
    lab.flush(place, Chain::FromGuest.name(place));
    palisade.ok(["remove", "--all"]);
    assert_eq!(place.standing(&lab.host).trim(), "");
}

/// Chains of palisade's own that others may flush.
fn ours(place: Place) -> &'static [&'static str] {
    match place {
        Place::Mapped => &["guest_sends", "guests_forward", "from_guest"],
        Place::Flat => &["guest_admin_from", "forward", "guest_output"],
        Place::Legacy | Place::Nft => &["PALISADE_FWA", "PALISADE_FWO"],
    }
}

/// What the administrator's chains hold.
fn standing(place: Place, lab: &Lab) -> String {
    let listed = |chain: Chain| {
        let name = chain.name(place);
        let mut command = match place {
            Place::Mapped | Place::Flat => Command::new("nft"),
            Place::Legacy | Place::Nft => Command::new(format!("iptables-{}", place.word())),
        };
        match place {
            Place::Mapped | Place::Flat => command.args(["list", "chain", "ip", "palisade", name]),
            Place::Legacy | Place::Nft => command.args(["-S", name]),
        };
        lab.host.answer(&mut command, "").stdout
    };
    Chain::ALL.map(listed).concat()
}

fn from_layout_to_layout() {
    let lab = Lab::new();
    let palisade = Palisade::new(&lab.host);
    let first = Place::Mapped.palisade(&lab.host).sharing(&palisade);
    first.apply([&net(1)]).stdout();
    // With a set of its own, an unnamed one, and a chain.
    lab.host.nft(
        "add set ip palisade admin_known { type ipv4_addr; elements = { 192.0.2.2 }; }\n\
         add chain ip palisade admin_mine\n\
         add counter ip palisade admin_seen\n\
         add rule ip palisade admin_mine ip saddr { 10.1.0.2, 10.1.0.3 } counter name \
         \"admin_seen\" drop\n\
         add rule ip palisade admin_from_guest ip daddr @admin_known jump admin_mine",
    );
    let handles = || {
        let mut list = Command::new("nft");
        let listed = lab.host.answer(
            list.args(["-as", "list", "chain", "ip", "palisade", "admin_mine"]),
            "",
        );
        listed.stdout()
    };
    let before = handles();
    for place in [Place::Flat, Place::Mapped] {
        palisade.ok(place.migration());
        lab.is_dropped();
        assert_clean(&palisade);
        lab.host.nft("add rule ip palisade admin_to_guest counter");
        lab.host
            .nft("add chain ip palisade mine\nadd set ip palisade mine { type ipv4_addr; }");
        assert_eq!(palisade.answer(["verify"]).code, Some(3));
        palisade.ok(["repair"]);
        lab.is_dropped();
        assert_clean(&palisade);
    }
    assert_eq!(before, handles(), "they were never touched");
}

fn wakes() {
    let lab = Lab::new();
    let palisade = Place::Mapped.palisade(&lab.host);
    palisade.apply([&net(1)]).stdout();
    lab.rule(Place::Mapped, Chain::FromGuest, "drop");
    lab.host.nft("add table ip palisade { flags dormant; }");
    lab.passes(Who::Guest, Who::World);
    palisade.ok(["repair"]);
    lab.is_dropped();
    assert_clean(&palisade);
}
