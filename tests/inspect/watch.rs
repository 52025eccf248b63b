//! `watch`: who changed what, told as it happens; with `--heal`, put back at once.

use std::collections::BTreeSet;
use std::io::Read;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::pty::openpty;
use nix::sys::signal::Signal;
use palisade_tests::Trials;
use serde_json::Value;

use crate::site::Site;
use crate::watching::{Watching, any};
use palisade_tests::place::{Place, assert_clean, net, routed};
use palisade_tests::raw;

pub(crate) fn add_to(mut trials: Trials) -> Trials {
    for place in Place::ALL {
        trials = trials.with(
            format!("{place:?}: `watch --heal` puts back at once"),
            move || {
                heals(place);
            },
        );
    }
    for place in Place::ALL {
        let name = format!("{place:?}: `watch` knows what is ours");
        trials = trials.with(name, move || knows_ours(place));
    }
    // Legacy tables tell nothing.
    for place in [Place::Mapped, Place::Flat, Place::Nft] {
        let name = format!("{place:?}: `watch` names networks");
        trials = trials.with(name, move || names_networks(place));
        let name = format!("{place:?}: `watch` names the networks of what is deleted");
        trials = trials.with(name, move || names_deleted(place));
    }
    for place in [Place::Legacy, Place::Nft] {
        let name = format!("{place:?}: `watch` tells what moved the jumps");
        trials = trials.with(name, move || tells_of_jumps(place));
    }
    trials
        .with("`watch` tells who changed what", tells)
        .with("`watch` reads anew what it could not hear", overrun)
        .with("`watch` as a service of systemd's", serves)
        .with("`watch` ends with its terminal", ends_with_its_terminal)
        .with("`watch --refused` follows what is refused", follows)
        .with("`watch --heal --refused` does both", follows_and_heals)
        .with("`watch --heal` rests in a fight", rests)
}

fn heals(place: Place) {
    let site = Site::new();
    let palisade = place.palisade(&site.host);
    palisade.apply([&net(1), &net(2)]).stdout();
    let watching = Watching::start(&site, &palisade, &["--heal"]);
    let before = place.standing(&site.host).lines().count();
    for round in 0..2 {
        let begun = Instant::now();
        break_all(place, &site);
        while place.standing(&site.host).lines().count() != before {
            assert!(begun.elapsed() < Duration::from_secs(10), "round {round}");
            thread::sleep(Duration::from_millis(10));
        }
        let took = begun.elapsed();
        // Tables of legacy iptables tell nothing: they are looked at every two seconds.
        let patience = if place == Place::Legacy { 4000 } else { 1000 };
        assert!(took < Duration::from_millis(patience), "{took:?}");
        let healed = watching.next("healed", any);
        let changes = healed["changes"].as_array().expect("changes");
        assert!(
            changes.iter().any(|change| change["network"] == "net1"),
            "{healed}"
        );
        assert!(
            changes.iter().all(|change| change["action"] == "restore"),
            "{healed}"
        );
    }
    assert_clean(&palisade);
    site.ask(1);
    // Other commands work beside it, and it leaves alone what they do.
    palisade.apply([&net(3)]).stdout();
    palisade.ok(["remove", "net2"]);
    assert_clean(&palisade);
    assert_eq!(palisade.running(), ["net1", "net3"]);
    palisade.ok(["remove", "--all"]);
    thread::sleep(Duration::from_millis(300));
    assert!(!place.standing(&site.host).contains("virbr"));
}

fn break_all(place: Place, site: &Site) {
    match place {
        Place::Mapped | Place::Flat => site.host.nft("flush ruleset"),
        Place::Legacy | Place::Nft => {
            let mut command = Command::new(format!("iptables-{}", place.word()));
            site.host.answer(command.arg("-F"), "").stdout();
        }
    }
}

