//! What is counted, against the packets that were sent; and that changes and mending keep it.

use std::collections::BTreeMap;
use std::process::Command;

use palisade_tests::probe::Outcome;
use palisade_tests::{Palisade, Trials};
use serde_json::Value;

use crate::site::Site;
use palisade_tests::place::{Place, assert_clean, net, routed};

pub(crate) fn add_to(mut trials: Trials) -> Trials {
    for place in Place::ALL {
        trials = trials.with(
            format!("{place:?}: counters are of what was sent, and stay"),
            move || {
                count_and_keep(place);
            },
        );
    }
    trials
        .with("counters for Prometheus", for_prometheus)
        .with("`counters --watch` tells rates", watch)
}

/// By purpose, packets of IPv4; and connections with NAT.
#[track_caller]
fn counted(palisade: &Palisade<'_>, network: &str) -> BTreeMap<String, u64> {
    let text = palisade.ok(["--format", "json", "counters", network]);
    let all: Value = serde_json::from_str(&text).expect("JSON");
    let all = all.as_array().expect("an array");
    let of_ipv4 = all.iter().find(|one| one["family"] == "ipv4");
    let of_ipv4 = of_ipv4.unwrap_or_else(|| panic!("counters of ipv4: {text}"));
    assert_eq!(of_ipv4["network"], network);
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    for one in of_ipv4["counters"].as_array().expect("an array") {
        let purpose = one["purpose"].as_str().expect("a purpose").to_owned();
        found.insert(purpose, one["packets"].as_u64().expect("packets"));
    }
    let connections = of_ipv4["nat_connections"].as_u64().expect("connections");
    found.insert("nat".to_owned(), connections);
    found
}

fn count_and_keep(place: Place) {
    let site = Site::new();
    let palisade = place.palisade(&site.host);
    palisade.apply([&net(1), &net(2)]).stdout();
    site.ask(3);
    assert_eq!(site.intrude(), Outcome::Refused);
    let mut expected = BTreeMap::from(
        [
            ("out", 3),
            ("in", 3),
            ("cross", 0),
            ("refused_out", 0),
            ("refused_in", 1),
            ("nat", 3),
        ]
        .map(|(purpose, packets)| (purpose.to_owned(), packets)),
    );
    if place == Place::Mapped {
        expected.extend(["spoofed", "invalid"].map(|purpose| (purpose.to_owned(), 0)));
    }
    assert_eq!(counted(&palisade, "net1"), expected);

    let stay = |what: &str, change: &mut dyn FnMut()| {
        change();
        assert_eq!(counted(&palisade, "net1"), expected, "after {what}");
    };
    stay("applying again", &mut || {
        palisade.apply([&net(1)]).stdout();
    });
    stay("a replacement of another", &mut || {
        palisade.apply([&routed(2)]).stdout();
    });
    stay("another one that comes", &mut || {
        palisade.apply([&net(3)]).stdout();
    });
    stay("a second address of its own", &mut || {
        let mut more = net(1);
        more.subnets.push("10.200.0.1/28".to_owned());
        palisade.apply([&more]).stdout();
        palisade.apply([&net(1)]).stdout();
    });
    stay("a mended rule of another", &mut || {
        damage(place, &site, "virbr3");
        palisade.ok(["repair", "net3"]);
    });
    stay("a table made anew", &mut || {
        damage(place, &site, "virbr3");
        intrude(place, &site);
        palisade.ok(["repair"]);
        assert_clean(&palisade);
    });
    stay("a removal of another", &mut || {
        palisade.ok(["remove", "net2"]);
    });
    site.ask(1);
    assert_eq!(counted(&palisade, "net1")["out"], expected["out"] + 1);
}

/// Takes something of the network on this bridge away.
fn damage(place: Place, site: &Site, bridge: &str) {
    match place {
        Place::Mapped => site.host.nft(&format!(
            "delete element ip palisade cross {{ \"{bridge}\" . \"{bridge}\" }}"
        )),
        Place::Flat => {
            let mut nft = Command::new("nft");
            nft.args(["-a", "list", "chain", "ip", "palisade", "guest_cross"]);
            let listed = site.host.answer(&mut nft, "").stdout();
            let rule = listed.lines().find(|line| line.contains(bridge));
            let (_, handle) = rule
                .and_then(|rule| rule.rsplit_once(' '))
                .expect("its rule");
            site.host.nft(&format!(
                "delete rule ip palisade guest_cross handle {handle}"
            ));
        }
        Place::Legacy | Place::Nft => {
            let program = format!("iptables-{}", place.word());
            let rule = format!("-D PALISADE_FWX -i {bridge} -o {bridge} -m comment --comment");
            let mut command = Command::new(program);
            command
                .args(rule.split(' '))
                .args(["net3: guest to guest", "-j", "ACCEPT"]);
            site.host.answer(&mut command, "").stdout();
        }
    }
}

