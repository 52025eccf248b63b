//! What it tells of a packet is what became of it.

use std::net::{SocketAddr, UdpSocket};
use std::process::Command;
use std::time::Duration;

use palisade_tests::place::Place;
use palisade_tests::probe::{End, Outcome, Protocol, ask};
use palisade_tests::{Namespace, Palisade, is_in_path};
use serde_json::Value;

use crate::site::{GATEWAY, GUEST, HOST, NETWORKS, ROUTED, Site, Tracing, WORLD, places, send};

const LAYOUTS: [&str; 2] = ["flat", "mapped"];

/// `nft` knows the same rule by that handle in that chain, and packets have counted in it.
pub(crate) fn each_rule_is_the_one_that_nft_lists() {
    for layout in LAYOUTS {
        let site = Site::new();
        let palisade = Palisade::with_layout(&site.host, layout);
        palisade.apply(&*NETWORKS).stdout();
        let mut tracing = Tracing::begin(&site, &palisade, &["--proto", "udp", "--count", "2"]);
        send(&site.guest, WORLD, 5000, 1);
        send(&site.world, GUEST, 5005, 1);
        let mut nft = Command::new("nft");
        let listed = site.host.answer(nft.args(["-as", "list", "ruleset"]), "");
        let listed = listed.stdout();
        for (packet, verdict) in [(tracing.packet(), "accept"), (tracing.packet(), "reject")] {
            assert_eq!(packet["verdict"], verdict, "{packet:#}");
            assert_eq!(packet["prediction"]["kind"], "same", "{packet:#}");
            let path = packet["path"].as_array().expect("a path");
            let rules: Vec<&Value> = path.iter().filter(|v| v["handle"].is_u64()).collect();
            assert!(rules.len() > 1, "{packet:#}");
            for visit in rules {
                let rule = visit["rule"].as_str().expect("a rule");
                let line = format!("\t\t{rule} # handle {}\n", visit["handle"]);
                assert!(listed.contains(&line), "{line}in\n{listed}");
            }
            let deciding = path.iter().rev().find(|visit| !visit["network"].is_null());
            assert_eq!(
                deciding.expect("whose rule it is")["network"],
                "nat",
                "{packet:#}"
            );
        }
        assert_eq!(tracing.end().0, Some(0));
    }
}

/// What others keep conntrack from leaves as it came with libvirt's rules, and that is not as they would
/// have it. In `mapped` it does not leave.
pub(crate) fn what_is_not_tracked_is_not_translated() {
    for layout in LAYOUTS {
        let site = Site::new();
        let palisade = Palisade::with_layout(&site.host, layout);
        palisade.apply(&*NETWORKS).stdout();
        let chain = "chain c { type filter hook prerouting priority raw; udp sport 5000 notrack\n}";
        site.host.nft(&format!("table ip host {{ {chain}\n}}"));
        let mut tracing = Tracing::begin(&site, &palisade, &["--proto", "udp", "--count", "3"]);
        send(&site.guest, WORLD, 5000, 1);
        send(&site.guest, WORLD, 5001, 2);
        let untracked = tracing.packet();
        assert_eq!(untracked["source"], Value::Null, "{untracked:#}");
        let prediction = &untracked["prediction"];
        if layout == "mapped" {
            assert_eq!(untracked["verdict"], "drop", "{untracked:#}");
            assert_eq!(prediction["kind"], "same", "{untracked:#}");
        } else {
            assert_eq!(untracked["verdict"], "accept", "{untracked:#}");
            assert_eq!(prediction["kind"], "differs", "{untracked:#}");
            let why = &prediction["detail"]["why"];
            assert!(why.to_string().contains("did not translate it"), "{why}");
        }
        for _ in 0..2 {
            let packet = tracing.packet();
            assert_eq!(packet["source"]["address"], HOST, "{packet:#}");
            assert_eq!(packet["prediction"]["kind"], "same", "{packet:#}");
        }
        tracing.end();
    }
}

