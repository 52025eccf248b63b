//! What a difference means: `verify` tells a packet that is treated otherwise, and says so where none
//! is.

use std::process::Command;

use palisade_tests::{Namespace, Palisade, Trials};
use serde_json::Value;

use crate::site::Site;
use palisade_tests::place::{Place, net, routed};
use palisade_tests::probe::{Outcome, Protocol, ask};

pub(crate) fn add_to(trials: Trials) -> Trials {
    trials
        .with("what it means in mapped", || told(Place::Mapped, MAPPED))
        .with("what it means in flat", || told(Place::Flat, FLAT))
        .with("what it means in iptables-legacy", || {
            told(Place::Legacy, IPTABLES);
        })
        .with("what it means in iptables-nft", || {
            told(Place::Nft, IPTABLES);
        })
        .with("what a chain of others means at each hook", at_each_hook)
        .with("what others let pass first in iptables-legacy", || {
            let_pass_first(Place::Legacy);
        })
        .with("what others let pass first in iptables-nft", || {
            let_pass_first(Place::Nft);
        })
        .with("what it means is what happens", is_what_happens)
        .with("what should be there means nothing", names_no_own_rule)
}

/// What somebody does, and what is said of it; nothing where no packet is treated otherwise.
struct Done {
    does: &'static str,
    means: &'static str,
    expected: &'static str,
    actual: &'static str,
}

const fn done(
    does: &'static str,
    means: &'static str,
    expected: &'static str,
    actual: &'static str,
) -> Done {
    Done {
        does,
        means,
        expected,
        actual,
    }
}

const fn nothing(does: &'static str) -> Done {
    done(does, "", "", "")
}

const MAPPED: &[Done] = &[
    done(
        "delete element ip palisade out_24 { \"virbr1\" . 10.1.0.0 }",
        "a guest of `net1` cannot reach the world any more",
        "accept",
        "drop",
    ),
    done(
        "delete element ip palisade reply_24 { \"virbr1\" . 10.1.0.0 }",
        "an answer of somebody outside cannot reach a guest of `net1` any more",
        "accept",
        "reject",
    ),
    done(
        "add element ip palisade out_24 { \"virbr1\" . 10.9.0.0 }",
        "a guest of `net1` with a made-up address can now reach the world",
        "drop",
        "accept",
    ),
    done(
        "insert rule ip palisade to_guest oifname \"virbr1\" tcp dport 22 accept",
        "somebody outside can now reach a guest of `net1`",
        "reject",
        "accept",
    ),
    done(
        "delete element ip palisade nat_24_1024-65535 { 10.1.0.0 }",
        "what a guest of `net1` sends to the world leaves with its own address, without masquerade, \
         ports 1024-65535",
        "accept",
        "accept",
    ),
    done(
        "flush set ip palisade same_24",
        // What goes out by its bridge keeps its source in any case.
        "what the host, by its address in `net1`, sends to an address of `net1` leaves with another \
         address",
        "accept",
        "accept",
    ),
    done(
        "delete table ip6 palisade",
        "somebody outside can now reach",
        "reject",
        "accept",
    ),
    nothing("insert rule ip palisade guests_forward counter comment \"mine\""),
    nothing("add chain ip palisade spare\nadd rule ip palisade spare drop"),
    nothing(
        "insert rule ip palisade to_guest iifname virbr7 oifname virbr8 ip daddr 10.7.0.0/24 return",
    ),
];

const FLAT: &[Done] = &[
    done(
        "flush chain ip palisade guest_nat",
        "what a guest of `net1` sends to the world leaves with its own address",
        "accept",
        "accept",
    ),
    done(
        "insert rule ip palisade guest_output iifname \"virbr1\" drop",
        "a guest of `net1` cannot reach the world any more",
        "accept",
        "drop",
    ),
    done(
        "flush chain ip palisade guest_input",
        "somebody outside can now reach a guest of `net1`",
        "reject",
        "accept",
    ),
    nothing("insert rule ip palisade guest_output counter comment \"mine\""),
];