/// Puts a rule where only ours belong.
fn intrude(place: Place, site: &Site) {
    match place {
        Place::Mapped => site.host.nft("insert rule ip palisade from_guest counter"),
        Place::Flat => site
            .host
            .nft("insert rule ip palisade guest_output counter"),
        Place::Legacy | Place::Nft => {
            let mut command = Command::new(format!("iptables-{}", place.word()));
            command.args(["-I", "PALISADE_FWO", "-j", "RETURN"]);
            site.host.answer(&mut command, "").stdout();
        }
    }
}

fn for_prometheus() {
    let site = Site::new();
    let palisade = Place::Mapped.palisade(&site.host);
    palisade.apply([&net(1), &routed(2)]).stdout();
    site.ask(2);
    let text = palisade.ok(["counters", "--format", "prometheus"]);
    let samples = exposition(&text);
    let value = |metric: &str, purpose: &str| {
        let labels = [
            ("family", "ipv4"),
            ("network", "net1"),
            ("purpose", purpose),
        ];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
        samples[&(metric.to_owned(), BTreeMap::from(labels))]
    };
    assert_eq!(value("palisade_packets_total", "out"), 2);
    assert!(
        value("palisade_bytes_total", "out") >= 2 * 28,
        "with headers"
    );
    assert_eq!(value("palisade_nat_connections_total", "nat"), 2);
    assert_eq!(value("palisade_packets_total", "refused_in"), 0);
    // A network without NAT has no number of connections.
    let nat = samples.keys().filter(|(metric, _)| metric.contains("nat"));
    assert!(nat.clone().count() > 0);
    for (_, labels) in nat {
        assert_eq!(labels["network"], "net1");
    }
    palisade
        .answer(["list", "--format", "prometheus"])
        .refusal(2);
}

type Samples = BTreeMap<(String, BTreeMap<String, String>), u64>;

/// Reads text in Prometheus' format 0.0.4 as strictly as it is written down: each metric has its
/// HELP and TYPE before its samples, which stand together, each once.
#[track_caller]
fn exposition(text: &str) -> Samples {
    assert!(text.ends_with('\n'));
    let is_name = |name: &str| {
        let mut letters = name.chars();
        letters
            .next()
            .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let mut samples = Samples::new();
    let mut metric = String::new();
    let mut seen: Vec<String> = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("a name and help");
            assert!(
                is_name(name) && !help.is_empty() && !seen.contains(&name.to_owned()),
                "{line}"
            );
            metric = name.to_owned();
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            assert_eq!(rest, format!("{metric} counter"));
            seen.push(metric.clone());
        } else {
            assert_eq!(seen.last(), Some(&metric), "a type before {line}");
            let (name, rest) = line.split_once('{').expect("labels");
            assert_eq!(name, metric);
            let (labels, value) = rest.rsplit_once("} ").expect("a value");
            let mut read = BTreeMap::new();
            for label in labels.split(',') {
                let (name, value) = label.split_once('=').expect("a label");
                let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
                let value = value.expect("a value in quotes");
                assert!(
                    is_name(name) && !value.contains(['"', '\\', '\n']),
                    "{line}"
                );
                assert_eq!(read.insert(name.to_owned(), value.to_owned()), None);
            }
            let value = value.parse().expect("a number");
            assert_eq!(
                samples.insert((name.to_owned(), read), value),
                None,
                "{line}"
            );
        }
    }
    samples
}

fn watch() {
    let site = Site::new();
    let palisade = Place::Mapped.palisade(&site.host);
    palisade.apply([&net(1)]).stdout();
    let mut command = palisade.command(["--format", "json", "counters", "--watch=1"]);
    command.stdout(std::process::Stdio::piped());
    let mut child = site
        .host
        .inside(|| command.spawn().expect("start the command"));
    let output = child.stdout.take().expect("its output");
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(output));
    let mut next = || -> Value {
        let line = lines.next().expect("a line").expect("text");
        serde_json::from_str(&line).expect("each line is JSON")
    };
    assert_eq!(next()[0]["rates"], Value::Null);
    site.ask(3);
    let rate = next()[0]["rates"]["out"]["packets_per_second"].as_f64();
    let rate = rate.expect("a rate");
    assert!(
        (1.5..=3.5).contains(&rate),
        "three in about a second: {rate}"
    );
    child.kill().expect("kill the command");
    child.wait().expect("wait for the command");
}