fn tells() {
    for place in Place::OF_NFTABLES {
        let site = Site::new();
        let palisade = place.palisade(&site.host);
        palisade.apply([&net(1)]).stdout();
        let watching = Watching::start(&site, &palisade, &[]);
        // Others' own tables are nobody's business.
        site.host
            .nft("table inet other { chain in { type filter hook input priority 0\n }\n}");
        palisade.apply([&net(2)]).stdout();
        let own = watching.next("changed", any);
        assert_eq!(own["own"], true, "{own}");
        assert_eq!(own["networks"], serde_json::json!(["net2"]), "{own}");
        assert_eq!(own["process"]["name"], "palisade");

        let (delete, said) = match place {
            Place::Mapped => (
                "delete element ip palisade out_24 { \"virbr1\" . 10.1.0.0 }",
                "element ip palisade out_24 { \"virbr1\" . 10.1.0.0 }",
            ),
            _ => (
                "flush chain ip palisade guest_cross",
                "net1: guest to guest",
            ),
        };
        site.host.nft(delete);
        let told = watching.next("changed", any);
        assert_eq!(told["own"], false);
        assert_eq!(told["process"]["name"], "nft");
        assert!(told["process"]["id"].as_u64().is_some_and(|id| id > 0));
        let is_told = |line: &Value| {
            line["sign"] == "-"
                && line["network"] == "net1"
                && line["text"]
                    .as_str()
                    .is_some_and(|text| text.contains(said))
        };
        let lines = told["lines"].as_array().expect("lines");
        assert!(lines.iter().any(is_told), "{told:#}");
        let differs = watching.next("differs", any);
        assert_eq!(differs["clean"], false);
        assert_eq!(
            palisade.answer(["verify"]).code,
            Some(3),
            "it is not put back"
        );
        site.host.nft("delete table ip palisade");
        let told = watching.next("changed", any);
        let lines = told["lines"].as_array().expect("lines");
        assert_eq!(
            lines.len(),
            1,
            "the table, and not all that was in it: {told:#}"
        );
        assert_eq!(
            told["networks"],
            serde_json::json!(["net1", "net2"]),
            "{told}"
        );
    }
}

/// Rules of others above our jumps, and jumps that go: they are told before they are put back, with who
/// did it where the kernel says.
fn tells_of_jumps(place: Place) {
    let site = Site::new();
    let palisade = place.palisade(&site.host);
    palisade.apply([&net(1)]).stdout();
    let iptables = |words: &str| {
        let mut command = Command::new(format!("iptables-{}", place.word()));
        let command = command.args(words.split(' '));
        site.host.answer(command, "").stdout();
    };
    for heal in [&["--heal"][..], &[]] {
        let last = if heal.is_empty() { "differs" } else { "healed" };
        let watching = Watching::start(&site, &palisade, heal);
        // What stands when it begins is put back without a word of what it was.
        thread::sleep(Duration::from_millis(300));
        for change in [
            "-I FORWARD -i other0 -j ACCEPT",
            "-D FORWARD -j PALISADE_FWO",
        ] {
            iptables(change);
            let told = watching.until(last, any);
            let is_of = |kind| told.iter().filter(move |event| event["event"] == kind);
            let text = format!("{told:#?}");
            assert!(text.contains("FORWARD"), "{text}");
            match (place, is_of("changed").next()) {
                (Place::Nft, Some(changed)) => {
                    assert_eq!(changed["own"], false, "{text}");
                    let lines = changed["lines"].as_array().expect("lines");
                    assert_eq!(lines.len(), 1, "{text}");
                    assert!(changed["process"]["id"].is_u64(), "{text}");
                }
                (Place::Nft, None) => panic!("nobody: {text}"),
                _ => assert_eq!(is_of("differs").count(), 1, "{text}"),
            }
            // Others' rules where nothing of ours is moved are nobody's business.
            iptables("-A FORWARD -i other0 -j ACCEPT");
            thread::sleep(Duration::from_millis(300));
            let more: Vec<Value> = watching.events.try_iter().collect();
            assert!(more.iter().all(|event| event["own"] == true), "{more:#?}");
        }
    }
}

