//! What `plan` says comes and goes, against what the kernel holds before and after.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::Command;

use palisade_tests::{Definition, Dump, Namespace, Palisade, Trials, iptables};
use serde_json::Value;

use palisade_tests::place::{Place, net, routed};

pub(crate) fn add_to(mut trials: Trials) -> Trials {
    for place in Place::ALL {
        trials = trials.with(
            format!("{place:?}: `plan` says what comes and goes"),
            move || {
                foresees(place);
            },
        );
    }
    trials
}

/// How many there are of each rule and element.
type Counted = BTreeMap<String, i64>;

/// A command, its networks, and what becomes of which network.
type Step<'a> = (&'a str, &'a [Definition], &'a [(&'a str, &'a str)]);

fn foresees(place: Place) {
    let namespace = Namespace::new();
    let palisade = place.palisade(&namespace);
    let mut wide = net(1);
    wide.subnets.push("10.201.0.1/22".to_owned());
    let steps: [Step<'_>; 6] = [
        (
            "apply",
            &[net(1), net(2)],
            &[("net1", "add"), ("net2", "add")],
        ),
        ("apply", &[wide], &[("net1", "replace")]),
        (
            "apply",
            &[routed(1), net(3)],
            &[("net1", "replace"), ("net3", "add")],
        ),
        (
            "sync",
            &[routed(1)],
            &[("net2", "remove"), ("net3", "remove")],
        ),
        ("apply", &[routed(1)], &[]),
        ("sync", &[net(4)], &[("net1", "remove"), ("net4", "add")]),
    ];
    for (command, networks, expected) in steps {
        let before = standing(place, &namespace);
        let files = palisade.files(networks);
        let mut args = vec!["--format".into(), "json".into(), "plan".into()];
        args.extend((command == "sync").then(|| "--sync".into()));
        args.extend(files.iter().map(|file| file.clone().into_os_string()));
        let plan = planned(&palisade, &args);
        let actions: Vec<(&str, &str)> = plan["changes"]
            .as_array()
            .expect("an array")
            .iter()
            .map(|change| (text(&change["network"]), text(&change["action"])))
            .collect();
        assert_eq!(actions, expected);
        assert_eq!(
            standing(place, &namespace),
            before,
            "a plan changes nothing"
        );
        let mut foreseen = before;
        for (line, sign) in lines(&plan) {
            *foreseen.entry(line).or_default() += sign;
        }
        foreseen.retain(|_, count| *count != 0);
        palisade.on_files(command, &files).stdout();
        assert_eq!(
            foreseen,
            standing(place, &namespace),
            "{command} {networks:?}\n{plan:#}"
        );
    }
}

#[track_caller]
fn planned(palisade: &Palisade<'_>, args: &[OsString]) -> Value {
    let answer = palisade.answer(args);
    let plan: Value = serde_json::from_str(&answer.stdout).expect("JSON");
    let changes = plan["changes"].as_array().expect("an array");
    let code = if changes.is_empty() { 0 } else { 3 };
    assert_eq!(answer.code, Some(code), "{answer}");
    if changes.is_empty() {
        assert_eq!(plan["shared"], Value::Null, "nothing is sent");
    }
    plan
}

/// Rules and elements of a plan, as [`standing`] has them, with 1 where they come and -1 where they
/// go. Those of a network's own stand under the network, and those of none under none.
fn lines(plan: &Value) -> Vec<(String, i64)> {
    let mut all = Vec::new();
    let mut take = |lines: &Value, network: Option<&str>| {
        for line in lines.as_array().into_iter().flatten() {
            let said = text(&line["text"]);
            match network {
                Some(network) => assert!(said.contains(&format!("\"{network}")), "{said}"),
                None => assert!(!said.contains("\"net"), "{said}"),
            }
            let sign = match text(&line["sign"]) {
                "+" => 1,
                "-" => -1,
                other => panic!("{other} is no sign"),
            };
            all.extend(as_standing(said).map(|line| (line, sign)));
        }
    };
    for change in plan["changes"].as_array().expect("an array") {
        take(&change["lines"], Some(text(&change["network"])));
    }
    take(&plan["shared"], None);
    all
}

/// A rule or an element as [`standing`] has it; none for what is neither.
fn as_standing(said: &str) -> Option<String> {
    let words: Vec<&str> = said.split(' ').collect();
    match words.as_slice() {
        ["rule", ..] => Some(said.to_owned()),
        [
            "element",
            family,
            "palisade",
            set,
            "{",
            key @ ..,
            "comment",
            _,
            "}",
        ] => {
            let key = key.join(" ").replace('"', "");
            Some(format!("element {family} palisade {set} {key}"))
        }
        [program, "-t", table, "-I" | "-D", chain, rule @ ..] => {
            // Its number among the chain's rules.
            let is_place = rule.first().is_some_and(|word| word.parse::<u32>().is_ok());
            let rule = rule[usize::from(is_place)..].join(" ");
            Some(format!("{program} {table} -A {chain} {rule}"))
        }
        _ => None,
    }
}

/// The rules and elements that the kernel holds for us, by its own tools.
fn standing(place: Place, namespace: &Namespace) -> Counted {
    let mut all = Counted::new();
    let mut count = |line: String| *all.entry(line).or_default() += 1;
    match place {
        Place::Legacy | Place::Nft => {
            let lines = iptables::ours(namespace, place.word());
            lines
                .into_iter()
                .filter(|line| line.contains(" -A "))
                .for_each(count);
        }
        Place::Mapped | Place::Flat => {
            for family in ["ip", "ip6"] {
                if let Some(table) = Dump::table(namespace, family, "palisade") {
                    for (chain, rule) in table.settled().rules() {
                        count(format!("rule {family} palisade {chain} {rule}"));
                    }
                }
            }
            elements(namespace).into_iter().for_each(count);
        }
    }
    all
}

fn elements(namespace: &Namespace) -> Vec<String> {
    let mut nft = Command::new("nft");
    let listed = namespace
        .answer(nft.args(["-j", "list", "ruleset"]), "")
        .stdout();
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    let mut all = Vec::new();
    let objects = listed["nftables"].as_array().expect("an array").iter();
    for set in objects
        .map(|object| &object["set"])
        .filter(|set| set["name"] != "transaction")
    {
        for element in set["elem"].as_array().into_iter().flatten() {
            let value = element
                .get("elem")
                .map_or(element, |element| &element["val"]);
            let parts = match value["concat"].as_array() {
                Some(parts) => parts.iter().map(text).collect::<Vec<_>>().join(" . "),
                None => text(value).to_owned(),
            };
            let (family, name) = (text(&set["family"]), text(&set["name"]));
            all.push(format!("element {family} palisade {name} {parts}"));
        }
    }
    all
}

fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
}
