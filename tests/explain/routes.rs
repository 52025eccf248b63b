//! What the kernel's routes and settings do to packets: what is said is what becomes of them.

use std::net::UdpSocket;
use std::time::Duration;

use palisade_tests::{Definition, Palisade, Trials};
use serde_json::Value;

use crate::running::explained;
use crate::site::{GUEST, Site, WORLD};

pub(crate) fn add_to(trials: Trials) -> Trials {
    trials
        .with("outages_of_routing", outages_of_routing)
        .with("ports_and_frames", ports_and_frames)
        .with("what_is_around_a_packet", what_is_around_a_packet)
        .with(
            "forwards_to_guests_that_are_cut_off",
            forwards_to_guests_that_are_cut_off,
        )
        .with("marks_that_routes_ask_for", marks_that_routes_ask_for)
        .with("detours_are_named", detours_are_named)
        .with(
            "answers_that_do_not_come_back",
            answers_that_do_not_come_back,
        )
        .with(
            "missing_rules_are_in_the_first_line",
            missing_rules_are_in_the_first_line,
        )
        .with("a_sure_stop_behind_a_doubt", a_sure_stop_behind_a_doubt)
        .with("why_a_network_refuses", why_a_network_refuses)
}

const QUESTION: &str = "--from default/10.1.0.5 --to world/192.0.2.2 --proto udp --dport 5000";

impl Site {
    /// Whether what the guest sends to the world is answered.
    fn is_answered(&self) -> bool {
        let client = self
            .guest
            .inside(|| UdpSocket::bind((GUEST, 0)).expect("bind"));
        let server = self
            .world
            .inside(|| UdpSocket::bind((WORLD, 5000)).expect("bind"));
        for socket in [&client, &server] {
            let patience = Duration::from_millis(120);
            socket
                .set_read_timeout(Some(patience))
                .expect("set a time limit");
        }
        (0..2).any(|_| {
            let _ = client.send_to(b"there", (WORLD, 5000));
            let Ok((_, from)) = server.recv_from(&mut [0; 64]) else {
                return false;
            };
            let _ = server.send_to(b"back", from);
            client.recv_from(&mut [0; 64]).is_ok()
        })
    }
}

/// Each cuts guests off, and is undone.
const OUTAGES: [(&str, &str, &str); 11] = [
    (
        "link set virbr0 type bridge stp_state 1\nlink set vnet0 down\nlink set vnet0 up",
        "link set virbr0 type bridge stp_state 0\nlink set vnet0 down\nlink set vnet0 up",
        "ports-down",
    ),
    (
        "route add blackhole 192.0.2.2",
        "route del blackhole 192.0.2.2",
        "blackhole",
    ),
    (
        "route add unreachable 192.0.2.2",
        "route del unreachable 192.0.2.2",
        "unreachable",
    ),
    (
        "route add prohibit 192.0.2.2",
        "route del prohibit 192.0.2.2",
        "prohibited",
    ),
    (
        "route add unreachable default table 200\nrule add from 10.1.0.0/24 lookup 200 pref 90",
        "rule del pref 90",
        "unreachable",
    ),
    (
        "rule add from 10.1.0.0/24 to 192.0.2.0/24 prohibit pref 91",
        "rule del pref 91",
        "prohibited",
    ),
    (
        "rule add iif virbr0 ipproto udp dport 5000 blackhole pref 92",
        "rule del pref 92",
        "blackhole",
    ),
    (
        "route del 192.0.2.0/24 dev wan0",
        "route add 192.0.2.0/24 dev wan0 src 192.0.2.1",
        "no-route",
    ),
    (
        "link set virbr0 down",
        "link set virbr0 up",
        "interface-down",
    ),
    ("link set wan0 down", "link set wan0 up", "no-route"),
    ("link set vnet0 down", "link set vnet0 up", "ports-down"),
];

