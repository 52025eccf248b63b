//! `repair`, `apply` and `remove` where something was broken: what they tell, and whose rules they
//! touch.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use palisade_tests::{Answer, Definition, Dump, Namespace, Palisade, Trials, trials};
use serde_json::Value;

use palisade_tests::place::{Place, assert_clean, net};

pub(crate) fn add_to(mut trials: Trials) -> Trials {
    for place in Place::ALL {
        let name = format!("{place:?}: what concerns a name is verified and repaired by it");
        trials = trials.with(name, move || by_name(place));
    }
    for place in [Place::Legacy, Place::Nft] {
        let name = format!("{place:?}: what the programs cannot find again is removed");
        trials = trials.with(name, move || not_found_again(place));
    }
    trials.and(trials![
        only_what_was_broken_is_restored,
        tables_of_others_do_not_concern_a_name,
        a_changed_rule_goes_with_its_network,
        a_changed_rule_comes_back_by_apply,
        a_record_set_aside_is_settled,
    ])
}

/// `verify` or the like, as programs read it.
#[track_caller]
fn json(palisade: &Palisade<'_>, words: &[&str]) -> Value {
    let answer = palisade.answer([&["--format", "json"], words].concat());
    read(&answer)
}

#[track_caller]
fn read(answer: &Answer) -> Value {
    serde_json::from_str(&answer.stdout).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

/// The networks that something happened to, and what.
fn changes(told: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let changes = told["changes"].as_array().expect("changes");
    let mut changes: Vec<(String, String)> = changes
        .iter()
        .map(|change| (text(&change["network"]), text(&change["action"])))
        .collect();
    changes.sort();
    changes
}

#[track_caller]
fn assert_changes(told: &Value, expected: &[(&str, &str)]) {
    let expected: Vec<(String, String)> = expected
        .iter()
        .map(|(network, action)| ((*network).to_owned(), (*action).to_owned()))
        .collect();
    assert_eq!(changes(told), expected, "{told:#}");
}

/// With prefixes that `net` has not.
fn narrow() -> Definition {
    Definition::nat("narrow", "virbr7", &["10.7.0.1/25", "fd00:7::1/80"])
}

fn only_what_was_broken_is_restored() {
    let namespace = Namespace::new();
    let palisade = Place::Mapped.palisade(&namespace);
    palisade.apply([&net(1), &net(2)]).stdout();
    // Somebody else's commit: what stands is looked at anew.
    namespace.nft("add table inet theirs");
    let files = palisade.files([&net(1), &narrow()]);
    let paths: Vec<&str> = files
        .iter()
        .map(|file| file.to_str().expect("a path"))
        .collect();
    let planned = json(&palisade, &[&["plan"], &paths[..]].concat());
    assert_changes(&planned, &[("narrow", "add")]);
    let applied = json(&palisade, &[&["apply"], &paths[..]].concat());
    assert_changes(&applied, &[("narrow", "add")]);

    // An element is one network's, a set is of those that have something in it, and a chain of all.
    let all = &[
        ("narrow", "restore"),
        ("net1", "restore"),
        ("net2", "restore"),
    ];
    for (breaks, broken) in [
        (
            "delete element ip palisade out_24 { \"virbr1\" . 10.1.0.0 }",
            &all[1..2],
        ),
        ("flush set ip palisade out_25", &all[..1]),
        ("flush set ip6 palisade in_64", &all[1..]),
        ("flush chain ip palisade to_guest", all),
        ("delete table ip palisade", all),
        ("add rule ip palisade to_guest drop", &[]),
    ] {
        namespace.nft(breaks);
        let repaired = json(&palisade, &["repair"]);
        assert_changes(&repaired, broken);
        assert_clean(&palisade);
    }
    // A rule that only some networks need.
    let rule = |of: &str| {
        let mut nft = Command::new("nft");
        nft.args(["-a", "list", "chain", "ip", "palisade", "to_guest"]);
        let listed = namespace.answer(&mut nft, "").stdout();
        let line = listed.lines().find(|line| line.contains(of)).expect("it");
        line.rsplit_once(' ').expect("its handle").1.to_owned()
    };
    let delete = |of| format!("delete rule ip palisade to_guest handle {}", rule(of));
    namespace.nft(&delete("@reply_25"));
    let applied = read(
        &palisade.answer(
            ["--format", "json", "apply"]
                .map(PathBuf::from)
                .into_iter()
                .chain(palisade.files([&net(1), &net(2), &narrow()])),
        ),
    );
    assert_changes(&applied, &all[..1]);
    namespace.nft(&delete("@reply_25"));
    assert_changes(&json(&palisade, &["repair"]), &all[..1]);
    assert_clean(&palisade);
}

/// What `verify NAME` tells, `repair NAME` mends, others' rules among ours too; what is about other
/// networks is neither told nor lost.
fn by_name(place: Place) {
    let namespace = Namespace::new();
    let palisade = place.palisade(&namespace);
    palisade.apply([&net(1), &net(2)]).stdout();
    let (foreign, lost, theirs) = match place {
        Place::Mapped => (
            "insert rule ip palisade from_guest ip saddr 10.9.9.9 accept",
            "delete element ip palisade out_24 { \"virbr1\" . 10.1.0.0 }",
            "delete element ip palisade out_24 { \"virbr2\" . 10.2.0.0 }",
        ),
        Place::Flat => (
            "insert rule ip palisade guest_output ip saddr 10.9.9.9 accept",
            "flush chain ip palisade guest_nat",
            "flush chain ip palisade guest_cross",
        ),
        Place::Legacy | Place::Nft => (
            "-I PALISADE_FWO -s 10.9.9.9 -j ACCEPT",
            "-D PALISADE_FWX -i virbr1 -o virbr1 -m comment --comment net1:\\sguest\\sto\\sguest -j ACCEPT",
            "-R PALISADE_FWX 1 -i virbr2 -o virbr2 -m comment --comment net2:\\sguest\\sto\\sguest -j DROP",
        ),
    };
    let does = |what: &str| match place.backend() {
        "nftables" => namespace.nft(what),
        _ => {
            let words = what.split(' ').map(|word| word.replace("\\s", " "));
            let mut program = Command::new(format!("iptables-{}", place.word()));
            namespace.answer(program.args(words), "").stdout();
        }
    };
    does(foreign);
    let told = json(&palisade, &["verify", "net1"]);
    assert_eq!(told["differences"][0]["kind"], "foreign", "{told:#}");
    let repaired = json(&palisade, &["repair", "net1"]);
    assert_changes(&repaired, &[]);
    assert!(
        repaired["notes"].to_string().contains("10.9.9.9"),
        "{repaired:#}"
    );
    assert!(!place.standing(&namespace).contains("10.9.9.9"));
    assert_clean(&palisade);

    does(lost);
    does(theirs);
    let told = json(&palisade, &["verify", "net1"]);
    let differences = told["differences"].as_array().expect("differences");
    assert!(!differences.is_empty());
    assert!(
        differences.iter().all(|found| found["network"] == "net1"),
        "{told:#}"
    );
    let repaired = json(&palisade, &["repair", "net1"]);
    let changes = changes(&repaired);
    assert!(
        changes.contains(&("net1".into(), "restore".into())),
        "{repaired:#}"
    );
    palisade.ok(["verify", "net1"]);
    // The other network stays as it was.
    assert!(
        changes.iter().all(|(network, _)| network == "net1"),
        "{repaired:#}"
    );
    let others = json(&palisade, &["verify", "net2"]);
    let differences = others["differences"].as_array().expect("differences");
    assert!(!differences.is_empty(), "{others:#}");
    palisade.ok(["repair", "net2"]);
    assert_clean(&palisade);
}

/// What the programs refuse to delete by the words in which they print it is no reason to leave all
/// else broken.
fn not_found_again(place: Place) {
    let namespace = Namespace::new();
    let palisade = place.palisade(&namespace);
    palisade.apply([&net(1), &net(2)]).stdout();
    let iptables = |line: &str| {
        let mut program = Command::new(format!("iptables-{}", place.word()));
        namespace.answer(program.args(line.split(' ')), "").stdout()
    };
    let before = iptables("-S PALISADE_FWO");
    iptables("-D FORWARD -j PALISADE_FWX");
    iptables("-D PALISADE_FWO 1");
    iptables("-R PALISADE_FWO 1 -m recent --name mine --rcheck --seconds 9 -j RETURN");
    iptables("-I PALISADE_FWO -m recent --set -j RETURN");
    iptables("-I PALISADE_FWO 3 -s 10.9.9.9 -j ACCEPT");
    let repaired = json(&palisade, &["repair"]);
    let notes = repaired["notes"].to_string();
    assert_eq!(notes.matches("-m recent").count(), 2, "{repaired:#}");
    assert_eq!(iptables("-S PALISADE_FWO"), before);
    assert_clean(&palisade);
}

fn tables_of_others_do_not_concern_a_name() {
    let namespace = Namespace::new();
    let palisade = Palisade::new(&namespace);
    palisade.apply([&net(1)]).stdout();
    let other = Palisade::new(&namespace)
        .sharing(&palisade)
        .with(["--table", "other"]);
    other.apply([&net(2)]).stdout();
    namespace.nft("insert rule ip other from_guest ip saddr 10.9.9.9 accept");
    palisade.ok(["verify", "net1"]);
    assert_eq!(palisade.answer(["verify", "net2"]).code, Some(3));
    assert_changes(&json(&palisade, &["repair", "net1"]), &[]);
    assert_eq!(
        palisade.answer(["verify"]).code,
        Some(3),
        "nothing else is touched"
    );
    palisade.ok(["repair", "net2"]);
    assert_clean(&palisade);
}

/// The handle of a rule of the chain `guest_output`.
fn handle(namespace: &Namespace, of: &str) -> String {
    let mut nft = Command::new("nft");
    nft.args(["-a", "list", "chain", "ip", "palisade", "guest_output"]);
    let listed = namespace.answer(&mut nft, "").stdout();
    let line = listed
        .lines()
        .find(|line| line.contains(of))
        .expect("the rule");
    line.rsplit_once(' ').expect("its handle").1.to_owned()
}

/// Somebody opens what a rule of ours closes, and leaves our comment there.
fn change_in_place(namespace: &Namespace) {
    let handle = handle(namespace, "net1: refuse out");
    namespace.nft(&format!(
        "replace rule ip palisade guest_output handle {handle} iifname \"virbr1\" counter accept \
         comment \"net1: refuse out\""
    ));
}

fn a_changed_rule_goes_with_its_network() {
    for rest in [&[][..], &[net(2)]] {
        let namespace = Namespace::new();
        let palisade = Place::Flat.palisade(&namespace);
        palisade.apply([net(1)].iter().chain(rest)).stdout();
        change_in_place(&namespace);
        palisade.ok(["remove", "net1"]);
        let left = Dump::ruleset(&namespace).to_string();
        assert!(!left.contains("virbr1"), "{left}");
        assert_eq!(left.contains("table"), !rest.is_empty(), "{left}");
        assert_clean(&palisade);
    }
}

fn a_changed_rule_comes_back_by_apply() {
    let namespace = Namespace::new();
    let palisade = Place::Flat.palisade(&namespace);
    palisade.apply([&net(1), &net(2)]).stdout();
    change_in_place(&namespace);
    palisade.apply([&net(1)]).stdout();
    assert_clean(&palisade);
}

/// A record that cannot be believed is told until its network came again, all networks went, or
/// somebody said `recover`; its file is kept.
fn a_record_set_aside_is_settled() {
    let ends: [&dyn Fn(&Palisade<'_>); 3] = [
        &|palisade| {
            palisade.ok(["remove", "--all"]);
        },
        &|palisade| {
            palisade.ok(["recover"]);
        },
        &|palisade| {
            // Whose record is lost does not run; it can again.
            palisade.answer(["remove", "net2"]).refusal(1);
            palisade.apply([&net(2)]).stdout();
            palisade.ok(["remove", "net2"]);
        },
    ];
    for end in ends {
        let namespace = Namespace::new();
        let palisade = Place::Mapped.palisade(&namespace);
        palisade.apply([&net(1), &net(2)]).stdout();
        let found = fs::read_dir(palisade.state()).expect("the state").next();
        let folder = found.expect("a folder").expect("its name").path();
        let record = folder.join("networks/net2.json");
        fs::write(&record, "broken").expect("break the record");
        palisade.apply([&net(3)]).stdout();
        let told = json(&palisade, &["verify"]);
        let records: Vec<&Value> = told["differences"]
            .as_array()
            .expect("differences")
            .iter()
            .filter(|found| found["object"].to_string().contains("record"))
            .collect();
        assert_eq!(records.len(), 1, "{told:#}");
        assert_eq!(records[0]["network"], "net2");
        assert!(
            records[0]["detail"]
                .to_string()
                .contains("palisade recover"),
            "{told:#}"
        );
        end(&palisade);
        let told = json(&palisade, &["verify"]);
        assert!(!told.to_string().contains("\"record "), "{told:#}");
        let aside = fs::read_dir(folder.join("unreadable")).expect("its folder");
        let kept = aside.filter_map(|file| fs::read(file.expect("a file").path()).ok());
        assert!(kept.into_iter().any(|content| content == b"broken"));
    }
}