/// The source that is told is the one that the world sees, and answers are traced too.
pub(crate) fn answers_and_translations() {
    for layout in LAYOUTS {
        let site = Site::new();
        let palisade = Palisade::with_layout(&site.host, layout);
        palisade.apply(&*NETWORKS).stdout();
        let mut tracing = Tracing::begin(&site, &palisade, &["--proto", "udp", "--count", "2"]);
        let address = |text: &str| text.parse().expect("an address");
        let from = End::new(&site.guest, address(GUEST)).at(700);
        let to = End::new(&site.world, address(WORLD)).at(5000);
        let Outcome::Answered(seen) = ask(Protocol::Udp, &from, &to) else {
            panic!("no answer");
        };
        let (question, answer) = (tracing.packet(), tracing.packet());
        let source = &question["source"];
        let told = format!(
            "{}:{}",
            source["address"].as_str().unwrap_or("none"),
            source["port"]
        );
        assert_eq!(told.parse::<SocketAddr>().ok(), Some(seen), "{question:#}");
        assert_eq!(question["packet"]["flow"], "new");
        assert_eq!(answer["packet"]["flow"], "established");
        assert_eq!(answer["destination"]["address"], GUEST, "{answer:#}");
        assert_eq!(answer["packet"]["destination"], HOST);
        for packet in [question, answer] {
            assert_eq!(packet["prediction"]["kind"], "same", "{packet:#}");
            assert_eq!(packet["end"], "left", "{packet:#}");
        }
        tracing.end();
    }
}

/// Rules that come before palisade's forwards see the port of the host, and those behind them the guest's.
pub(crate) fn destinations_that_are_translated() {
    let network = NETWORKS[0].clone();
    let forward = format!("udp 5353 -> {GUEST}:53");
    let network = network.with_forwards(&[&forward]);
    for place in [Place::Mapped, Place::Flat] {
        let site = Site::new();
        // A frame that meets the rules of IP cannot leave by the port that it came in through.
        site.host.sysctl("bridge/bridge-nf-call-iptables", "0");
        let palisade = place.palisade(&site.host);
        palisade.apply([&network]).stdout();
        // Ask from the world, from the guest itself, and as the host.
        let askers = [
            (&site.world, WORLD),
            (&site.guest, GUEST),
            (&site.host, HOST),
        ];
        let options = ["--proto", "udp", "--count", "6"];
        let mut tracing = Tracing::begin(&site, &palisade, &options);
        let bind = || UdpSocket::bind((GUEST, 53)).expect("bind a socket");
        let server = site.guest.inside(bind);
        server
            .set_read_timeout(Some(Duration::from_secs(5)))
            .expect("wait so long");
        for (namespace, address) in askers {
            let client = namespace.inside(|| UdpSocket::bind((address, 0)).expect("bind a socket"));
            client.send_to(b"there", (HOST, 5353)).expect("send");
            let (_, from) = server.recv_from(&mut [0; 8]).expect("it arrives");
            server.send_to(b"back", from).expect("answer");
            client
                .set_read_timeout(Some(Duration::from_secs(5)))
                .expect("wait so long");
            let (_, answerer) = client.recv_from(&mut [0; 8]).expect("it is answered");
            assert_eq!(answerer.to_string(), format!("{HOST}:5353"));
        }
        for _ in 0..6 {
            let packet = tracing.packet();
            assert_eq!(
                packet["prediction"]["kind"], "same",
                "{place:?}: {packet:#}"
            );
        }
        tracing.end();
    }
}