fn outages_of_routing() {
    for layout in ["mapped", "flat"] {
        let site = Site::new();
        let palisade = site.runs(&["--layout", layout]);
        let healthy = explained(&palisade, QUESTION);
        assert_eq!(healthy["verdict"], "accept", "{healthy:#}");
        assert_eq!(healthy["reply"]["verdict"], "accept", "{healthy:#}");
        assert!(site.is_answered());
        let is_stopped = |what: &str, kind: &str| {
            let told = explained(&palisade, QUESTION);
            assert_eq!(told["verdict"], "unroutable", "{what}: {told:#}");
            assert_eq!(told["no_way"]["kind"], kind, "{what}: {told:#}");
            assert!(!site.is_answered(), "{what}");
        };
        for (cut, mend, kind) in OUTAGES {
            site.host.ip(cut);
            is_stopped(cut, kind);
            site.host.ip(mend);
            assert_eq!(
                explained(&palisade, QUESTION)["verdict"],
                "accept",
                "{mend}"
            );
            // The kernel waits before it asks again for a neighbour that was silent.
            assert!((0..20).any(|_| site.is_answered()), "{mend}");
        }
        for setting in ["ip_forward", "conf/virbr0/forwarding"] {
            let key = format!("ipv4/{setting}");
            site.host.sysctl(&key, "0");
            is_stopped(&key, "not-forwarded");
            site.host.sysctl(&key, "1");
        }
        assert!(site.is_answered());
    }
}

/// Guests behind one of several ports may be cut off, and a bridge's frames may not meet rules of IP.
fn ports_and_frames() {
    let site = Site::new();
    let palisade = site.runs(&[]);
    site.host.bridges(["other"]);
    site.host.cable("vnet1", &site.world, "eth1");
    site.host
        .ip("link set vnet1 master virbr0\nlink set vnet1 down");
    let caveats = explained(&palisade, QUESTION)["caveats"].to_string();
    assert!(caveats.contains("cut off: `vnet1`"), "{caveats}");
    site.host.ip("link set vnet1 up");
    assert_eq!(explained(&palisade, QUESTION)["caveats"], Value::Null);
    site.host.nft(
        "table ip host {\nchain c { type filter hook forward priority 0;\n\
         ip daddr 10.1.0.9 drop\n}\n}",
    );
    let between = "--from default/10.1.0.5 --to default/10.1.0.9";
    for (setting, verdict) in [("0", "accept"), ("1", "drop")] {
        site.host.sysctl("bridge/bridge-nf-call-iptables", setting);
        assert_eq!(
            explained(&palisade, between)["verdict"],
            verdict,
            "{setting}"
        );
    }
    site.host.sysctl("bridge/bridge-nf-call-iptables", "0");
    site.host
        .ip("link set virbr0 type bridge nf_call_iptables 1");
    assert_eq!(explained(&palisade, between)["verdict"], "drop");
}

/// Rules give packets marks, and routes depend on them.
fn marks_that_routes_ask_for() {
    let site = Site::new();
    let palisade = site.runs(&[]);
    site.host.ip("rule add fwmark 7 blackhole pref 90");
    assert_eq!(explained(&palisade, QUESTION)["verdict"], "accept");
    assert!(site.is_answered());
    site.host.nft(
        "table ip host {\nchain c { type filter hook prerouting priority mangle;\n\
         iifname virbr0 meta mark set 7\n}\n}",
    );
    let told = explained(&palisade, QUESTION);
    assert_eq!(told["verdict"], "unknown", "{told:#}");
    assert_eq!(told["undecided"][0]["rule"], "fwmark", "{told:#}");
    assert!(!site.is_answered());
}