const IPTABLES: &[Done] = &[
    done(
        "-I PALISADE_FWI -o virbr1 -p tcp --dport 22 -j ACCEPT",
        "somebody outside can now reach a guest of `net1`",
        "reject",
        "accept",
    ),
    done(
        "-F PALISADE_FWO",
        "with a made-up address can now reach the world",
        "reject",
        "accept",
    ),
    done(
        "-t nat -F PALISADE_PRT",
        "what a guest of `net1` sends to the world leaves with its own address",
        "accept",
        "accept",
    ),
    done(
        "-F PALISADE_INP",
        "where the host drops what nobody accepts, a guest of `net1`",
        "accept",
        "drop",
    ),
    nothing("-I PALISADE_FWO -m comment --comment mine"),
];

fn told(place: Place, all: &[Done]) {
    let namespace = Namespace::new();
    let palisade = place.palisade(&namespace);
    palisade.apply(&[net(1), routed(2)]).stdout();
    for done in all {
        for line in done.does.lines() {
            match place {
                Place::Mapped | Place::Flat => namespace.nft(line),
                Place::Legacy | Place::Nft => {
                    let mut iptables = Command::new(format!("iptables-{}", place.word()));
                    namespace
                        .answer(iptables.args(line.split(' ')), "")
                        .stdout();
                }
            }
        }
        let (text, json) = verified(&palisade);
        let consequence = &json["consequence"];
        if done.means.is_empty() {
            assert_eq!(
                consequence["kind"], "none",
                "{}: {consequence:#}",
                done.does
            );
            let said = "\nno packet is accepted, refused or translated otherwise\n";
            assert!(text.ends_with(said), "{text}");
        } else {
            assert_eq!(consequence["kind"], "packet", "{}", done.does);
            let detail = consequence["detail"].as_str().expect("a text");
            assert!(detail.contains(done.means), "{}: {detail}", done.does);
            assert!(text.contains(&format!("\nso {detail}\n")), "{text}");
            let verdicts = ["expected", "actual"].map(|key| &consequence[key]["verdict"]);
            assert_eq!(
                verdicts,
                [done.expected, done.actual],
                "{}: {consequence:#}",
                done.does
            );
        }
        palisade.answer(["repair"]).stdout();
    }
    let (_, json) = verified(&palisade);
    assert_eq!(json["consequence"]["kind"], "none");
}

fn verified(palisade: &Palisade<'_>) -> (String, Value) {
    let text = palisade.answer(["verify"]).stdout;
    let json = palisade.answer(["--format", "json", "verify"]).stdout;
    (text, serde_json::from_str(&json).expect("JSON"))
}

/// Rules of palisade's whose effect is not known in full are no difference where they should be.
fn names_no_own_rule() {
    let text = "name = 'net1'\nbridge = 'virbr1'\nmode = 'nat'\nnat_ipv6 = true\nmss_clamp = 1360\n\
                subnets = ['10.1.0.1/24', 'fd00:1::1/64']\n\
                forwards = ['tcp 203.0.113.7:8080 -> 10.1.0.10:80']\n";
    for (place, chain) in [
        (Place::Mapped, "guests_forward"),
        (Place::Flat, "guest_output"),
    ] {
        let namespace = Namespace::new();
        let palisade = place.palisade(&namespace);
        palisade.on_files("apply", palisade.texts([text])).stdout();
        namespace.nft(&format!("insert rule ip palisade {chain} ip ttl 3 counter"));
        let (_, json) = verified(&palisade);
        assert_eq!(json["consequence"]["kind"], "none", "{json:#}");
        namespace.nft(&format!("insert rule ip palisade {chain} ip ttl 3 drop"));
        let (_, json) = verified(&palisade);
        let detail = json["consequence"]["detail"].as_str().unwrap_or_default();
        assert!(detail.contains("`ip ttl 3 drop`"), "{json:#}");
    }
}