/// Where known flows are accepted first, the rule that does is the only one of ours that their
/// packets meet with an answer; what begins a flow meets the others.
pub(crate) fn known_flows_first() {
    for layout in LAYOUTS {
        let site = Site::new();
        let palisade = Palisade::with_layout(&site.host, layout).with(["--established", "first"]);
        palisade.apply(&*NETWORKS).stdout();
        let mut tracing = Tracing::begin(&site, &palisade, &["--proto", "udp", "--count", "3"]);
        let bound = |namespace: &Namespace, port: u16| {
            let bind = || UdpSocket::bind(("0.0.0.0", port)).expect("bind a socket");
            let socket = namespace.inside(bind);
            let patience = Some(Duration::from_secs(5));
            socket.set_read_timeout(patience).expect("wait so long");
            socket
        };
        let (guest, world) = (bound(&site.guest, 5000), bound(&site.world, 5001));
        let ask = || guest.send_to(b"there", (WORLD, 5001)).expect("send");
        ask();
        let (_, from) = world.recv_from(&mut [0; 8]).expect("it arrives");
        world.send_to(b"back", from).expect("answer");
        guest.recv_from(&mut [0; 8]).expect("it is answered");
        ask();
        let decided = |packet: &Value| {
            let path = packet["path"].as_array().expect("a path").clone();
            let forwarded = path.into_iter().filter(|visit| {
                visit["purpose"].is_string()
                    && visit["purpose"] != "nat"
                    && visit["why"] != "return"
                    && !visit["purpose"].to_string().contains("administrator")
            });
            let purposes: Vec<String> = forwarded.map(|v| v["purpose"].to_string()).collect();
            purposes
        };
        let packets = [(); 3].map(|()| tracing.packet());
        for (packet, purpose) in packets
            .iter()
            .zip(["out", "established in", "established out"])
        {
            assert_eq!(packet["prediction"]["kind"], "same", "{packet:#}");
            assert_eq!(
                decided(packet),
                [format!("\"{purpose}\"")],
                "{layout}: {packet:#}"
            );
        }
        tracing.end();
    }
}

pub(crate) fn leaves_others_out() {
    let site = Site::new();
    let palisade = Palisade::new(&site.host);
    palisade.apply(&*NETWORKS).stdout();
    // Each of these fits one datagram of all that are sent.
    let (from, to) = (format!("{GUEST}/32"), format!("{ROUTED}/31"));
    let filters: [(&[&str], u64); 5] = [
        (&["--dport", "6000", "--in", "virbr0"], 6000),
        (&["--sport", "6001", "--src", &from], 6001),
        (&["--dst", &to], 6002),
        (&["--out", "virbr1"], 6002),
        (&["--in", "virbr1", "--out", "wan0"], 6003),
    ];
    let tracings: Vec<Tracing> = filters
        .iter()
        .map(|(filter, _)| {
            let options = [&["--proto", "udp", "--count", "1"], *filter].concat();
            Tracing::begin(&site, &palisade, &options)
        })
        .collect();
    send(&site.routed, WORLD, 6003, 1);
    send(&site.guest, WORLD, 6001, 1);
    send(&site.guest, WORLD, 6000, 1);
    send(&site.guest, ROUTED, 6002, 1);
    for (mut tracing, (filter, port)) in tracings.into_iter().zip(filters) {
        let packet = tracing.packet();
        assert_eq!(
            packet["packet"]["destination_port"], port,
            "{filter:?}: {packet:#}"
        );
        tracing.end();
    }
}

/// Where another program's table drops what ours lets pass, the path shows it.
pub(crate) fn others_that_drop() {
    let site = Site::new();
    let palisade = Palisade::new(&site.host);
    palisade.apply(&*NETWORKS).stdout();
    site.host.nft(
        "table inet other {\nchain late { type filter hook forward priority 10; policy accept; \
         udp dport 7000 drop; }\n\
         chain strict { type filter hook forward priority 20; policy drop; udp dport 7001 accept; }\n}",
    );
    let mut tracing = Tracing::begin(&site, &palisade, &["--proto", "udp", "--count", "3"]);
    for port in [7000, 7001, 7002] {
        send(&site.guest, WORLD, port, 1);
    }
    let [by_rule, passes, by_policy] = [(); 3].map(|()| tracing.packet());
    for (packet, verdict, last) in [
        (&by_rule, "drop", "udp dport 7000 drop"),
        (&by_policy, "drop", "policy drop"),
    ] {
        assert_eq!(packet["verdict"], verdict);
        assert_eq!(packet["end"], "stopped");
        let path = packet["path"].as_array().expect("a path");
        let stopped = path.last().expect("what stopped it");
        assert_eq!(stopped["table"], "inet other", "{packet:#}");
        assert!(
            stopped["rule"]
                .as_str()
                .expect("a rule")
                .contains(last.rsplit(' ').next().unwrap_or("")),
            "{packet:#}"
        );
        // Ours did what it should.
        assert_eq!(packet["prediction"]["kind"], "same", "{packet:#}");
    }
    assert_eq!(passes["verdict"], "accept");
    assert!(
        places(&passes).contains(&"inet other strict".to_owned()),
        "{passes:#}"
    );
    tracing.end();
}