/// From the first network to the last: nobody else did it, and nothing differs meanwhile.
fn knows_ours(place: Place) {
    let site = Site::new();
    let palisade = place.palisade(&site.host);
    let watching = Watching::start(&site, &palisade, &[]);
    for _ in 0..6 {
        palisade.apply([&net(1), &net(2)]).stdout();
        palisade.apply([&routed(1)]).stdout();
        palisade.ok(["remove", "net2"]);
        palisade.ok(["remove", "--all"]);
    }
    palisade.apply([&net(1)]).stdout();
    thread::sleep(Duration::from_millis(300));
    break_all(place, &site);
    let told = watching.until("differs", any);
    let changed: Vec<&Value> = told.iter().filter(|e| e["event"] == "changed").collect();
    let (ours, others): (Vec<&Value>, Vec<&Value>) = changed
        .into_iter()
        .partition(|change| change["own"] == true);
    for change in &others {
        let by = change["process"]["name"].as_str().expect("a name");
        let is_meant = ["nft", "iptables-nft", "xtables-nft-mul"].contains(&by);
        assert!(is_meant, "{change:#}");
    }
    let rest = told.len() - ours.len() - others.len();
    assert_eq!(rest, 1, "only the last differs: {told:#?}");
    if place != Place::Legacy {
        assert!(!others.is_empty());
    }
}

/// Whose rules came, changed and went.
fn names_networks(place: Place) {
    let site = Site::new();
    let palisade = place.palisade(&site.host);
    let watching = Watching::start(&site, &palisade, &[]);
    let named = || {
        thread::sleep(Duration::from_millis(400));
        let mut named = BTreeSet::new();
        for event in watching.events.try_iter() {
            assert_eq!(event["own"], true, "{event:#}");
            let names = event["networks"].as_array().expect("names");
            named.extend(
                names
                    .iter()
                    .map(|name| name.as_str().expect("a name").to_owned()),
            );
        }
        named
    };
    let both = BTreeSet::from(["net1".to_owned(), "net2".to_owned()]);
    let one = |name: &str| BTreeSet::from([name.to_owned()]);
    palisade.apply([&net(1), &net(2)]).stdout();
    assert_eq!(named(), both);
    palisade.apply([&routed(1)]).stdout();
    assert_eq!(named(), one("net1"));
    palisade.ok(["remove", "net2"]);
    assert_eq!(named(), one("net2"));
    palisade.ok(["remove", "--all"]);
    assert_eq!(named(), one("net1"));
}

/// Whose rules and elements another program deletes, one by one, and what they were.
fn names_deleted(place: Place) {
    let site = Site::new();
    let palisade = place.palisade(&site.host);
    palisade.apply([&net(1), &net(2)]).stdout();
    let watching = Watching::start(&site, &palisade, &[]);
    let all = match place {
        Place::Mapped => elements_of_second(),
        _ => rules_of_second(&site),
    };
    assert!(all.len() >= 8, "{all:#?}");
    for (object, key, part) in all {
        site.host.nft(&format!("delete {object} {key}"));
        let told = watching.next("changed", any);
        assert_eq!(told["own"], false, "{told:#}");
        assert_eq!(told["networks"], serde_json::json!(["net2"]), "{told:#}");
        let [line] = told["lines"].as_array().expect("lines").as_slice() else {
            panic!("{told:#}");
        };
        assert_eq!(
            (&line["sign"], &line["network"]),
            (&"-".into(), &"net2".into())
        );
        let text = line["text"].as_str().expect("a text");
        assert!(
            text.starts_with(&object) && text.contains(&part),
            "{part}: {text}"
        );
    }
}