/// What is around a packet's way and keeps it from arriving is in the first line.
fn what_is_around_a_packet() {
    let site = Site::new();
    let palisade = site.runs(&[]);
    site.host.cable("vnet1", &site.world, "eth1");
    site.host.ip("link set vnet1 master virbr0");
    let between = "--from default/10.1.0.5 --to default/10.1.0.9";
    assert_eq!(explained(&palisade, between)["verdict"], "accept");
    site.host.ip("link set vnet0 type bridge_slave isolated on");
    assert_eq!(explained(&palisade, between)["verdict"], "accept");
    site.host.ip("link set vnet1 type bridge_slave isolated on");
    let told = explained(&palisade, between);
    assert_eq!(told["no_way"]["kind"], "ports-isolated", "{told:#}");

    let group = "--in virbr0 --src 10.1.0.5 --dst 239.255.255.250 --proto udp --dport 1900";
    let caveats = explained(&palisade, group)["caveats"].to_string();
    assert!(caveats.contains("has joined 239.255.255.250"), "{caveats}");
    site.host
        .ip("addr add 239.255.255.250/32 dev virbr0 autojoin");
    assert_eq!(explained(&palisade, group)["caveats"], Value::Null);
    let to_all = "--in virbr0 --src 10.1.0.5 --dst 10.1.0.255 --proto udp --dport 68";
    let told = explained(&palisade, to_all);
    assert_eq!(
        (&told["verdict"], &told["reply"]),
        (&"accept".into(), &Value::Null),
        "{told:#}"
    );
    let membership = explained(&palisade, "--from default --to host --proto igmp");
    assert_eq!(membership["packet"]["protocol"], 2);

    // A mark that comes behind the routing changes no route.
    site.host.ip("rule add fwmark 7 blackhole pref 90");
    site.host.nft(
        "table ip host {\nchain c { type filter hook forward priority mangle;\n\
         meta mark set 7\n}\n}",
    );
    assert_eq!(explained(&palisade, QUESTION)["verdict"], "accept");
    assert!(site.is_answered());

    site.host.ip("route add default via 192.0.2.77");
    let beyond = "--from default/10.1.0.5 --to world/198.51.100.1";
    assert_eq!(explained(&palisade, beyond)["verdict"], "accept");
    let client = site
        .guest
        .inside(|| UdpSocket::bind((GUEST, 0)).expect("bind"));
    client.send_to(b"there", ("198.51.100.1", 9)).expect("send");
    let mut tries = 0..100;
    let is_noted = tries.any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        let notes = explained(&palisade, beyond)["notes"].to_string();
        notes.contains("192.0.2.77 did not answer on `wan0`")
    });
    assert!(is_noted);

    site.world.ip("link set eth0 down");
    let told = explained(&palisade, QUESTION);
    assert_eq!(told["no_way"]["kind"], "no-carrier", "{told:#}");
}

/// A forward whose guest cannot be reached does not pass, and says why.
fn forwards_to_guests_that_are_cut_off() {
    let site = Site::new();
    let palisade = Palisade::new(&site.host);
    let network = Definition::nat("default", "virbr0", &["10.1.0.1/24"]);
    let network = network.with_forwards(&["udp 192.0.2.1:53 -> 10.1.0.5:53"]);
    palisade.apply(&[network]).stdout();
    let asked = "--in wan0 --src 192.0.2.2 --dst 192.0.2.1 --proto udp --dport 53";
    let told = explained(&palisade, asked);
    assert_eq!(told["verdict"], "accept", "{told:#}");
    assert_eq!(told["packet"]["out_interface"], "virbr0", "{told:#}");
    let line = format!("explain {asked}");
    let text = palisade.answer(line.split(' ')).stdout;
    let first = text.lines().next().expect("a line");
    assert!(first.contains("goes to 10.1.0.5:53"), "{first}");
    for (cut, kind) in [("vnet0", "ports-down"), ("virbr0", "interface-down")] {
        site.host.ip(&format!("link set {cut} down"));
        let told = explained(&palisade, asked);
        assert_eq!(told["verdict"], "unroutable", "{cut}: {told:#}");
        assert_eq!(told["no_way"]["kind"], kind, "{cut}: {told:#}");
        site.host.ip(&format!("link set {cut} up"));
    }
}

/// Where routes lead elsewhere, that way is named, and no other.
fn detours_are_named() {
    let site = Site::new();
    let palisade = site.runs(&["--layout", "flat"]);
    site.host.bridges(["tail0"]);
    site.host.ip(
        "addr add 100.64.0.1/32 dev tail0\nroute add default dev tail0 table 52\n\
         rule add pref 5270 lookup 52",
    );
    let told = explained(&palisade, QUESTION);
    assert_eq!(told["packet"]["out_interface"], "tail0", "{told:#}");
    assert_eq!(
        (&told["route"]["device"], &told["route"]["table"]),
        (&"tail0".into(), &52.into())
    );
    assert!(!site.is_answered());
    let meant = format!("{QUESTION} --out wan0");
    let caveats = explained(&palisade, &meant)["caveats"].to_string();
    assert!(caveats.contains("leads through `tail0`"), "{caveats}");
    for rule in [
        "to 10.1.0.0/24 lookup main pref 5200",
        "from 10.1.0.0/24 lookup main pref 5201",
    ] {
        site.host.ip(&format!("rule add {rule}"));
    }
    assert_eq!(
        explained(&palisade, QUESTION)["packet"]["out_interface"],
        "wan0"
    );
    assert!(site.is_answered());
    // No default route: none is made up.
    site.host.ip("rule del pref 5270");
    let beyond = explained(&palisade, "--from default --to world/198.51.100.1");
    assert_eq!(beyond["verdict"], "unroutable", "{beyond:#}");
    assert_eq!(beyond["packet"]["out_interface"], Value::Null);
}

