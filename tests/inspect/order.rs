//! `show` and `plan` list rules in the order in which packets meet them.

use std::collections::BTreeMap;

use palisade_tests::{Namespace, Palisade, Trials, iptables, trials};
use serde_json::Value;

use palisade_tests::place::{Place, net, routed};

pub(crate) fn add_to(trials: Trials) -> Trials {
    trials.and(trials![flat_as_it_stands, iptables_as_it_stands])
}

/// The comments of a network's rules of IPv4, chain by chain.
type Order = BTreeMap<String, Vec<String>>;

fn flat_as_it_stands() {
    let namespace = Namespace::new();
    let palisade = Place::Flat.palisade(&namespace);
    palisade.apply([&routed(2)]).stdout();
    let file = &palisade.files(&[net(1)])[0];
    let file = file.to_str().expect("a path");
    let planned = |args: &[&str], sign: &str| {
        let plan = palisade.answer([&["--format", "json", "plan"], args].concat());
        assert_eq!(plan.code, Some(3), "{plan}");
        let plan: Value = serde_json::from_str(&plan.stdout).expect("JSON");
        let lines = plan["changes"][0]["lines"].as_array().expect("lines");
        let lines = lines.iter().filter(|line| line["sign"] == sign);
        let rules = lines.filter_map(|line| {
            let text = line["text"].as_str()?.strip_prefix("rule ip palisade ")?;
            let (chain, text) = text.split_once(' ')?;
            Some((chain, text))
        });
        order("net1", rules)
    };
    let comes = planned(&[file], "+");
    palisade.apply([&net(1)]).stdout();
    let mut list = std::process::Command::new("nft");
    let listed = namespace.answer(list.args(["list", "table", "ip", "palisade"]), "");
    let listed = listed.stdout();
    let stands = order("net1", chains(&listed));
    assert!(stands["guest_nat"].len() > 3, "{listed}");
    assert_eq!(shown(&palisade), stands);
    assert_eq!(comes, stands);
    // A plan without this network takes its rules away.
    let other = &palisade.files(&[routed(2)])[0];
    let other = other.to_str().expect("a path");
    assert_eq!(planned(&["--sync", other], "-"), stands);
}

fn iptables_as_it_stands() {
    for place in Place::OF_IPTABLES {
        let namespace = Namespace::new();
        let palisade = place.palisade(&namespace);
        palisade.apply([&routed(2), &net(1)]).stdout();
        let programs = if place == Place::Legacy {
            "legacy"
        } else {
            "nft"
        };
        let saved = iptables::saved(&namespace, programs);
        let rules = saved.iter().filter_map(|line| {
            let rule = line.strip_prefix("iptables ")?;
            rule.split_once(" -A ")?.1.split_once(' ')
        });
        let stands = order("net1", rules);
        assert!(stands["PALISADE_INP"].len() > 3, "{saved:?}");
        assert_eq!(shown(&palisade), stands);
    }
}

fn shown(palisade: &Palisade<'_>) -> Order {
    let shown = palisade.ok(["--format", "json", "show", "net1"]);
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    let installed = shown["installed"].as_array().expect("what is installed");
    let installed = installed.iter().filter(|rule| rule["family"] == "ipv4");
    let rules =
        installed.filter_map(|rule| Some((rule["place"].as_str()?, rule["text"].as_str()?)));
    order("net1", rules)
}

/// Rules as `nft` lists them, each with its chain.
fn chains(listed: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut chain = "";
    listed.lines().filter_map(move |line| {
        let line = line.trim();
        if let Some(name) = line.strip_prefix("chain ") {
            chain = name.strip_suffix(" {").expect("a chain");
        }
        line.contains(" comment \"").then_some((chain, line))
    })
}

fn order<'a>(network: &str, rules: impl Iterator<Item = (&'a str, &'a str)>) -> Order {
    let mut order = Order::new();
    for (chain, text) in rules {
        let comment = text.rsplit_once("comment \"").map(|(_, rest)| rest);
        let comment = comment.and_then(|rest| rest.split('"').next());
        if let Some(comment) = comment.filter(|comment| comment.starts_with(network)) {
            let of_chain = order.entry(chain.to_owned()).or_default();
            of_chain.push(comment.to_owned());
        }
    }
    order
}