pub(crate) fn to_the_host() {
    let site = Site::new();
    let palisade = Palisade::new(&site.host);
    palisade.apply(&*NETWORKS).stdout();
    let mut tracing = Tracing::begin(&site, &palisade, &["--proto", "udp", "--count", "1"]);
    send(&site.guest, GATEWAY, 53, 1);
    let packet = tracing.packet();
    assert_eq!(packet["end"], "arrived", "{packet:#}");
    assert_eq!(packet["packet"]["out_interface"], Value::Null);
    tracing.end();
}

/// What iptables-nft made are rules too.
pub(crate) fn of_iptables_nft() {
    if !is_in_path("iptables-nft-restore") {
        panic!("needs `iptables-nft-restore`: run `cargo xtask setup`");
    }
    let site = Site::new();
    let palisade = Palisade::new(&site.host).with(["--backend", "iptables", "--iptables", "nft"]);
    palisade.apply(&*NETWORKS).stdout();
    let mut tracing = Tracing::begin(&site, &palisade, &["--proto", "udp", "--count", "2"]);
    send(&site.guest, WORLD, 5000, 1);
    send(&site.world, GUEST, 5005, 1);
    let (out, refused) = (tracing.packet(), tracing.packet());
    assert!(
        places(&out).contains(&"ip filter PALISADE_FWO".to_owned()),
        "{out:#}"
    );
    assert!(
        places(&out).contains(&"ip nat PALISADE_PRT".to_owned()),
        "{out:#}"
    );
    assert_eq!(out["source"]["address"], HOST);
    assert_eq!(refused["verdict"], "reject", "{refused:#}");
    assert_eq!(
        places(&refused).last().map(String::as_str),
        Some("ip filter PALISADE_FWI")
    );
    // In the words of those who made them, each with its network and what it is for.
    let mut save = Command::new("iptables-nft-save");
    let saved = site.host.answer(&mut save, "").stdout();
    for (packet, purpose) in [(&out, "nat"), (&out, "out"), (&refused, "refuse in")] {
        let path = packet["path"].as_array().expect("a path");
        let is_of = |visit: &&Value| visit["purpose"] == purpose;
        let visit = path
            .iter()
            .find(is_of)
            .unwrap_or_else(|| panic!("{packet:#}"));
        assert_eq!(visit["network"], "nat", "{packet:#}");
        let text = |key: &str| visit[key].as_str().expect("a text");
        let line = format!("-A {} {}\n", text("chain"), text("rule"));
        assert!(saved.contains(&line), "{line}{saved}");
    }
    tracing.end();
}

/// nf_tables does not tell of ip_tables: that is said, and what can be seen is told.
pub(crate) fn within_legacy_tables() {
    if !is_in_path("iptables-legacy-restore") {
        panic!("needs `iptables-legacy-restore`: run `cargo xtask setup`");
    }
    let site = Site::new();
    let palisade =
        Palisade::new(&site.host).with(["--backend", "iptables", "--iptables", "legacy"]);
    palisade.apply(&*NETWORKS).stdout();
    let mut tracing = Tracing::begin(&site, &palisade, &["--proto", "udp", "--count", "2"]);
    send(&site.guest, WORLD, 5000, 1);
    send(&site.world, GUEST, 5005, 1);
    let (out, refused) = (tracing.packet(), tracing.packet());
    assert_eq!(out["end"], "left");
    assert_eq!(out["source"]["address"], HOST, "{out:#}");
    assert_eq!(
        (&refused["end"], &refused["verdict"]),
        (&"unknown".into(), &Value::Null)
    );
    let (code, said) = tracing.end();
    assert_eq!(code, Some(0));
    for network in ["nat", "route"] {
        assert!(
            said.contains(&format!("`{network}` is installed through iptables-legacy")),
            "{said}"
        );
    }
}