/// Elements of the layout `mapped`: where each is, its key, and what is told of it.
fn elements_of_second() -> Vec<(String, String, String)> {
    let elements = [
        ("cross", r#""virbr2" . "virbr2""#),
        ("bridges", r#""virbr2""#),
        ("out_24", r#""virbr2" . 10.2.0.0"#),
        ("dropped_out", r#""virbr2""#),
        ("reply_24", r#""virbr2" . 10.2.0.0"#),
        ("refused_in", r#""virbr2""#),
        ("same_24", "10.2.0.0 . 10.2.0.0"),
        ("nat_24_1024-65535", "10.2.0.0"),
        ("spoofed", r#""virbr2""#),
        ("invalid", r#""virbr2""#),
        ("on_bridge_24", r#""virbr2" . 10.2.0.0"#),
    ];
    let element = |(set, key): (&str, &str)| {
        let key = format!("{{ {key} }}");
        (format!("element ip palisade {set}"), key.clone(), key)
    };
    elements.map(element).into()
}

/// Rules that name the network's bridge or subnet: where each is, its handle, and the beginning of what
/// is told of it.
fn rules_of_second(site: &Site) -> Vec<(String, String, String)> {
    let mut list = Command::new("nft");
    let listed = site.host.answer(list.args(["-a", "list", "ruleset"]), "");
    let (mut table, mut chain, mut rules) = (String::new(), String::new(), Vec::new());
    for line in listed.stdout().lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["table", family, name, ..] => table = format!("{family} {name}"),
            ["chain", name, ..] => chain = (*name).to_owned(),
            [said @ .., "#", "handle", handle]
                if table.starts_with("ip ")
                    && said
                        .iter()
                        .any(|word| word.contains("virbr2") || word.contains("10.2.")) =>
            {
                let start = said[..2].join(" ");
                rules.push((
                    format!("rule {table} {chain}"),
                    format!("handle {handle}"),
                    start,
                ));
            }
            _ => {}
        }
    }
    rules
}

/// A watch that is held up hears less than was told: what it missed is found all the same.
fn overrun() {
    for heal in [&[][..], &["--heal"]] {
        let site = Site::new();
        let palisade = Place::Mapped.palisade(&site.host);
        palisade.apply([&net(1)]).stdout();
        site.host
            .nft("table inet theirs { set s { type ipv4_addr; }; }");
        let watching = Watching::start(&site, &palisade, heal);
        let lose = || {
            site.host
                .nft("delete element ip palisade out_24 { \"virbr1\" . 10.1.0.0 }");
        };
        // What it looks at when it begins is seen before the rest.
        lose();
        if heal.is_empty() {
            watching.next("differs", |event| event["clean"] == false);
            palisade.ok(["repair"]);
            watching.next("differs", |event| event["clean"] == true);
        } else {
            watching.next("healed", any);
        }
        thread::sleep(Duration::from_millis(100));
        watching.signal(Signal::SIGSTOP);
        let elements: Vec<String> = (0..50_000_u32)
            .map(|i| format!("10.{}.{}.{}", i >> 16, (i >> 8) & 255, i & 255))
            .collect();
        let elements = elements.join(", ");
        let script =
            format!("add element inet theirs s {{ {elements} }}\nflush set inet theirs s\n");
        let begun = Instant::now();
        while !has_dropped(&site) {
            assert!(begun.elapsed() < Duration::from_secs(60), "no overrun");
            site.host.nft(&script);
        }
        lose();
        watching.signal(Signal::SIGCONT);
        watching.next("overrun", any);
        if heal.is_empty() {
            let differs = watching.next("differs", any);
            assert!(differs.to_string().contains("out_24"), "{differs}");
        } else {
            watching.next("healed", any);
            assert_clean(&palisade);
        }
    }
}

/// Whether a netlink socket of netfilter's (protocol 12) in the namespace lost something: the last
/// columns are `Drops` and the inode.
fn has_dropped(site: &Site) -> bool {
    let read = || std::fs::read_to_string("/proc/thread-self/net/netlink").expect("the sockets");
    let sockets = site.host.inside(read);
    let mut lines = sockets.lines().skip(1);
    lines.any(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        columns[1] == "12" && columns[8] != "0"
    })
}

fn serves() {
    let site = Site::new();
    let palisade = Place::Mapped.palisade(&site.host);
    palisade.apply([&net(1)]).stdout();
    site.host.nft("flush ruleset");
    let mut watching = Watching::start(&site, &palisade, &["--heal"]);
    watching.next("healed", any);
    watching.signal(Signal::SIGHUP);
    assert!(
        watching
            .told_systemd()
            .starts_with("RELOADING=1\nMONOTONIC_USEC=")
    );
    assert_eq!(watching.told_systemd(), "READY=1\n");
    watching.signal(Signal::SIGTERM);
    assert_eq!(watching.told_systemd(), "STOPPING=1\n");
    let ended = watching.child.wait().expect("wait for the watch");
    assert_eq!(ended.code(), Some(0));
    let mut rest = String::new();
    if let Some(output) = &mut watching.child.stdout {
        output.read_to_string(&mut rest).expect("the rest");
    }
    assert_eq!(rest, "");
}

/// Otherwise each closed terminal would leave a watch behind, of which nobody knows.
fn ends_with_its_terminal() {
    let site = Site::new();
    let palisade = Place::Mapped.palisade(&site.host);
    let terminal = openpty(None, None).expect("a terminal");
    let input = Stdio::from(terminal.slave);
    let mut watching = Watching::start_at(input, &site, &palisade, &[]);
    watching.signal(Signal::SIGHUP);
    assert_eq!(watching.told_systemd(), "STOPPING=1\n");
    let ended = watching.child.wait().expect("wait for the watch");
    assert_eq!(ended.code(), Some(0));
}

/// The first packet at once, and how many came like it at the end.
fn follows() {
    let site = Site::new();
    let palisade = Place::Mapped.palisade(&site.host);
    palisade.apply([&net(1)]).stdout();
    let refusal = palisade.answer(["watch", "--refused"]).refusal(1);
    assert!(refusal.contains("NFLOG group"), "{refusal}");
    assert!(refusal.contains("log = { group = 5 }"), "{refusal}");

    let text = "name = 'net1'\nbridge = 'virbr1'\nmode = 'nat'\nsubnets = ['10.1.0.1/24']\n\
                log = { group = 5, rate = '1000/second' }\n";
    palisade.on_files("apply", palisade.texts([text])).stdout();
    let mut watching = Watching::start(&site, &palisade, &["--refused"]);
    site.ask(1);
    let packet = || {
        let [from, to] = ["192.0.2.2", "10.1.0.2"].map(|ip| ip.parse().expect("an address"));
        raw::Packet::new(from, to, raw::udp(7)).send(&site.world);
    };
    packet();
    let mut refused = watching.next("refused", any);
    refused["time"].take();
    let expected = serde_json::json!({
        "event": "refused", "time": null, "network": "net1", "purpose": "refused_in",
        "source": "192.0.2.2", "destination": "10.1.0.2", "protocol": "udp", "port": 7, "more": 0,
    });
    assert_eq!(refused, expected);
    for _ in 0..3 {
        packet();
    }
    thread::sleep(Duration::from_millis(500));
    watching.signal(Signal::SIGTERM);
    let sum = watching.next("refused", any);
    assert_eq!((&sum["port"], &sum["more"]), (&7.into(), &3.into()));
    let ended = watching.child.wait().expect("wait for the watch");
    assert_eq!(ended.code(), Some(0));
}

/// Both in one stream.
fn follows_and_heals() {
    let site = Site::new();
    let palisade = Place::Mapped.palisade(&site.host);
    let text = "name = 'net1'\nbridge = 'virbr1'\nmode = 'nat'\nsubnets = ['10.1.0.1/24']\n\
                log = { group = 5, rate = '1000/second' }\n";
    palisade.on_files("apply", palisade.texts([text])).stdout();
    let mut watching = Watching::start(&site, &palisade, &["--heal", "--refused"]);
    let refuse = |port| {
        let [from, to] = ["192.0.2.2", "10.1.0.2"].map(|ip| ip.parse().expect("an address"));
        raw::Packet::new(from, to, raw::udp(port)).send(&site.world);
    };
    site.ask(1);
    refuse(7);
    assert_eq!(watching.next("refused", any)["port"], 7);
    site.host.nft("flush ruleset");
    watching.next("healed", any);
    refuse(8);
    assert_eq!(watching.next("refused", any)["port"], 8);
    refuse(8);
    thread::sleep(Duration::from_millis(500));
    watching.signal(Signal::SIGINT);
    assert_eq!(watching.next("refused", any)["more"], 1);
    let ended = watching.child.wait().expect("wait for the watch");
    assert_eq!(ended.code(), Some(130));
    assert_clean(&palisade);
}

fn rests() {
    let site = Site::new();
    let palisade = Place::Mapped.palisade(&site.host);
    palisade.apply([&net(1)]).stdout();
    let watching = Watching::start(&site, &palisade, &["--heal"]);
    for _ in 0..10 {
        site.host.nft("flush ruleset");
        watching.next("healed", any);
    }
    site.host.nft("flush ruleset");
    let restless = watching.next("restless", any);
    let pause = restless["pause_seconds"].as_f64().expect("seconds");
    assert!((0.1..=10.0).contains(&pause), "{restless}");
    // It is a pause, not the end.
    watching.next("healed", any);
    assert_clean(&palisade);
}