/// Wherever in our tables a base chain of another program drops packets of a guest: that is told.
fn at_each_hook() {
    let namespace = Namespace::new();
    for place in [Place::Mapped, Place::Flat] {
        let palisade = place.palisade(&namespace);
        palisade.apply(&[net(1)]).stdout();
        for (table, subnet) in [("ip", "10.1.0."), ("ip6", "fd00:1:")] {
            for (hook, matches) in [
                ("prerouting", "iifname virbr1"),
                ("input", "iifname virbr1"),
                ("forward", "iifname virbr1"),
                ("output", "oifname virbr1"),
                ("postrouting", "oifname virbr1"),
            ] {
                namespace.nft(&format!(
                    "add chain {table} palisade theirs {{ type filter hook {hook} priority -5; }}\n\
                     add rule {table} palisade theirs {matches} udp dport 7777 drop"
                ));
                let (_, json) = verified(&palisade);
                let consequence = &json["consequence"];
                let told = format!("{place:?}, {table}, {hook}: {consequence:#}");
                assert_eq!(consequence["kind"], "packet", "{told}");
                assert_eq!(consequence["actual"]["verdict"], "drop", "{told}");
                let packet = &consequence["packet"];
                assert_eq!(packet["destination_port"], 7777, "{told}");
                let ends = [&packet["source"], &packet["destination"]];
                let is_its = |end: &&Value| end.as_str().is_some_and(|end| end.starts_with(subnet));
                assert!(ends.iter().any(is_its), "{told}");
                namespace.nft(&format!("delete chain {table} palisade theirs"));
            }
        }
        palisade.answer(["remove", "net1"]).stdout();
    }
}

/// A rule of others that stands before our jumps, and lets pass what ours refuse: that is told. What
/// they refuse themselves is their own affair.
fn let_pass_first(place: Place) {
    let namespace = Namespace::new();
    let palisade = place.palisade(&namespace);
    palisade.apply(&[net(1)]).stdout();
    let iptables = |line: &str| {
        let mut iptables = Command::new(format!("iptables-{}", place.word()));
        let answer = namespace.answer(iptables.args(line.split(' ')), "");
        answer.stdout();
    };
    let meaning = || verified(&palisade).1["consequence"].take();
    iptables("-I FORWARD -o virbr1 -p tcp --dport 22 -j ACCEPT");
    let found = meaning();
    let detail = "somebody outside can now reach a guest of `net1` at tcp port 22";
    assert_eq!(found["detail"], detail, "{found:#}");
    let verdicts = ["expected", "actual"].map(|key| &found[key]["verdict"]);
    assert_eq!(verdicts, ["reject", "accept"]);
    iptables("-D FORWARD 1");

    // Through a chain of theirs, past what they refuse there.
    for line in [
        "-N THEIRS",
        "-A THEIRS -p udp -j DROP",
        "-A THEIRS -i eth7 -j ACCEPT",
        "-I FORWARD -j THEIRS",
    ] {
        iptables(line);
    }
    let found = meaning();
    assert_eq!(found["kind"], "packet", "{found:#}");
    assert_eq!(found["packet"]["in_interface"], "eth7", "{found:#}");
    assert_ne!(found["packet"]["protocol"], 17, "{found:#}");
    iptables("-F THEIRS");

    iptables("-A THEIRS -i virbr1 -j DROP");
    assert_eq!(meaning()["kind"], "none");
    // Who comes late decides nothing.
    iptables("-D FORWARD 1");
    iptables("-A FORWARD -o virbr1 -j ACCEPT");
    assert_eq!(meaning()["kind"], "none");

    // What they leave as it is, ours do not translate.
    iptables("-t nat -I POSTROUTING -s 10.1.0.0/24 -j ACCEPT");
    let found = meaning();
    let verdicts = ["expected", "actual"].map(|key| &found[key]["nat"]["kind"]);
    assert_eq!(verdicts, ["masquerade", "none"], "{found:#}");
}

/// What a packet alone does not tell is no certainty; and what is told of a real one is so.
fn is_what_happens() {
    let site = Site::new();
    let palisade = Place::Mapped.palisade(&site.host);
    palisade.apply(&[net(1)]).stdout();
    site.ask(1);
    site.host
        .nft("insert rule ip palisade from_guest meta length 700 drop");
    let (text, json) = verified(&palisade);
    assert_eq!(json["consequence"]["kind"], "open", "{json:#}");
    assert!(text.contains("not sure"), "{text}");
    palisade.answer(["repair"]).stdout();
    site.host
        .nft("insert rule ip palisade from_guest iifname virbr1 udp dport 1-65535 reject");
    let (_, json) = verified(&palisade);
    let detail = &json["consequence"]["detail"];
    assert_eq!(detail, "a guest of `net1` cannot reach the world any more");
    let outcome = ask(Protocol::Udp, &site.guest_end(), &site.world_end());
    assert!(!matches!(outcome, Outcome::Answered(_)), "{outcome:?}");
}