/// The packet passes and its answer is lost: the first line says so.
fn answers_that_do_not_come_back() {
    let site = Site::new();
    let palisade = site.runs(&[]);
    let is_lost = |what: &str, verdict: &str| {
        let told = explained(&palisade, QUESTION);
        assert_eq!(told["verdict"], "accept", "{what}: {told:#}");
        assert_eq!(told["reply"]["verdict"], verdict, "{what}: {told:#}");
        let line = format!("explain {QUESTION}");
        let text = palisade.answer(line.split(' ')).stdout;
        let first = text.lines().next().expect("a line");
        assert!(
            first.contains("but its answer does not come back"),
            "{first}"
        );
        assert!(!site.is_answered(), "{what}");
    };
    site.host.sysctl("ipv4/conf/wan0/forwarding", "0");
    is_lost("forwarding", "unroutable");
    site.host.sysctl("ipv4/conf/wan0/forwarding", "1");
    site.host
        .ip("rule add iif wan0 to 10.1.0.0/24 blackhole pref 93");
    is_lost("a rule", "unroutable");
    site.host.ip("rule del pref 93");
    site.host.nft(
        "table inet host {\nchain c { type filter hook forward priority 10;\n\
         iifname wan0 ct state established drop\n}\n}",
    );
    is_lost("a chain", "drop");
    site.host.nft("delete table inet host");
    assert!(site.is_answered());
}

fn missing_rules_are_in_the_first_line() {
    let site = Site::new();
    let palisade = site.runs(&[]);
    site.host.nft("flush ruleset");
    let line = format!("explain {QUESTION}");
    let text = palisade.answer(line.split(' ')).stdout;
    let first = text.lines().next().expect("a line");
    assert!(
        first.contains("rules of network `default` are missing"),
        "{first}"
    );
    palisade.ok(["repair"]);
    let told = explained(&palisade, QUESTION);
    assert_eq!(told["caveats"], Value::Null, "{told:#}");
}

/// What a doubt may let pass, and a later chain drops for sure, is dropped.
fn a_sure_stop_behind_a_doubt() {
    let site = Site::new();
    let palisade = site.runs(&[]);
    let chain = |name: &str, priority: i32, rules: &str| {
        format!(
            "chain {name} {{ type filter hook forward priority {priority}; policy drop;\n{rules}\n}}\n"
        )
    };
    let doubtful = chain("a", 5, "limit rate 1000/second accept");
    let sure = chain("b", 10, "udp dport 9 accept");
    site.host.nft(&format!("table inet host {{\n{doubtful}}}"));
    let told = explained(&palisade, QUESTION);
    assert_eq!(told["verdict"], "unknown", "{told:#}");
    site.host.nft(&format!("table inet host {{\n{sure}}}"));
    let told = explained(&palisade, QUESTION);
    assert_eq!(told["verdict"], "drop", "{told:#}");
    assert_eq!(told["undecided"], serde_json::json!([]), "{told:#}");
    let last = told["path"]
        .as_array()
        .and_then(|path| path.last())
        .expect("a rule");
    assert_eq!(last["chain"], "b", "{told:#}");
    assert!(!site.is_answered());
}

/// The device that a network is bound to, and a source beyond its subnets, are named.
fn why_a_network_refuses() {
    let site = Site::new();
    let palisade = Palisade::new(&site.host);
    let folder = tempfile::tempdir().expect("make a folder");
    let file = folder.path().join("bound.xml");
    let bound = "<network><name>default</name><forward mode='nat' dev='other0'/>\
                 <bridge name='virbr0'/><ip address='10.1.0.1' prefix='24'/></network>";
    std::fs::write(&file, bound).expect("write a definition");
    palisade.ok(["apply", file.to_str().expect("a path")]);
    let told = explained(&palisade, QUESTION);
    assert_ne!(told["verdict"], "accept", "{told:#}");
    let caveats = told["caveats"].to_string();
    assert!(caveats.contains("bound to `other0`"), "{caveats}");
    assert!(!site.is_answered());
    let forged = "--in virbr0 --src 10.77.0.5 --dst 192.0.2.2 --proto udp --dport 5000";
    let caveats = explained(&palisade, forged)["caveats"].to_string();
    assert!(
        caveats.contains("10.77.0.5 is in none of the subnets"),
        "{caveats}"
    );
}
